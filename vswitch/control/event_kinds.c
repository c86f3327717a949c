/* SPDX-License-Identifier: BSD-3-Clause */
/* See event_kinds.h. */
#include "event_kinds.h"

#include "report_port.h"

static json_t *
get_peer(const void *subject)
{
	return report_port_peer(((const struct event_told *)subject)->peer);
}

/* clang-format off */
#define PORT { REPORT_VALUE("port", struct event_told, port), .meaning = "which port" }
#define EVENT_AND_TIME(name_of_it)                                                                 \
	{ REPORT_VALUE("event", struct event_told, event), .words = (name_of_it),                  \
	  .meaning = "what happened" },                                                            \
	{ REPORT_VALUE("time", struct event_told, time), .meaning = "seconds since 1970" }

static const struct report_field added[] = { PORT, EVENT_AND_TIME("port.added") };
static const struct report_field deleted[] = { PORT, EVENT_AND_TIME("port.deleted") };
static const struct report_field attached[] = {
	PORT,
	{ REPORT_GET("peer", REPORT_OBJECT, get_peer), .object = &report_port_frontend,
	  .meaning = "the frontend" },
	EVENT_AND_TIME("port.attached"),
};
static const struct report_field detached[] = { PORT, EVENT_AND_TIME("port.detached") };
static const struct report_field fault[] = {
	PORT,
	{ REPORT_VALUE("text", struct event_told, text), .meaning = "which rule was broken" },
	EVENT_AND_TIME("port.fault"),
};
static const struct report_field moved[] = {
	{ REPORT_VALUE("mac", struct event_told, mac), .meaning = "which station" },
	{ REPORT_VALUE("vlan", struct event_told, vlan), .meaning = "in which VLAN; 0 is untagged" },
	{ REPORT_VALUE("from", struct event_told, from), .meaning = "the port where it was" },
	{ REPORT_VALUE("to", struct event_told, to), .meaning = "the port where it is" },
	EVENT_AND_TIME("mac.moved"),
};

const struct event_info event_infos[EVENT_KINDS] = {
	[EVENT_PORT_ADDED] = { "port.added", "a port was added", { REPORT_FIELDS(added) } },
	[EVENT_PORT_DELETED] = { "port.deleted", "a port is gone", { REPORT_FIELDS(deleted) } },
	[EVENT_PORT_ATTACHED] = { "port.attached", "a frontend is there", { REPORT_FIELDS(attached) } },
	[EVENT_PORT_DETACHED] = { "port.detached", "the frontend is gone", { REPORT_FIELDS(detached) } },
	[EVENT_PORT_FAULT] = { "port.fault", "the frontend broke a rule", { REPORT_FIELDS(fault) } },
	[EVENT_MAC_MOVED] = { "mac.moved", "a station was heard on another port than before",
			      { REPORT_FIELDS(moved) } },
};
/* clang-format on */
