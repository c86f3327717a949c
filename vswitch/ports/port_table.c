/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of ports: by name, in the order of names, and by id; and the workers' view of it. A port
 * is in it from before its start until nobody knows it any more, and is seen only in between.
 */
#include "port_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switching/forward.h"
#include "worker/worker.h"

#include "base/thread_role.h"

static struct {
	TAILQ_HEAD(, port) ports;
	struct port *by_id[PORTS_MAX];
} table = { .ports = TAILQ_HEAD_INITIALIZER(table.ports) };

/* Ports that are not there yet, or no more, are seen by nobody. */
static bool
is_visible(const struct port *port)
{
	return (!port->starting || port->awaits) && !port->deleting;
}

struct port *
port_table_find(const char *name)
{
	struct port *port;

	TAILQ_FOREACH (port, &table.ports, link)
		if (strcmp(port->name, name) == 0)
			return port;
	return NULL;
}

int
port_table_free_id(void)
{
	for (int id = 0; id < PORTS_MAX; id++)
		if (table.by_id[id] == NULL)
			return id;
	return -ENOSPC;
}

static void
insert_sorted(struct port *port)
{
	struct port *other;

	TAILQ_FOREACH (other, &table.ports, link) {
		if (strcmp(other->name, port->name) > 0) {
			TAILQ_INSERT_BEFORE(other, port, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&table.ports, port, link);
}

void
port_table_enter(struct port *port)
{
	insert_sorted(port);
	table.by_id[port->id] = port;
}

bool
port_table_leave(struct port *port)
{
	TAILQ_REMOVE(&table.ports, port, link);
	table.by_id[port->id] = NULL;
	return TAILQ_EMPTY(&table.ports);
}

struct port *
port_table_first(void)
{
	return TAILQ_FIRST(&table.ports);
}

/* Of the port's own limit and the one that its peer named the smaller. */
static uint32_t
effective_mtu(const struct port *port)
{
	if (port->peer_mtu != 0 && port->peer_mtu < port->settings.mtu)
		return port->peer_mtu;
	return port->settings.mtu;
}

static uint32_t
count_sinks(void)
{
	const struct port *port;
	uint32_t n = 0;

	TAILQ_FOREACH (port, &table.ports, link)
		n += port->n_sinks;
	return n;
}

int
port_table_publish(void)
{
	struct forward_table *forward = forward_table_create(1, count_sinks());
	struct flood_group *everybody = flood_group_create(PORTS_MAX);
	struct port *port;

	ASSERT_ON(THREAD_CONTROL);
	if (forward == NULL || everybody == NULL) {
		free(forward);
		free(everybody);
		return -ENOMEM;
	}
	(void)forward_table_add_group(forward, everybody); /* number 0, as every port has it */
	TAILQ_FOREACH (port, &table.ports, link) {
		struct forward_port *view = &forward->ports[port->id];

		view->awaits = port->awaits;
		if (!is_visible(port) || port->awaits)
			continue;
		forward_table_set_sinks(forward, port->id, port->sinks, port->n_sinks);
		view->max_frame = effective_mtu(port) + FRAME_OVERHEAD;
		view->mac_limit = port->settings.mac_limit;
		view->enabled = port->settings.enabled;
		if (view->enabled)
			everybody->ports[everybody->n++] = port->id;
	}
	worker_publish_table(forward);
	return 0;
}

struct port *
port_find(const char *name)
{
	struct port *port = port_table_find(name);

	ASSERT_ON(THREAD_CONTROL);
	return port != NULL && is_visible(port) ? port : NULL;
}

struct port *
port_by_id(uint16_t id)
{
	ASSERT_ON(THREAD_CONTROL);
	return id < PORTS_MAX ? table.by_id[id] : NULL;
}

uint32_t
port_count(void)
{
	const struct port *port;
	uint32_t n = 0;

	ASSERT_ON(THREAD_CONTROL);
	for (port = port_first(); port != NULL; port = port_next(port))
		n++;
	return n;
}

static struct port *
skip_invisible(struct port *port)
{
	while (port != NULL && !is_visible(port))
		port = TAILQ_NEXT(port, link);
	return port;
}

struct port *
port_first(void)
{
	ASSERT_ON(THREAD_CONTROL);
	return skip_invisible(TAILQ_FIRST(&table.ports));
}

struct port *
port_next(const struct port *port)
{
	ASSERT_ON(THREAD_CONTROL);
	return skip_invisible(TAILQ_NEXT(port, link));
}

struct port *
port_after(const char *name)
{
	struct port *port = port_first();

	ASSERT_ON(THREAD_CONTROL);
	while (port != NULL && strcmp(port->name, name) <= 0)
		port = port_next(port);
	return port;
}
