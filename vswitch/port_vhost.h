/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VSWITCH_PORT_VHOST_H
#define VSWITCH_PORT_VHOST_H

struct event_base;

/* Once, before the first vhost-user port and before workers start: listens for broken rings. */
int port_vhost_init(struct event_base *base);

#endif
