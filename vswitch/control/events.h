/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happens in the switch, told to the clients that subscribed (event.subscribe). Control
 * thread.
 */
#ifndef VSWITCH_EVENTS_H
#define VSWITCH_EVENTS_H

#include <stdint.h>

#include "event_kinds.h"
#include "ports/port.h"

struct event_base;
struct fdb;

/* What ports report to; for port_init(). */
extern const struct port_listener events_port_listener;

/* Before the first event: where the loop and the record of moved stations are. 0 or -ENOMEM. */
int events_start(struct event_base *base, struct fdb *fdb);

/* Somebody subscribed to these kinds (bit n: kind n); moves are looked for while anybody has. */
void events_watch(uint32_t kinds);

void events_stop(void);

#endif
