/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The forwarding database: which station (MAC address, in a VLAN of a domain) is behind which
 * port (IEEE 802.1Q, 8.8). 65,536 entries.
 *
 * Threads: any worker looks up and learns, without locks for what is known (lookup; refreshing an
 * entry's age) and under one spinlock for changes (new station, moved station, eviction). The
 * control thread adds, deletes, flushes, lists and sweeps under the same lock, in bounded pieces.
 * Knows neither DPDK nor libevent.
 *
 * Times are seconds of any monotonic clock, given by the caller, so that tests need no clock.
 */
#ifndef VSWITCH_FDB_H
#define VSWITCH_FDB_H

#include <stdbool.h>
#include <stdint.h>

#define FDB_ENTRIES_MAX 65536
#define FDB_NO_PORT UINT16_MAX

struct fdb;

struct fdb_key {
	uint8_t mac[6];
	uint16_t vlan; /* 0 .. 4094; 0 = untagged domain-wide */
	uint16_t domain;
};

struct fdb_entry {
	struct fdb_key key;
	uint16_t port;
	bool is_static;
	uint32_t age; /* seconds since the station was last heard; 0 for static ones */
};

/* A station that was learned on another port than before; kept for the event stream. */
struct fdb_move {
	struct fdb_key key;
	uint16_t from;
	uint16_t to;
};

#define FDB_FLAPS_MAX 16    /* stations that are kept in mind */
#define FDB_FLAP_SECONDS 10 /* over which moves are counted */
#define FDB_FLAP_MOVES 3    /* of so many in that time it is said that a station flaps */

/* A station that moves to and fro. */
struct fdb_flap {
	struct fdb_move move; /* the last one */
	uint32_t moves;	      /* in the last FDB_FLAP_SECONDS; each second counts to 65,535 */
};

enum fdb_learned {
	FDB_KNOWN, /* nothing changed but, perhaps, the age */
	FDB_NEW,
	FDB_MOVED,
	FDB_REFUSED, /* the port's limit, a static entry elsewhere, no station's address */
};

/*
 * Returns NULL and sets errno when there is no memory. `seed` keys the hash, so that nobody can
 * choose addresses that collide. Default ageing time 300 s.
 */
struct fdb *fdb_create(uint64_t seed);
void fdb_destroy(struct fdb *fdb);

/* Worker. Port of the station, or FDB_NO_PORT when unknown or older than the ageing time. */
uint16_t fdb_lookup(const struct fdb *fdb, const struct fdb_key *key, uint32_t now);

/* Worker. Hint that `key` is looked up soon. */
void fdb_prefetch(const struct fdb *fdb, const struct fdb_key *key);

/*
 * Worker. The station was heard on `port`. `limit` bounds the port's learned entries (0 = none).
 * A full table evicts the oldest entry of the port that has most learned ones (its own first, if
 * others have as many), so a port that floods random source addresses harms only its own.
 * `Oldest` is exact for stations heard in one second only, and near it for others: see
 * fdb_store.h.
 */
enum fdb_learned
fdb_learn(struct fdb *fdb, const struct fdb_key *key, uint16_t port, uint32_t limit, uint32_t now);

/*
 * Control. Static entries are never aged, moved or evicted; one that exists, or a learned one, is
 * replaced. 0; -EINVAL for a group address, the address of zeros, or no such port id; -ENOSPC when
 * all entries are static.
 */
int fdb_add_static(struct fdb *fdb, const struct fdb_key *key, uint16_t port);

/* Control. Deletes a static or learned entry; -ENOENT. */
int fdb_delete(struct fdb *fdb, const struct fdb_key *key);

/*
 * Control. Deletes the learned entries of `port`, or of all with FDB_NO_PORT; with `statics` the
 * static ones too (a port that goes away). Returns how many.
 */
uint32_t fdb_flush(struct fdb *fdb, uint16_t port, bool statics);

/* Control. Frees a bounded number of entries that are too old; call it about once a second. */
void fdb_sweep(struct fdb *fdb, uint32_t now);

void fdb_set_ageing(struct fdb *fdb, uint32_t seconds);
uint32_t fdb_ageing(const struct fdb *fdb);
uint32_t fdb_count(const struct fdb *fdb);
uint32_t fdb_count_static(const struct fdb *fdb);
uint32_t fdb_count_port(const struct fdb *fdb, uint16_t port); /* learned ones */

/*
 * Control. Copies entries to `out` (room for `max`), of `port` or of all with FDB_NO_PORT, in no
 * order; returns how many. Expired entries are left out; a station that is there all the while is
 * there once. Nothing is added meanwhile (about a millisecond): fdb_learn refuses new stations.
 */
uint32_t
fdb_list(struct fdb *fdb, uint16_t port, uint32_t now, struct fdb_entry *out, uint32_t max);

/*
 * Control. Takes up to `max` moves out of the record, oldest first. The record is bounded; moves
 * that found it full are lost to the event stream (and only to it): `*lost` says how many since
 * the last call.
 */
uint32_t fdb_take_moves(struct fdb *fdb, struct fdb_move *out, uint32_t max, uint64_t *lost);

/* Control. The stations that flap, in no order, at most FDB_FLAPS_MAX; returns how many. */
uint32_t fdb_list_flaps(struct fdb *fdb, uint32_t now, struct fdb_flap *out, uint32_t max);

#endif
