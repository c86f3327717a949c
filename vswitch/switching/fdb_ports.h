/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which stations each port has, and in what order they came. Eviction, a port's limit and a flush need
 * it. Only fdb.c, fdb_store.c and fdb_table.c use it, under fdb->lock.
 *
 * Every used slot is on one of these lists:
 *
 *   - the learned stations of its port, oldest first
 *   - the static stations of its port
 *   - the stations that a flush has condemned
 *
 * The lists are circular. Each has a node of its own, after those of the slots, so that a slot is unlinked
 * without knowing its list. A heap keeps the port with most learned stations on top.
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
	uint32_t counts[PORTS_MAX]; /* learned stations; writer: lock holder; read by any thread */
	uint16_t heap[PORTS_MAX];   /* ports; none has more stations than its parent */
	uint16_t place[PORTS_MAX];  /* index of a port in heap[] */
};

/* 0 or -ENOMEM. */
int fdb_ports_init(struct fdb_ports *ports);
void fdb_ports_fini(struct fdb_ports *ports);

/* Puts a slot at the newest end of a list. */
void fdb_ports_append(struct fdb_ports *ports, uint32_t list, uint32_t slot);

/* Takes a slot off its list. */
void fdb_ports_unlink(struct fdb_ports *ports, uint32_t slot);

/* The station in slot `from` has moved to slot `to`, which takes its position in the list. */
void fdb_ports_replace(struct fdb_ports *ports, uint32_t from, uint32_t to);

/* Moves all slots of `list` to the newest end of the condemned list. */
void fdb_ports_condemn(struct fdb_ports *ports, uint32_t list);

/* The slot at the oldest end of a list, or FDB_NO_SLOT. */
uint32_t fdb_ports_oldest(const struct fdb_ports *ports, uint32_t list);

/* Count one learned station more, or one less, at `port`. */
void fdb_ports_gain(struct fdb_ports *ports, uint16_t port);
void fdb_ports_lose(struct fdb_ports *ports, uint16_t port);

/* The port that has most learned stations; `port` itself in a tie. */
uint16_t fdb_ports_fullest(const struct fdb_ports *ports, uint16_t port);

#endif
