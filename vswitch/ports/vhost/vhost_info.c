/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be asked of a vhost-user port: the answers to port_info.c's questions, from the gate, the
 * session and the rings. Control thread only.
 */
#include "vhost_port.h"

#include <stdio.h>

#include "datapath/account.h"
#include "base/clock.h"

enum port_state
vhost_info_state(const struct port *base)
{
	const struct vhost_port *port = vhost_port(base);

	if (port->gate == NULL || gate_peer(port->gate) == NULL)
		return port->faulty ? PORT_FAULT : PORT_WAITING;
	if (port->vrings[VRING_RECEIVEQ] != NULL && port->vrings[VRING_TRANSMITQ] != NULL)
		return PORT_UP;
	if (session_stopped(gate_session(port->gate)))
		return PORT_STOPPED;
	return PORT_NEGOTIATING;
}

static void
waiting_text(const struct vhost_port *port, char *text, size_t size)
{
	if (port->base.settings.connect[0] != '\0' && port->gate != NULL)
		gate_connect_state(port->gate, text, size);
	else if (port->gate == NULL || !gate_listen_trouble(port->gate, text, size))
		snprintf(text, size, "waiting for a frontend on %s", port->base.path);
}

static void
negotiating_text(const struct vhost_port *port, char *text, size_t size)
{
	const char *refusal = gate_refusal(port->gate);
	char missing[PORT_TEXT_MAX];

	session_missing(gate_session(port->gate), missing, sizeof(missing));
	if (missing[0] == '\0')
		snprintf(missing, sizeof(missing), "the rings are being started");
	snprintf(text, size, "negotiating: %s%s%s", missing,
			refusal[0] != '\0' ? "; refused: " : "", refusal);
}

/* By what the workers have seen: a look at the ring could wait for the frontend's memory. */
static bool
is_unfilled(const struct vhost_port *port)
{
	bool unfilled = false;

	for (uint32_t i = 0; i < PORT_VRING_PAIRS; i++)
		unfilled |= __atomic_load_n(&port->pairs[i].sink.unfilled, __ATOMIC_RELAXED);
	return unfilled;
}

/* Up, and what is held against the port all the same. */
static void
up_text(const struct vhost_port *port, char *text, size_t size)
{
	char rest[PORT_TEXT_MAX] = "", refused[PORT_TEXT_MAX];
	struct account_info info;

	account_info(port->base.id, &info);
	memory_growth_text(&port->growth, clock_ns(), refused, sizeof(refused));
	if (info.rest_s > 0)
		snprintf(rest, sizeof(rest),
				"; left alone for %.1f s, because its memory or its calls took "
				"too much of the switch's time",
				info.rest_s);
	snprintf(text, size, "up%s%s%s%s", rest, refused[0] != '\0' ? "; " : "", refused,
			is_unfilled(port) ? "; its driver gave no buffers yet: frames for it are "
					    "dropped (ring-full)"
					  : "");
}

/* What keeps the next frontend waiting; "" when nothing does. */
static void
rest_text(const struct vhost_port *port, char *text, size_t size)
{
	uint32_t ms = port->gate != NULL ? gate_rest_ms(port->gate) : 0;

	if (ms == 0)
		text[0] = '\0';
	else
		snprintf(text, size,
				"; after %u faults in a row the next frontend is admitted in %.1f s",
				gate_rest_faults(port->gate), ms / 1000.0);
}

void
vhost_info_state_text(const struct port *base, char *text, size_t size)
{
	const struct vhost_port *port = vhost_port(base);
	char rest[PORT_TEXT_MAX];

	switch (vhost_info_state(base)) {
	case PORT_WAITING:
		waiting_text(port, text, size);
		break;
	case PORT_NEGOTIATING:
		negotiating_text(port, text, size);
		break;
	case PORT_UP:
		up_text(port, text, size);
		break;
	case PORT_STOPPED:
		snprintf(text, size, "stopped by frontend");
		break;
	case PORT_FAULT:
		rest_text(port, rest, sizeof(rest));
		snprintf(text, size, "fault: %s%s", base->fault.text, rest);
		break;
	case PORT_DOWN: /* of other kinds */
		break;
	}
}

const struct socket_peer *
vhost_info_peer(const struct port *base)
{
	const struct vhost_port *port = vhost_port(base);

	return port->gate != NULL ? gate_peer(port->gate) : NULL;
}

const struct session *
vhost_info_session(const struct port *base)
{
	const struct vhost_port *port = vhost_port(base);

	return vhost_info_peer(base) != NULL ? gate_session(port->gate) : NULL;
}

bool
vhost_info_vring(const struct port *base, uint32_t index, struct port_vring_info *info)
{
	struct vhost_port *port = vhost_port(base);
	const struct vring_cursor *cursor;

	if (index >= PORT_VRINGS || vhost_info_peer(base) == NULL)
		return false;
	cursor = vhost_rings_cursor(port, index);
	info->running = port->vrings[index] != NULL;
	info->avail_idx = __atomic_load_n(&cursor->avail, __ATOMIC_RELAXED);
	info->used_idx = __atomic_load_n(&cursor->used, __ATOMIC_RELAXED);
	return true;
}

uint64_t
vhost_info_rejected(const struct port *base)
{
	const struct vhost_port *port = vhost_port(base);

	return port->gate != NULL ? gate_rejected(port->gate) : 0;
}
