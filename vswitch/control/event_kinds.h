/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kinds of events, and what each says, as tables of members (report.h). Used by events.c, which
 * tells them, and by what describes them. Control thread.
 */
#ifndef VSWITCH_EVENT_KINDS_H
#define VSWITCH_EVENT_KINDS_H

#include <stdint.h>

#include "report.h"
#include "text/text.h"

enum event_kind {
	EVENT_PORT_ADDED,
	EVENT_PORT_DELETED,
	EVENT_PORT_ATTACHED,
	EVENT_PORT_DETACHED,
	EVENT_PORT_FAULT,
	EVENT_MAC_MOVED,
	EVENT_KINDS
};

/* Their names in this order, as a list of words for parameters. */
#define EVENTS_WORDS "port.added|port.deleted|port.attached|port.detached|port.fault|mac.moved"

struct socket_peer;

/* What an event is about: what its kind's table takes, and `event` and `time`. */
struct event_told {
	const char *event;
	double time; /* seconds since 1970 */
	const char *port;
	const struct socket_peer *peer;
	const char *text;
	char mac[TEXT_MAC_SIZE];
	uint32_t vlan;
	const char *from, *to; /* ports */
};

struct event_info {
	const char *name;
	const char *meaning;	     /* a phrase without a full stop */
	struct report_object params; /* of a struct event_told; `event` and `time` come last */
};

extern const struct event_info event_infos[EVENT_KINDS];

#endif
