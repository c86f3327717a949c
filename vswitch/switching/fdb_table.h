/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash table under the forwarding database: stations in slots, three slots to a bucket, a bucket to
 * a cache line. Only fdb.c, fdb_store.c and fdb_ports.c use it.
 *
 * A station has two buckets, both from a keyed hash, and is in one of them. There are 98,304 slots for at
 * most 65,536 stations. With two choices and buckets of three a table fills to 0.95 before an insertion
 * fails. So at 0.67 a station always finds room, if need be after others have moved to their other bucket.
 * Nobody can guess colliding addresses without the key, because every output bit depends on all bits of
 * input and key through two multiplications, and no output leaves the process.
 *
 * Lookups (any worker) take no lock; changes happen under fdb->lock. Each bucket has a sequence number,
 * which is odd while the bucket changes:
 * - The writer stores the odd number, then the data, each with release, then the next even number with
 *   release.
 * - The reader loads the number, then the data, each with acquire, then the number again. If it has seen one
 *   word of a change, it now sees at least that change's odd number, and retries.
 * - A station that moves to its other bucket is written there first, and then cleared here. A reader that
 *   finds it in neither bucket checks the first bucket's number last. If the station has moved from the
 *   second bucket to the first meanwhile, that number has changed.
 *
 * Workers refresh `heard` outside this protocol, by a relaxed store. The store may hit a slot that has just
 * got another station, and a copy of a slot may miss the store. Then an age is wrong by as long as that
 * worker was held up, which does no harm.
 */
#ifndef VSWITCH_FDB_TABLE_H
#define VSWITCH_FDB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fdb.h"
#include "base/spinlock.h"

#define FDB_WAYS 3
#define FDB_BUCKETS 32768
#define FDB_SLOTS (FDB_WAYS * FDB_BUCKETS)

/* struct fdb_slot.place; 0: the slot is free. */
#define FDB_PLACE_USED (1u << 31)
#define FDB_PLACE_STATIC (1u << 30)
#define FDB_PLACE_PORT_SHIFT 16
#define FDB_PLACE_PORT_MASK 0x3fff
#define FDB_PLACE_DOMAIN_MASK 0xffff

struct fdb_slot {
	uint64_t station; /* the first eight bytes of struct fdb_key; writer: lock holder */
	uint32_t place;	  /* flags, port, domain; writer: lock holder */
	uint32_t heard;	  /* second in which the station last sent; writers: lock holder, workers */
};

struct fdb_bucket {
	uint32_t seq;		   /* odd while the bucket changes; writer: lock holder */
	uint32_t queued[FDB_WAYS]; /* `heard` when the slot was put on its list; under the lock */
	struct fdb_slot slots[FDB_WAYS];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct fdb_slot) == 16, "an entry is 16 bytes");
_Static_assert(sizeof(struct fdb_bucket) == 64, "a bucket is a cache line");
_Static_assert(offsetof(struct fdb_key, vlan) == 6, "mac and vlan are one word");

struct fdb_table {
	struct fdb_bucket *buckets;
	uint64_t secret[4];
};

/* A key as the table sees it. */
struct fdb_name {
	uint64_t station; /* as in struct fdb_slot */
	uint32_t domain;
	uint32_t first; /* its two buckets, never the same */
	uint32_t second;
};

/* What a slot holds besides the station. */
struct fdb_view {
	uint32_t place;
	uint32_t heard;
};

/* A consistent result of a search. It fits two registers. */
struct fdb_found {
	struct fdb_slot *slot; /* NULL: not there */
	struct fdb_view view;
};

struct fdb_ports;

/* 0 or -ENOMEM. Touches all of the table's memory. */
int fdb_table_init(struct fdb_table *table, uint64_t seed);
void fdb_table_fini(struct fdb_table *table);

/* Any thread, without a lock. */
struct fdb_found fdb_table_find(const struct fdb_table *table, const struct fdb_name *name);

/*
 * Under the lock. Returns a free slot in one of the name's buckets. If need be it moves other stations to
 * their other bucket; their links in `ports` follow. -ENOSPC: no free slot within reach.
 */
int32_t
fdb_table_reserve(struct fdb_table *table, const struct fdb_name *name, struct fdb_ports *ports);

/* Under the lock. Fills a free slot. */
void
fdb_table_write(struct fdb_table *table, uint32_t slot, uint64_t station, struct fdb_view view);

