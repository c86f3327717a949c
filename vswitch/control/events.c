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
#include "text/text.h"

#define MOVES_AT_ONCE 256
#define MOVES_PERIOD_US 100000

static struct log_bucket log_events = LOG_BUCKET("events");
static struct fdb *moves_fdb;
static struct event *moves_timer; /* runs while somebody has subscribed to moves */

static double
unix_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sends it to whoever has subscribed. */
static void
publish(enum event_kind kind, struct event_told *told)
{
	const struct event_info *info = &event_infos[kind];
	json_t *params;

	if (!control_subscribed(kind))
		return;
	told->event = info->name;
	told->time = unix_time();
	params = report_make(&info->params, told);
	control_publish(kind, params != NULL ? jsonrpc_notification("event", params) : NULL);
}

static void
on_added(struct port *port)
{
	publish(EVENT_PORT_ADDED, &(struct event_told){ .port = port_name(port) });
}

static void
on_deleted(const char *name)
{
	publish(EVENT_PORT_DELETED, &(struct event_told){ .port = name });
}

static void
on_attached(struct port *port, const struct socket_peer *peer)
{
	publish(EVENT_PORT_ATTACHED, &(struct event_told){ .port = port_name(port), .peer = peer });
}

static void
on_detached(struct port *port)
{
	publish(EVENT_PORT_DETACHED, &(struct event_told){ .port = port_name(port) });
}

static void
on_fault(struct port *port, const char *text)
{
	publish(EVENT_PORT_FAULT, &(struct event_told){ .port = port_name(port), .text = text });
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
	struct event_told told = { .vlan = move->key.vlan };

	/* a port that is gone took the station's entry with it: there is nothing to tell */
	if (from == NULL || to == NULL)
		return;
	told.from = port_name(from);
	told.to = port_name(to);
	(void)text_format_mac(move->key.mac, told.mac);
	publish(EVENT_MAC_MOVED, &told);
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
		log_from(&log_events, LOG_LEVEL_WARNING,
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
