/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls to frontends whose call descriptors are slow: one thread makes them, so that no worker
 * waits. At most one call of a ring is under way or waiting, however often it is asked for; a slow
 * one is followed by a rest, of this ring alone (struct vring_calls).
 *
 * A caller_ring has its own duplicate of the descriptor, so a session can end while a call is still
 * under way.
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
/* All rings are closed. A call that does not end is left behind. */
void caller_stop(void);

/*
 * A ring with this call descriptor, which is duplicated; ring `index` is broken in `health` when the
 * descriptor blocks. `calls` and `health` outlive caller_close(). NULL: no memory or descriptors.
 * Control thread.
 */
struct caller_ring *
caller_open(int call_fd, struct vring_calls *calls, struct vring_health *health, uint32_t index);

/* No worker uses the ring any more. Control thread; returns at once. */
void caller_close(struct caller_ring *ring);

/* Calls, soon. Any worker, and the control thread; takes no lock. */
void caller_call(struct caller_ring *ring);

/* The thread, for the watchdog, which interrupts it with `signal` in a write that blocks. */
struct watched *caller_watched(void);
void caller_interrupt(int signal);

#endif
