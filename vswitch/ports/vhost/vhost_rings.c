/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting and stopping the rings of a vhost-user port: the mechanics of the rule that stands at
 * the head of vhost_port.c. Control thread only.
 */
#include "vhost_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_cycles.h>

#include "rings/caller.h"
#include "base/grace.h"
#include "base/log.h"
#include "base/tsc.h"
#include "worker/worker.h"

struct vring_cursor *
vhost_rings_cursor(struct vhost_port *port, uint32_t index)
{
	struct vhost_pair *pair = vhost_pair(port, index);

	return vhost_is_receiveq(index) ? &pair->sink.cursor : &pair->source.cursor;
}

/* Host address of one of a ring's areas, which the specification wants aligned. */
static void *
map_area(const struct vhost_port *port, uint64_t user_addr, uint64_t len, uint32_t align)
{
	uint8_t *host = guest_mem_from_user(&port->mem, user_addr, len);

	return (uintptr_t)host % align == 0 ? host : NULL;
}

/* The areas of VIRTIO 1.1, 2.6. Their used_event and avail_event fields are not used. */
static bool
map_areas(const struct vhost_port *port, const struct session_vring *from,
		struct split_vring *vring)
{
	uint64_t n = from->size;

	vring->desc = map_area(port, from->desc_user_addr, n * sizeof(struct vring_desc), 16);
	vring->avail = map_area(port, from->avail_user_addr,
			sizeof(struct vring_avail) + n * sizeof(uint16_t), 2);
	vring->used = map_area(port, from->used_user_addr,
			sizeof(struct vring_used) + n * sizeof(struct vring_used_elem), 4);
	return vring->desc != NULL && vring->avail != NULL && vring->used != NULL;
}

static bool
has_feature(const struct session *session, uint32_t bit)
{
	return (session->features >> bit & 1) != 0;
}

/* Each direction's features that let work be left undone (VIRTIO 1.1, 5.1.3). */
static uint8_t
negotiated_needs(const struct session *session, uint32_t index)
{
	static const struct {
		uint8_t need;
		uint8_t bits[2]; /* receiveq, transmitq */
	} table[] = {
		{ FRAME_NEEDS_CSUM, { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM } },
		{ FRAME_NEEDS_TSO4, { VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4 } },
		{ FRAME_NEEDS_TSO6, { VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6 } },
		{ FRAME_NEEDS_ECN, { VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN } },
	};
	uint8_t needs = 0;

	for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (has_feature(session, table[i].bits[index % 2]))
			needs |= table[i].need;
	/* Without the checksum the others cannot be (VIRTIO 1.1, 5.1.3.1). */
	return (needs & FRAME_NEEDS_CSUM) != 0 ? needs : 0;
}

static struct split_vring *
make_vring(struct vhost_port *port, const struct session *session, uint32_t index)
{
	const struct session_vring *from = &session->vrings[index];
	struct split_vring *vring = calloc(1, sizeof(*vring));
	bool mergeable = has_feature(session, VIRTIO_NET_F_MRG_RXBUF);

	if (vring == NULL)
		return NULL;
	*vring = (struct split_vring){
		.size = from->size,
		.header_len = mergeable || has_feature(session, VIRTIO_F_VERSION_1)
				? VNET_HDR_LEN
				: VNET_HDR_LEN_LEGACY,
		.mergeable = mergeable,
		.indirect = has_feature(session, VIRTIO_RING_F_INDIRECT_DESC),
		.needs = negotiated_needs(session, index),
		.index = index,
		.kick_fd = from->kick_fd,
		.call_fd = from->call_fd,
		.health = &port->health,
		.calls = &port->calls[index],
		.growth = &port->growth,
		.mem = port->mem,
	};
	if (map_areas(port, from, vring))
		return vring;
	free(vring);
	return NULL;
}

/*
 * Chains are completed in order and none is held, so the used index alone says where the ring
 * stands, whatever base the frontend named: after a crash of either side it may not know better.
 */
static void
set_cursor(struct vhost_port *port, uint32_t index, uint16_t base)
{
	struct vring_cursor *cursor = vhost_rings_cursor(port, index);
	uint16_t used = __atomic_load_n(&port->vrings[index]->used->idx, __ATOMIC_ACQUIRE);

	if (used != base && used != cursor->used)
		log_from(gate_log(port->gate), LOG_LEVEL_DEBUG,
				"ring %u starts at %u, its used index; the frontend said %u", index,
				used, base);
	cursor->avail = used;
	cursor->used = used;
	if (vhost_is_receiveq(index))
		__atomic_store_n(&vhost_pair(port, index)->sink.unfilled, false, __ATOMIC_RELAXED);
}

