/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket: who is connected, and what is told to all of them. Control thread; a
 * connection's own life is in control_client.c, the requests in rpc.c.
 */
#ifndef VSWITCH_CONTROL_H
#define VSWITCH_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "events.h"

struct control_context;

/*
 * Listens on context->control (mode 0600, or 0660 for a group). A socket file that nobody serves is replaced.
 * `context` is borrowed until control_close(). 0, or -errno with words in `err`.
 */
int control_start(const struct control_context *context, char *err, size_t err_size);

/*
 * Sends a notification, which is taken over, to every client that subscribed to `kind`. NULL: there
 * was no memory for it, which is logged.
 */
void control_publish(enum event_kind kind, json_t *message);

bool control_subscribed(enum event_kind kind);

/* Removes the socket and reads no more requests; what is due to clients still goes out. */
void control_stop(void);

/* Ends all connections; the answers that come after that are dropped. */
void control_close(void);

#endif
