/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The caller thread makes the calls of frontends whose call descriptors are slow, so that no worker
 * waits. Requests for a ring are merged: at most one call is pending. After a slow call that ring alone
 * rests (struct vring_calls).
 *
 * A caller_ring has its own duplicate of the descriptor, so a session can end during a call.
 */
#ifndef VSWITCH_CALLER_H
#define VSWITCH_CALLER_H

#include <stdint.h>

#include "base/watched.h"

struct caller_ring;
struct vring_calls;
struct vring_health;

/* Starts the thread. Control thread. 0 or -errno. */
int caller_start(void);
/* After all rings are closed. Does not wait for a call that does not end. */
void caller_stop(void);

/*
 * Adds a ring with a duplicate of this call descriptor. If the descriptor blocks, ring `index` is marked
 * as broken in `health`. `calls` and `health` must be valid until caller_close(). NULL: no memory or
 * descriptors. Control thread.
 */
struct caller_ring *
caller_open(int call_fd, struct vring_calls *calls, struct vring_health *health, uint32_t index);

/* Removes a ring that no worker uses any more. Control thread; returns at once. */
void caller_close(struct caller_ring *ring);

/* Asks for a call. Any worker, and the control thread; takes no lock. */
void caller_call(struct caller_ring *ring);

/* For the watchdog, which interrupts the thread with `signal` in a write that blocks. */
struct watched *caller_watched(void);
void caller_interrupt(int signal);

#endif
