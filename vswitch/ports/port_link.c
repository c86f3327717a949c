/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was learned at a port ends with its link, for all kinds. A port reports its link when it changes
 * (port_kind.h), and port.c looks once a second. Control thread.
 */
#include "port_link.h"

#include <string.h>

#include "base/clock.h"
#include "switching/fdb.h"
#include "base/grace.h"
#include "port_kind.h"

static struct fdb *table;

void
port_link_init(struct fdb *fdb)
{
	table = fdb;
}

static bool
has_link(const struct port *port)
{
	return port->settings.enabled && port->ops->state(port) == PORT_UP;
}

/* Workers that learned from what they had taken before have ended their turns. */
static void
forget_stations(void *id)
{
	fdb_flush(table, (uint16_t)(uintptr_t)id, false);
}

void
port_link_changed(struct port *port)
{
	uint64_t now = clock_ns();

	if (has_link(port)) {
		port->link_lost_ns = 0;
		return;
	}
	if (port->link_lost_ns == 0)
		port->link_lost_ns = now;
	if (port->settings.enabled && now - port->link_lost_ns < port->ops->link_grace_ns)
		return;
	/* By number: the port may be deleted meanwhile. */
	if (fdb_count_port(table, port->id) > 0)
		grace_call(forget_stations, (void *)(uintptr_t)port->id);
}

void
port_announced(struct port *port, const uint8_t mac[6])
{
	struct fdb_key key = { 0 };

	if (port->deleting || !port->settings.enabled)
		return;
	/* Its guest may be about to start: it is known for as long as one that is about to come back. */
	if (port->link_lost_ns != 0)
		port->link_lost_ns = clock_ns();
	memcpy(key.mac, mac, sizeof(key.mac));
	fdb_learn(table, &key, port->id, port->settings.mac_limit, clock_seconds());
}
