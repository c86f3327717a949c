/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user port inside: its state, how its rings are started and stopped, and what can be asked
 * of it. Private to vhost_*.c; control thread only.
 */
#ifndef VSWITCH_VHOST_PORT_H
#define VSWITCH_VHOST_PORT_H

#include "ports/port_kind.h"
#include "rings/vring_endpoint.h"

#define ALL_RINGS ((1u << PORT_VRINGS) - 1)

/* A queue pair: what workers have of ring 2 N + 1 and of ring 2 N. */
struct vhost_pair {
	struct vring_source source;
	struct vring_sink sink;
};

struct vhost_port {
	struct port base;
	struct vhost_pair pairs[PORT_VRING_PAIRS];
	struct gate *gate;
	/* Of the present session; emptied when it ends. */
	struct vring_health health;
	bool has_memory;
	struct guest_mem mem;
	uint64_t table_bytes; /* of its regions */
	uint64_t files_bytes; /* what its files had when they were looked at; UINT64_MAX: not yet */
	uint64_t settled_bytes; /* the account's total then */
	bool device_runs;	/* the library's reports */
	bool vring_runs[PORT_VRINGS];
	bool settling; /* between quiesce and updated: nothing is published */
	struct split_vring *vrings[PORT_VRINGS];  /* published; NULL: not running */
	struct split_vring *retired[PORT_VRINGS]; /* unpublished, waiting for the workers */
	/* Of the port. */
	struct vring_calls calls[PORT_VRINGS];
	struct memory_growth growth; /* kept over sessions: the next may have the same memory */
	bool faulty; /* the last session ended in fault and no frontend came since */
	void (*stopped)(void *arg);
	void *stopped_arg;
	TAILQ_ENTRY(vhost_port) link; /* in all_ports */
};

static inline struct vhost_port *
vhost_port(const struct port *port)
{
	return (struct vhost_port *)(uintptr_t)port;
}

extern const struct port_ops vhost_port_ops;

/* Whether a ring goes to the frontend (else it comes from there), and its pair. */
static inline bool
vhost_is_receiveq(uint32_t index)
{
	return index % 2 == VRING_RECEIVEQ;
}

static inline struct vhost_pair *
vhost_pair(struct vhost_port *port, uint32_t index)
{
	return &port->pairs[index / 2];
}

struct vring_cursor *vhost_rings_cursor(struct vhost_port *port, uint32_t index);

/*
 * Makes ring `index` from the session and the mapped memory, and publishes it to the workers. What
 * does not fit puts the port in fault.
 */
void vhost_rings_start(struct vhost_port *port, const struct session *session, uint32_t index);

/*
 * Unpublishes the rings of the mask; `quiet(port)` is called, at once or later, when no worker uses
 * one any more, and begins with vhost_rings_settle().
 */
void vhost_rings_stop(struct vhost_port *port, uint32_t mask, void (*quiet)(void *port));

/* Rings whose calls are slow get a caller (caller.h). */
void vhost_rings_put_aside(struct vhost_port *port);

/* The workers have left the port's unpublished rings: the library is told where they stand. */
void vhost_rings_settle(void *arg);

/* The questions of struct port_ops (port_kind.h). */
enum port_state vhost_info_state(const struct port *base);
void vhost_info_state_text(const struct port *base, char *text, size_t size);
const struct socket_peer *vhost_info_peer(const struct port *base);
const struct session *vhost_info_session(const struct port *base);
bool vhost_info_vring(const struct port *base, uint32_t index, struct port_vring_info *info);
uint64_t vhost_info_rejected(const struct port *base);

#endif
