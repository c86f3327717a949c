/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which stations move to and fro between ports: a loop, or an address that two stations have. A
 * short record, in which the station that moved longest ago makes room for a new one.
 *
 * Only fdb.c uses it; every function declared here runs under fdb->lock.
 */
#ifndef VSWITCH_FDB_FLAPS_H
#define VSWITCH_FDB_FLAPS_H

#include <stdint.h>

#include "fdb.h"

struct fdb_mover {
	struct fdb_move move;		  /* the last one */
	uint32_t at;			  /* its second */
	uint16_t moves[FDB_FLAP_SECONDS]; /* in each second; that of a second n stands at n modulo size */
	bool used;
};

struct fdb_flaps {
	struct fdb_mover movers[FDB_FLAPS_MAX];
};

/* A station has moved, in the second `now`. */
void fdb_flaps_note(struct fdb_flaps *flaps, const struct fdb_move *move, uint32_t now);

/* Forgets the stations that moved to or from a port, which goes away. */
void fdb_flaps_forget(struct fdb_flaps *flaps, uint16_t port);

/* See fdb_list_flaps(). */
uint32_t fdb_flaps_list(struct fdb_flaps *flaps, uint32_t now, struct fdb_flap *out, uint32_t max);

#endif
