/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a vhost-user port's session: watched, and what the switch adds to it (memory_growth.h) held
 * against the port's option, the host, and what the files really have. Control thread only.
 */
#ifndef VSWITCH_VHOST_MEMORY_H
#define VSWITCH_VHOST_MEMORY_H

#include "vhost_port.h"

/* Once, before the first port. Returns the milliseconds from one vhost_memory_tick() to the next. */
uint32_t vhost_memory_init(void);

/* A port has started, with its option max-memory. */
void vhost_memory_open(struct vhost_port *port);

/* A table is mapped, and no worker uses it yet. 0, or -ENOSPC: it cannot be watched. */
int vhost_memory_begin(struct vhost_port *port, const struct guest_mem *mem);

/*
 * The session has recorded its table: what earlier sessions added to other memory counts no more. Before
 * its rings run.
 */
void vhost_memory_recorded(struct vhost_port *port);

/* The option max-memory is `mib` from now on; 0: the size of the session's table. */
void vhost_memory_set_max(struct vhost_port *port, uint32_t mib);

/* For each port with a session, now and then: holds its account against its files. */
void vhost_memory_settle(struct vhost_port *port);

/* After that, for all: holds what the ports may add against what the host has left. */
void vhost_memory_tick(void);

#endif
