/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entries of the forwarding database. Each is in the hash table (fdb_table.h) and on a list of its port
 * (fdb_ports.h). The functions here keep both and the counts in step. Only fdb.c uses it; every function
 * declared here runs under fdb->lock.
 *
 * Eviction is fair between ports. The port that has most learned stations loses one; in a tie, the port
 * that is learning. This is a security feature, because a port that floods random addresses grows until it
 * has most stations, and from then on evicts only its own.
 *
 * Within the port eviction is FIFO with second chances. The station at the oldest end is evicted unless it
 * was heard in a later second than the one in which it was queued. Then it is queued anew, and the next one
 * is tried. After FDB_OLDEST_TRIES stations the one of them that was heard longest ago is evicted. So a
 * station that talks outlives silent ones, each refresh costs at most one step, and a flood of stations
 * that are never heard again is evicted exactly in the order in which they came.
 */
#ifndef VSWITCH_FDB_STORE_H
#define VSWITCH_FDB_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "fdb.h"
#include "fdb_flaps.h"
#include "fdb_ports.h"
#include "fdb_table.h"
#include "base/spinlock.h"

#define FDB_OLDEST_TRIES 8
#define FDB_MOVES_MAX 1024

struct fdb {
	/* Read by all threads; no worker writes these members. */
	struct fdb_table table;
	uint32_t ageing; /* seconds; writer: control thread */

	/* The rest is written under the lock. The counts are read without it. */
	struct spinlock lock __attribute__((aligned(64)));
	uint32_t count;
	uint32_t count_static;
	bool frozen;	   /* a list is being made, so nothing is added; writer: control thread */
	uint32_t sweep_at; /* the bucket where the next sweep begins; control thread only */
	uint32_t moves_first; /* index of the oldest in moves[] */
	uint32_t moves_n;
	uint64_t moves_lost;
	struct fdb_ports ports;
	struct fdb_move moves[FDB_MOVES_MAX];
	struct fdb_flaps flaps;
};

/*
 * Adds a station that has no entry, with an eviction when the table is full. 0; -ENOSPC when all entries are
 * static or fdb_table_reserve() finds no slot; -EBUSY while the database is frozen. After a failure
 * nothing has changed.
 */
int fdb_store_insert(struct fdb *fdb, const struct fdb_name *name, struct fdb_view view)
		REQUIRES(fdb->lock);

/* Moves the station of a slot to another port, or makes it static or learned, as `view` says. */
void fdb_store_relabel(struct fdb *fdb, uint32_t slot, struct fdb_view view) REQUIRES(fdb->lock);

/* Frees a used slot. */
void fdb_store_release(struct fdb *fdb, uint32_t slot) REQUIRES(fdb->lock);

/* The learned station of `port` to evict first, or FDB_NO_SLOT. */
uint32_t fdb_store_oldest(struct fdb *fdb, uint16_t port) REQUIRES(fdb->lock);

/*
 * Seconds since `heard`. Signed, so that a worker whose clock is a second behind gets -1, and so that
 * an ageing time over INT32_MAX means never.
 */
static inline int32_t
fdb_store_age(uint32_t heard, uint32_t now)
{
	return (int32_t)(now - heard);
}

/* Any thread. */
static inline bool
fdb_store_expired(const struct fdb *fdb, struct fdb_view view, uint32_t now)
{
	int32_t age = fdb_store_age(view.heard, now);

	return !(view.place & FDB_PLACE_STATIC) && age > 0 &&
			(uint32_t)age > __atomic_load_n(&fdb->ageing, __ATOMIC_RELAXED);
}

static inline struct fdb_view
fdb_store_view(const struct fdb *fdb, uint32_t slot)
{
	const struct fdb_slot *data = fdb_table_slot(&fdb->table, slot);
	struct fdb_view view = {
		.place = data->place,
		.heard = __atomic_load_n(&data->heard, __ATOMIC_RELAXED),
	};

	return view;
}

#endif
