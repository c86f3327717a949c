/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entries of the forwarding database as a whole: each stands in the hash table (fdb_table.h)
 * and on a list of its port (fdb_ports.h), and these changes keep the two and the counts in step.
 * Only fdb.c uses it; every function declared here runs under fdb->lock.
 *
 * Who is evicted. The port that has most learned stations loses one; among ports that have equally
 * many, the one that is learning. So a port that floods random addresses grows until it has most,
 * and from then on evicts its own. Within the port the order is that of coming, with second
 * chances: the station at the oldest end goes, unless it was heard in a later second than the one
 * it was queued in; then it is queued anew, and after FDB_OLDEST_TRIES of those the one of them
 * that was heard longest ago goes. So a station that talks outlives silent ones, each refresh
 * pays for at most one step, and a flood of stations that are never heard again is evicted exactly
 * in the order of coming.
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
	/* Read by all; no worker writes here. */
	struct fdb_table table;
	uint32_t ageing; /* seconds; control thread */

	/* The rest is written under the lock; the counts are read without it. */
	struct spinlock lock __attribute__((aligned(64)));
	uint32_t count;
	uint32_t count_static;
	bool frozen;	      /* a list is being taken: nothing is added; control thread */
	uint32_t sweep_at;    /* bucket that the next sweep begins with; control thread alone */
	uint32_t moves_first; /* oldest in moves[] */
	uint32_t moves_n;
	uint64_t moves_lost;
	struct fdb_ports ports;
	struct fdb_move moves[FDB_MOVES_MAX];
	struct fdb_flaps flaps;
};

/*
 * Adds a station that is not there, with an eviction when the table is full. 0, or -ENOSPC when
 * all entries are static or fdb_table_reserve finds no slot, or -EBUSY while the database is
 * frozen; then nothing has changed.
 */
int fdb_store_insert(struct fdb *fdb, const struct fdb_name *name, struct fdb_view view)
		REQUIRES(fdb->lock);

/* Puts the station of a slot behind another port, or makes it static. */
void fdb_store_relabel(struct fdb *fdb, uint32_t slot, struct fdb_view view) REQUIRES(fdb->lock);

/* Frees a used slot. */
void fdb_store_release(struct fdb *fdb, uint32_t slot) REQUIRES(fdb->lock);

/* The learned station of `port` to evict first, or FDB_NO_SLOT. */
uint32_t fdb_store_oldest(struct fdb *fdb, uint16_t port) REQUIRES(fdb->lock);

/*
 * Seconds since `heard`. Signed, so that a worker whose clock is a second behind sees -1, and so
 * that an ageing time over INT32_MAX means never.
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