/* Under the lock. */
void fdb_table_clear(struct fdb_table *table, uint32_t slot);

/* Slots are numbered by way, then bucket, so that no function here needs a division. */
static inline struct fdb_bucket *
fdb_table_bucket(const struct fdb_table *table, uint32_t slot)
{
	return &table->buckets[slot % FDB_BUCKETS];
}

static inline struct fdb_slot *
fdb_table_slot(const struct fdb_table *table, uint32_t slot)
{
	return &fdb_table_bucket(table, slot)->slots[slot / FDB_BUCKETS];
}

static inline uint32_t *
fdb_table_queued(const struct fdb_table *table, uint32_t slot)
{
	return &fdb_table_bucket(table, slot)->queued[slot / FDB_BUCKETS];
}

static inline uint32_t
fdb_table_number(const struct fdb_table *table, const struct fdb_slot *slot)
{
	size_t offset = (size_t)((const char *)slot - (const char *)table->buckets);
	size_t way = (offset % sizeof(struct fdb_bucket) - offsetof(struct fdb_bucket, slots)) /
			sizeof(struct fdb_slot);

	return (uint32_t)(way * FDB_BUCKETS + offset / sizeof(struct fdb_bucket));
}

/* `port` below PORTS_MAX. */
static inline uint32_t
fdb_place(uint16_t port, uint16_t domain)
{
	return FDB_PLACE_USED | (uint32_t)port << FDB_PLACE_PORT_SHIFT | domain;
}

static inline uint16_t
fdb_place_port(uint32_t place)
{
	return place >> FDB_PLACE_PORT_SHIFT & FDB_PLACE_PORT_MASK;
}

static inline uint64_t
fdb_table_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline struct fdb_name
fdb_table_name(const struct fdb_table *table, uint64_t station, uint16_t domain)
{
	uint64_t half = fdb_table_mix(station ^ table->secret[0], domain ^ table->secret[1]);
	uint64_t hash = fdb_table_mix(half ^ table->secret[2], table->secret[3]);
	struct fdb_name name = {
		.station = station,
		.domain = domain,
		.first = hash % FDB_BUCKETS,
		.second = (hash >> 32) % FDB_BUCKETS,
	};

	if (name.second == name.first)
		name.second ^= 1;
	return name;
}

static inline struct fdb_name
fdb_table_name_key(const struct fdb_table *table, const struct fdb_key *key)
{
	uint64_t station;

	memcpy(&station, key, sizeof(station));
	return fdb_table_name(table, station, key->domain);
}

static inline struct fdb_found
fdb_bucket_match(struct fdb_bucket *bucket, const struct fdb_name *name)
{
	uint32_t tag = FDB_PLACE_USED | name->domain;
	struct fdb_found found;
	uint32_t way;

	for (way = 0; way < FDB_WAYS; way++) {
		found.slot = &bucket->slots[way];
		if (__atomic_load_n(&found.slot->station, __ATOMIC_ACQUIRE) != name->station)
			continue;
		found.view.place = __atomic_load_n(&found.slot->place, __ATOMIC_ACQUIRE);
		if ((found.view.place & (FDB_PLACE_USED | FDB_PLACE_DOMAIN_MASK)) != tag)
			continue;
		found.view.heard = __atomic_load_n(&found.slot->heard, __ATOMIC_ACQUIRE);
		return found;
	}
	return (struct fdb_found){ 0 };
}

/*
 * True when the bucket has not changed since its number was `before`. The last bit is cleared, so that an
 * odd number never passes.
 */
static inline bool
fdb_bucket_settled(const struct fdb_bucket *bucket, uint32_t before)
{
	return __atomic_load_n(&bucket->seq, __ATOMIC_ACQUIRE) == (before & ~1u);
}

/*
 * Any thread, without a lock. The fast path of fdb_table_find(), short enough to be inlined: reads the first
 * bucket once. A station that it does not find may still be in the table.
 */
static inline struct fdb_found
fdb_table_glance(const struct fdb_table *table, const struct fdb_name *name)
{
	struct fdb_bucket *first = &table->buckets[name->first];
	uint32_t seq = __atomic_load_n(&first->seq, __ATOMIC_ACQUIRE);
	struct fdb_found found = fdb_bucket_match(first, name);

	if (!fdb_bucket_settled(first, seq))
		found.slot = NULL;
	return found;
}

#endif
