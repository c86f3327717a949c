/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes of the hash table under the forwarding database; see fdb_table.h for the rules. Called by
 * fdb.c and fdb_store.c under fdb->lock, on any thread.
 */
#include "fdb_table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fdb_ports.h"

#define HUGE_PAGE (2u << 20)

/*
 * The most buckets that the search for a free slot visits: the station's two, the other buckets of the six
 * stations there, and so on for four rounds. Even in a full table the second round almost always finds
 * one.
 */
#define SEARCH_MAX (2 + 6 + 18 + 54 + 162)

struct step {
	uint32_t bucket;
	uint16_t parent; /* index of the step that led here: its bucket holds a station in `way` ... */
	uint8_t way;	 /* ... whose other bucket is this one */
};

/* One step of splitmix64, a generator that turns any seed into well spread words. */
static uint64_t
next_secret(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int
fdb_table_init(struct fdb_table *table, uint64_t seed)
{
	size_t size = FDB_BUCKETS * sizeof(struct fdb_bucket);
	unsigned int i;

	table->buckets = aligned_alloc(HUGE_PAGE, size);
	if (table->buckets == NULL)
		return -ENOMEM;
	/* with a huge page, if the kernel has one, the whole table takes one TLB entry */
	madvise(table->buckets, size, MADV_HUGEPAGE);
	memset(table->buckets, 0, size);
	for (i = 0; i < 4; i++)
		table->secret[i] = next_secret(&seed);
	table->secret[3] |= 1;
	return 0;
}

void
fdb_table_fini(struct fdb_table *table)
{
	free(table->buckets);
}

struct fdb_found
fdb_table_find(const struct fdb_table *table, const struct fdb_name *name)
{
	struct fdb_bucket *first = &table->buckets[name->first];
	struct fdb_bucket *second = &table->buckets[name->second];
	uint32_t waited = 0;

	for (;; spinlock_relax(&waited)) {
		uint32_t seq = __atomic_load_n(&first->seq, __ATOMIC_ACQUIRE);
		struct fdb_found found = fdb_bucket_match(first, name);

		if (found.slot == NULL) {
			uint32_t seq2 = __atomic_load_n(&second->seq, __ATOMIC_ACQUIRE);

			found = fdb_bucket_match(second, name);
			if (!fdb_bucket_settled(second, seq2))
				continue;
		}
		if (fdb_bucket_settled(first, seq))
			return found;
	}
}

static void
write_slot(struct fdb_bucket *bucket, struct fdb_slot *slot, uint64_t station, struct fdb_view view)
{
	uint32_t seq = bucket->seq;

	__atomic_store_n(&bucket->seq, seq + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->station, station, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->place, view.place, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->heard, view.heard, __ATOMIC_RELEASE);
	__atomic_store_n(&bucket->seq, seq + 2, __ATOMIC_RELEASE);
}

void
fdb_table_write(struct fdb_table *table, uint32_t slot, uint64_t station, struct fdb_view view)
{
	*fdb_table_queued(table, slot) = view.heard;
	write_slot(fdb_table_bucket(table, slot), fdb_table_slot(table, slot), station, view);
}

void
fdb_table_clear(struct fdb_table *table, uint32_t slot)
{
	struct fdb_view nothing = { 0 };

	write_slot(fdb_table_bucket(table, slot), fdb_table_slot(table, slot), 0, nothing);
}

/* Number of a free slot in the bucket, or -ENOSPC. */
static int32_t
free_slot(const struct fdb_table *table, uint32_t bucket)
{
	uint32_t way;

	for (way = 0; way < FDB_WAYS; way++)
		if (table->buckets[bucket].slots[way].place == 0)
			return (int32_t)(way * FDB_BUCKETS + bucket);
	return -ENOSPC;
}

static uint32_t
other_bucket(const struct fdb_table *table, uint32_t bucket, uint32_t way)
{
	const struct fdb_slot *slot = &table->buckets[bucket].slots[way];
	struct fdb_name name = fdb_table_name(
			table, slot->station, slot->place & FDB_PLACE_DOMAIN_MASK);

	return name.first == bucket ? name.second : name.first;
}

static void
move_slot(struct fdb_table *table, uint32_t from, uint32_t to, struct fdb_ports *ports)
{
	const struct fdb_slot *slot = fdb_table_slot(table, from);
	struct fdb_view view = {
		.place = slot->place,
		.heard = __atomic_load_n(&slot->heard, __ATOMIC_RELAXED),
	};

	fdb_table_write(table, to, slot->station, view);
	*fdb_table_queued(table, to) = *fdb_table_queued(table, from);
	fdb_ports_replace(ports, from, to);
	fdb_table_clear(table, from);
}

/* Moves the stations along the path that was found, the last one first. Returns the freed slot. */
static int32_t
follow_back(struct fdb_table *table, const struct step *steps, uint32_t at, int32_t hole,
		struct fdb_ports *ports)
{
	while (at >= 2) {
		uint32_t from = steps[at].way * FDB_BUCKETS + steps[steps[at].parent].bucket;

		move_slot(table, from, (uint32_t)hole, ports);
		hole = (int32_t)from;
		at = steps[at].parent;
	}
	return hole;
}

int32_t
fdb_table_reserve(struct fdb_table *table, const struct fdb_name *name, struct fdb_ports *ports)
{
	struct step steps[SEARCH_MAX];
	uint32_t at, n = 2;
	uint8_t way;

	steps[0].bucket = name->first;
	steps[1].bucket = name->second;
	for (at = 0; at < n; at++) {
		int32_t hole = free_slot(table, steps[at].bucket);

		if (hole >= 0)
			return follow_back(table, steps, at, hole, ports);
		for (way = 0; way < FDB_WAYS && n < SEARCH_MAX; way++) {
			steps[n].bucket = other_bucket(table, steps[at].bucket, way);
			steps[n].parent = (uint16_t)at;
			steps[n++].way = way;
		}
	}
	return -ENOSPC;
}
