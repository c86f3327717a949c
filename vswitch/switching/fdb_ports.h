/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose stations the forwarding database holds, and in what order they came: what eviction, the
 * limit of a port and a flush need. Only fdb.c and fdb_table.c use it, under the lock of fdb.c.
 *
 * Every used slot is on one list: of the learned stations of its port, oldest first; of the
 * static ones of its port; or of those that a flush has condemned. The lists are circular, each
 * with a node of its own after those of the slots, so that a slot is taken off without knowing
 * which list it is on. A heap keeps the port with most learned stations on top.
 */
#ifndef VSWITCH_FDB_PORTS_H
#define VSWITCH_FDB_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "fdb_table.h"
#include "base/switch_limits.h"

#define FDB_LIST_LEARNED(port) (FDB_SLOTS + (uint32_t)(port))
#define FDB_LIST_STATIC(port) (FDB_SLOTS + PORTS_MAX + (uint32_t)(port))
#define FDB_LIST_CONDEMNED (FDB_SLOTS + 2 * PORTS_MAX)
#define FDB_NODES (FDB_LIST_CONDEMNED + 1)

#define FDB_NO_SLOT UINT32_MAX

struct fdb_node {
	uint32_t older;
	uint32_t newer;
};

struct fdb_ports {
	struct fdb_node *nodes;
	uint32_t counts[PORTS_MAX]; /* learned stations; lock holder, read by any thread */
	uint16_t heap[PORTS_MAX];   /* ports; none has more stations than its parent */
	uint16_t place[PORTS_MAX];  /* of a port in the heap */
};

/* 0 or -ENOMEM. */
int fdb_ports_init(struct fdb_ports *ports);
void fdb_ports_fini(struct fdb_ports *ports);

/* Puts a slot at the newest end of a list. */
void fdb_ports_append(struct fdb_ports *ports, uint32_t list, uint32_t slot);

/* Takes a slot off its list. */
void fdb_ports_unlink(struct fdb_ports *ports, uint32_t slot);

/* The station in slot `from` has gone to slot `to`. */
void fdb_ports_replace(struct fdb_ports *ports, uint32_t from, uint32_t to);

/* Puts all of `list` at the newest end of the condemned list. */
void fdb_ports_condemn(struct fdb_ports *ports, uint32_t list);

/* The slot at the oldest end of a list, or FDB_NO_SLOT. */
uint32_t fdb_ports_oldest(const struct fdb_ports *ports, uint32_t list);

/* One learned station more, or less, at `port`. */
void fdb_ports_gain(struct fdb_ports *ports, uint16_t port);
void fdb_ports_lose(struct fdb_ports *ports, uint16_t port);

/* A port that has as many learned stations as any; `port` itself if it is one of those. */
uint16_t fdb_ports_fattest(const struct fdb_ports *ports, uint16_t port);

#endif
