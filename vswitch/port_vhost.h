/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user port inside: its state, and how its rings are started and stopped. Private to
 * port_vhost.c and port_vhost_rings.c; control thread only.
 */
#ifndef VSWITCH_PORT_VHOST_H
#define VSWITCH_PORT_VHOST_H

#include "port_kind.h"
#include "vring_endpoint.h"

#define ALL_RINGS ((1u << PORT_VRINGS) - 1)

struct vhost_port {
	struct port base;
	struct vring_source source;
	struct vring_sink sink;
	struct gate *gate;
	/* Of the present session; emptied when it ends. */
	struct vring_health health;
	bool has_memory;
	struct guest_mem mem;
	bool device_runs; /* the library's reports */
	bool vring_runs[PORT_VRINGS];
	bool settling; /* between quiesce and updated: nothing is published */
	struct split_vring *vrings[PORT_VRINGS];  /* published; NULL: not running */
	struct split_vring *retired[PORT_VRINGS]; /* unpublished, waiting for the workers */
	/* Of the port. */
	bool faulty; /* the last session ended in fault and no frontend came since */
	void (*stopped)(void *arg);
	void *stopped_arg;
	TAILQ_ENTRY(vhost_port) link; /* in all_ports */
};

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

/* The workers have left the port's unpublished rings: the library is told where they stand. */
void vhost_rings_settle(void *arg);

#endif
