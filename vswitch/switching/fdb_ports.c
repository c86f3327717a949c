/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of stations by port and age, and the port that has most stations; see fdb_ports.h. Called by
 * fdb.c, fdb_store.c and fdb_table.c under fdb->lock, on any thread.
 */
#include "fdb_ports.h"

#include <errno.h>
#include <stdlib.h>

int
fdb_ports_init(struct fdb_ports *ports)
{
	uint32_t i;

	ports->nodes = malloc(FDB_NODES * sizeof(*ports->nodes));
	if (ports->nodes == NULL)
		return -ENOMEM;
	for (i = 0; i < FDB_NODES; i++) {
		ports->nodes[i].older = i;
		ports->nodes[i].newer = i;
	}
	for (i = 0; i < PORTS_MAX; i++) {
		ports->counts[i] = 0;
		ports->heap[i] = (uint16_t)i;
		ports->place[i] = (uint16_t)i;
	}
	return 0;
}

void
fdb_ports_fini(struct fdb_ports *ports)
{
	free(ports->nodes);
}

static void
join(struct fdb_ports *ports, uint32_t older, uint32_t newer)
{
	ports->nodes[older].newer = newer;
	ports->nodes[newer].older = older;
}

void
fdb_ports_append(struct fdb_ports *ports, uint32_t list, uint32_t slot)
{
	join(ports, ports->nodes[list].older, slot);
	join(ports, slot, list);
}

void
fdb_ports_unlink(struct fdb_ports *ports, uint32_t slot)
{
	join(ports, ports->nodes[slot].older, ports->nodes[slot].newer);
}

void
fdb_ports_replace(struct fdb_ports *ports, uint32_t from, uint32_t to)
{
	join(ports, ports->nodes[from].older, to);
	join(ports, to, ports->nodes[from].newer);
}

void
fdb_ports_condemn(struct fdb_ports *ports, uint32_t list)
{
	struct fdb_node ends = ports->nodes[list];

	if (ends.newer == list)
		return;
	join(ports, ports->nodes[FDB_LIST_CONDEMNED].older, ends.newer);
	join(ports, ends.older, FDB_LIST_CONDEMNED);
	join(ports, list, list);
}

uint32_t
fdb_ports_oldest(const struct fdb_ports *ports, uint32_t list)
{
	uint32_t slot = ports->nodes[list].newer;

	return slot == list ? FDB_NO_SLOT : slot;
}

static void
place_in_heap(struct fdb_ports *ports, uint16_t at, uint16_t port)
{
	ports->heap[at] = port;
	ports->place[port] = at;
}

void
fdb_ports_gain(struct fdb_ports *ports, uint16_t port)
{
	uint32_t count = ports->counts[port] + 1;
	uint16_t at = ports->place[port];

	__atomic_store_n(&ports->counts[port], count, __ATOMIC_RELAXED);
	while (at > 0 && ports->counts[ports->heap[(at - 1) / 2]] < count) {
		place_in_heap(ports, at, ports->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	place_in_heap(ports, at, port);
}

/* Heap index of the child that has more stations, or 0 when there is no child. */
static uint16_t
fuller_child(const struct fdb_ports *ports, uint16_t at)
{
	uint16_t left = (uint16_t)(2 * at + 1);

	if (left >= PORTS_MAX)
		return 0;
	if (left + 1 < PORTS_MAX &&
			ports->counts[ports->heap[left + 1]] > ports->counts[ports->heap[left]])
		return (uint16_t)(left + 1);
	return left;
}

void
fdb_ports_lose(struct fdb_ports *ports, uint16_t port)
{
	uint32_t count = ports->counts[port] - 1;
	uint16_t at = ports->place[port];
	uint16_t child;

	__atomic_store_n(&ports->counts[port], count, __ATOMIC_RELAXED);
	while ((child = fuller_child(ports, at)) != 0 &&
			ports->counts[ports->heap[child]] > count) {
		place_in_heap(ports, at, ports->heap[child]);
		at = child;
	}
	place_in_heap(ports, at, port);
}

uint16_t
fdb_ports_fullest(const struct fdb_ports *ports, uint16_t port)
{
	uint16_t top = ports->heap[0];

	if (port < PORTS_MAX && ports->counts[port] == ports->counts[top])
		return port;
	return top;
}
