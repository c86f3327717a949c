/* SPDX-License-Identifier: BSD-3-Clause */
/* See events.h. */
#include "events.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include <event2/event.h>

#include "control.h"
#include "switching/fdb.h"
#include "jsonrpc/jsonrpc.h"
#include "base/log.h"
#include "port_report.h"
#include "text/text.h"

#define MOVES_AT_ONCE 256
#define MOVES_PERIOD_US 100000

static const char *const names[EVENT_KINDS] = {
	[EVENT_PORT_ADDED] = "port.added",
	[EVENT_PORT_DELETED] = "port.deleted",
	[EVENT_PORT_ATTACHED] = "port.attached",
	[EVENT_PORT_DETACHED] = "port.detached",
	[EVENT_PORT_FAULT] = "port.fault",
	[EVENT_MAC_MOVED] = "mac.moved",
};

static struct log_bucket told = LOG_BUCKET("events");
static struct fdb *moves_fdb;
static struct event *moves_timer; /* runs while somebody has subscribed to moves */

static double
unix_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Takes `params` over, adds what all events have, and sends it to whoever subscribed. */
static void
publish(enum event_kind kind, json_t *params)
{
	json_object_set_new(params, "event", json_string(names[kind]));
	json_object_set_new(params, "time", json_real(unix_time()));
	control_publish(kind, jsonrpc_notification("event", params));
}

static void
publish_port(enum event_kind kind, const char *port, const char *key, json_t *value)
{
	json_t *params;

	if (!control_subscribed(kind)) {
		json_decref(value);
		return;
	}
	params = json_pack("{s:s}", "port", port);
	if (value != NULL)
		json_object_set_new(params, key, value);
	publish(kind, params);
}

static void
on_added(struct port *port)
{
	publish_port(EVENT_PORT_ADDED, port_name(port), NULL, NULL);
}

static void
on_deleted(const char *name)
{
	publish_port(EVENT_PORT_DELETED, name, NULL, NULL);
}

static void
on_attached(struct port *port, const struct socket_peer *peer)
{
	publish_port(EVENT_PORT_ATTACHED, port_name(port), "peer", port_report_peer(peer));
}

static void
on_detached(struct port *port)
{
	publish_port(EVENT_PORT_DETACHED, port_name(port), NULL, NULL);
}

static void
on_fault(struct port *port, const char *text)
{
	publish_port(EVENT_PORT_FAULT, port_name(port), "text", jsonrpc_text(text));
}

const struct port_listener events_port_listener = {
	.added = on_added,
	.deleted = on_deleted,
	.attached = on_attached,
	.detached = on_detached,
	.fault = on_fault,
};

static void
publish_move(const struct fdb_move *move)
{
	const struct port *from = port_by_id(move->from);
	const struct port *to = port_by_id(move->to);
	char mac[TEXT_MAC_SIZE];

	/* a port that is gone took the station's entry with it: there is nothing to tell */
	if (from == NULL || to == NULL)
		return;
	publish(EVENT_MAC_MOVED,
			json_pack("{s:s, s:i, s:s, s:s}", "mac",
					text_format_mac(move->key.mac, mac), "vlan",
					(int)move->key.vlan, "from", port_name(from), "to",
					port_name(to)));
}

/* Tells what has moved; `silent`: only forgets it. */
static void
take_moves(bool silent)
{
	struct fdb_move moves[MOVES_AT_ONCE];
	uint64_t lost = 0;
	uint32_t n, i;

	do {
		n = fdb_take_moves(moves_fdb, moves, MOVES_AT_ONCE, &lost);
		for (i = 0; i < n && !silent; i++)
			publish_move(&moves[i]);
	} while (n == MOVES_AT_ONCE && silent);
	if (lost > 0 && !silent)
		log_from(&told, LOG_LEVEL_WARNING,
				"%llu moves of stations came too fast to be told as events",
				(unsigned long long)lost);
}

static void
on_moves_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	take_moves(false);
	if (!control_subscribed(EVENT_MAC_MOVED))
		event_del(moves_timer);
}

int
events_start(struct event_base *base, struct fdb *fdb)
{
	moves_fdb = fdb;
	moves_timer = event_new(base, -1, EV_PERSIST, on_moves_timer, NULL);
	return moves_timer != NULL ? 0 : -ENOMEM;
}

void
events_watch(uint32_t kinds)
{
	const struct timeval period = { .tv_usec = MOVES_PERIOD_US };

	if ((kinds >> EVENT_MAC_MOVED & 1) == 0 || event_pending(moves_timer, EV_TIMEOUT, NULL))
		return;
	/* what moved before somebody asked is no news */
	take_moves(true);
	event_add(moves_timer, &period);
}

void
events_stop(void)
{
	if (moves_timer != NULL)
		event_free(moves_timer);
	moves_timer = NULL;
}
