/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which stations move to and fro between ports, because of a loop, or because two stations have the same
 * address. A short record: a new station replaces the one that moved longest ago.
 *
 * Only fdb.c uses it. Every function declared here runs under fdb->lock.
 */
#ifndef VSWITCH_FDB_FLAPS_H
#define VSWITCH_FDB_FLAPS_H

#include <stdint.h>

#include "fdb.h"

struct fdb_mover {
	struct fdb_move move;		  /* the last one */
	uint32_t at;			  /* the second of that move */
	uint16_t moves[FDB_FLAP_SECONDS]; /* number of moves in second n, at index n % FDB_FLAP_SECONDS */
	bool used;
};

struct fdb_flaps {
	struct fdb_mover movers[FDB_FLAPS_MAX];
};

/* Records that a station has moved in the second `now`. */
void fdb_flaps_note(struct fdb_flaps *flaps, const struct fdb_move *move, uint32_t now);

/* Forgets the stations that last moved to or from `port`, because the port goes away. */
void fdb_flaps_forget(struct fdb_flaps *flaps, uint16_t port);

/* See fdb_list_flaps(). */
uint32_t fdb_flaps_list(struct fdb_flaps *flaps, uint32_t now, struct fdb_flap *out, uint32_t max);

#endif