/* So long without a slow call, and a new session's calls are made by the workers again. */
#define CALLS_FORGIVEN_S 60

static void
put_calls_aside(struct vhost_port *port, uint32_t index)
{
	struct vring_calls *calls = &port->calls[index];
	const struct split_vring *vring = port->vrings[index];
	struct caller_ring *aside;

	if (vring->call_fd < 0 || !vring_calls_wants_caller(calls))
		return;
	aside = caller_open(vring->call_fd, calls, &port->health, index);
	if (aside != NULL)
		vring_calls_put_aside(calls, aside);
	else
		log_error("port %s: no memory or descriptors for slow calls; its frontend is not called",
				port->base.name);
}

void
vhost_rings_put_aside(struct vhost_port *port)
{
	for (uint32_t i = 0; i < PORT_VRINGS; i++)
		if (port->vrings[i] != NULL)
			put_calls_aside(port, i);
}

/* No worker uses the ring: its caller goes, and what its frontend owes is forgotten in time. */
static void
end_calls(struct vring_calls *calls)
{
	if (calls->aside != NULL)
		caller_close(calls->aside);
	vring_calls_put_aside(calls, NULL);
	calls->owed = false;
	if (calls->slow && tsc_read() - calls->last_slow > rte_get_tsc_hz() * CALLS_FORGIVEN_S) {
		calls->slow = false;
		calls->slow_in_a_row = 0;
	}
}

static int
publish_vring(struct vhost_port *port, uint32_t index)
{
	struct split_vring *vring = port->vrings[index];
	struct vhost_pair *pair = vhost_pair(port, index);

	put_calls_aside(port, index);
	vring_want_kicks(vring, false);
	if (vhost_is_receiveq(index)) {
		vring_sink_publish(&pair->sink, vring);
		return 0;
	}
	pair->source.greeted = NULL;
	vring_source_publish(&pair->source, vring);
	return worker_watch(&pair->source.base, vring->kick_fd);
}

void
vhost_rings_start(struct vhost_port *port, const struct session *session, uint32_t index)
{
	char text[PORT_TEXT_MAX];
	int ret;

	port->vrings[index] = make_vring(port, session, index);
	if (port->vrings[index] == NULL) {
		snprintf(text, sizeof(text), "ring %u does not lie in the mapped memory, aligned",
				index);
		gate_fault(port->gate, text);
		return;
	}
	set_cursor(port, index, session->vrings[index].base);
	vhost_conn_set_in_use(gate_conn(port->gate), true);
	ret = publish_vring(port, index);
	if (ret < 0) {
		snprintf(text, sizeof(text), "ring %u: its kick descriptor cannot be watched: %s",
				index, strerror(-ret));
		gate_fault(port->gate, text);
	}
}

static void
unpublish_vring(struct vhost_port *port, uint32_t index)
{
	struct split_vring *vring = port->vrings[index];
	struct vhost_pair *pair = vhost_pair(port, index);

	port->vrings[index] = NULL;
	port->retired[index] = vring;
	if (vhost_is_receiveq(index)) {
		vring_sink_publish(&pair->sink, NULL);
		return;
	}
	vring_source_publish(&pair->source, NULL);
	worker_unwatch(&pair->source.base, vring->kick_fd);
}

void
vhost_rings_settle(void *arg)
{
	struct vhost_port *port = arg;
	struct vhost_conn *conn = gate_conn(port->gate);
	bool in_use = false;

	for (uint32_t i = 0; i < PORT_VRINGS; i++) {
		const struct vring_cursor *cursor = vhost_rings_cursor(port, i);

		in_use |= port->vrings[i] != NULL;
		if (port->retired[i] == NULL)
			continue;
		if (conn != NULL)
			vhost_conn_set_cursor(conn, i, cursor->avail, cursor->used);
		end_calls(&port->calls[i]);
		free(port->retired[i]);
		port->retired[i] = NULL;
	}
	if (conn != NULL)
		vhost_conn_set_in_use(conn, in_use);
}

void
vhost_rings_stop(struct vhost_port *port, uint32_t mask, void (*quiet)(void *port))
{
	bool any = false;

	for (uint32_t i = 0; i < PORT_VRINGS; i++) {
		if ((mask >> i & 1) != 0 && port->vrings[i] != NULL)
			unpublish_vring(port, i);
		any |= port->retired[i] != NULL;
	}
	if (any)
		grace_call(quiet, port);
	else
		quiet(port);
}
