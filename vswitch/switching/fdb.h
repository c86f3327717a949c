/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The forwarding database: which station (MAC address, in a VLAN of a domain) is behind which
 * port (IEEE 802.1Q, 8.8). 65,536 entries.
 *
 * Threads: any worker looks up and learns. Lookups, and refreshing the age of an entry, take no lock.
 * Changes (new station, moved station, eviction) take one spinlock. The control thread adds, deletes,
 * flushes, lists and sweeps under the same lock, in bounded pieces. Knows neither DPDK nor libevent.
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
	uint32_t age; /* seconds since the station was last heard; 0 for static entries */
};

/* A station was learned on another port than before; recorded for the event stream. */
struct fdb_move {
	struct fdb_key key;
	uint16_t from;
	uint16_t to;
};

#define FDB_FLAPS_MAX 16    /* stations whose moves are counted */
#define FDB_FLAP_SECONDS 10 /* the time over which moves are counted */
#define FDB_FLAP_MOVES 3    /* a station with so many moves in that time flaps */

/* A station that moves to and fro between ports. */
struct fdb_flap {
	struct fdb_move move; /* the last one */
	uint32_t moves;	      /* in the last FDB_FLAP_SECONDS; each second counts to 65,535 */
};

enum fdb_learned {
	FDB_KNOWN, /* at most the age has changed */
	FDB_NEW,
	FDB_MOVED,
	FDB_REFUSED, /* by the port's limit, a static entry elsewhere, or not a station's address */
};

/*
 * NULL with errno when there is no memory. `seed` keys the hash, so that nobody can choose addresses
 * that collide. The ageing time is 300 s at first.
 */
struct fdb *fdb_create(uint64_t seed);
void fdb_destroy(struct fdb *fdb);

/* Worker. The station's port, or FDB_NO_PORT when it is unknown or older than the ageing time. */
uint16_t fdb_lookup(const struct fdb *fdb, const struct fdb_key *key, uint32_t now);

/* Worker. Prefetches for a lookup of `key` that follows soon. */
void fdb_prefetch(const struct fdb *fdb, const struct fdb_key *key);

/*
 * Worker. The station was heard on `port`. `limit` bounds the port's learned entries (0: no limit).
 * A full table evicts the oldest entry of the port that has most learned entries, and of `port` itself in
 * a tie. So a port that floods random source addresses harms only its own entries. "Oldest" is exact for
 * stations that were heard in one second only, and nearly so for others: see fdb_store.h.
 */
enum fdb_learned
fdb_learn(struct fdb *fdb, const struct fdb_key *key, uint16_t port, uint32_t limit, uint32_t now);

/*
 * Control. Adds a static entry, which is never aged, moved or evicted; replaces the station's entry if it
 * has one. 0; -EINVAL for a group address, the address of zeros, or no such port id; -ENOSPC when all
 * entries are static.
 */
int fdb_add_static(struct fdb *fdb, const struct fdb_key *key, uint16_t port);

/* Control. Deletes a static or learned entry; -ENOENT. */
int fdb_delete(struct fdb *fdb, const struct fdb_key *key);

/*
 * Control. Deletes the learned entries of `port`, or of all ports with FDB_NO_PORT. `statics`: the static
 * entries, too (the port goes away). Returns how many.
 */
uint32_t fdb_flush(struct fdb *fdb, uint16_t port, bool statics);

/* Control. Frees a bounded number of expired entries; call it about once a second. */
void fdb_sweep(struct fdb *fdb, uint32_t now);

void fdb_set_ageing(struct fdb *fdb, uint32_t seconds);
uint32_t fdb_ageing(const struct fdb *fdb);
uint32_t fdb_count(const struct fdb *fdb);
uint32_t fdb_count_static(const struct fdb *fdb);
uint32_t fdb_count_port(const struct fdb *fdb, uint16_t port); /* learned entries only */

/*
 * Control. Copies entries of `port`, or of all ports with FDB_NO_PORT, to `out` (room for `max`), in no
 * order; returns how many. Leaves out expired entries. A station that is known all the while appears once.
 * Meanwhile (about a millisecond) fdb_learn() refuses new stations.
 */
uint32_t
fdb_list(struct fdb *fdb, uint16_t port, uint32_t now, struct fdb_entry *out, uint32_t max);

/*
 * Control. Takes up to `max` moves out of the record, oldest first; returns how many. The record is
 * bounded. Moves that found it full are missing from the event stream, and nowhere else: `*lost` is how
 * many since the last call.
 */
uint32_t fdb_take_moves(struct fdb *fdb, struct fdb_move *out, uint32_t max, uint64_t *lost);

/* Control. The stations that flap, in no order, at most FDB_FLAPS_MAX; returns how many. */
uint32_t fdb_list_flaps(struct fdb *fdb, uint32_t now, struct fdb_flap *out, uint32_t max);

#endif
