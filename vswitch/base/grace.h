/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grace periods: after one, no worker uses any more what was unpublished before it. The control thread
 * calls these functions. The workers only report quiescent states to the object that grace_start()
 * returns.
 */
#ifndef VSWITCH_GRACE_H
#define VSWITCH_GRACE_H

#include <stdint.h>

struct event_base;
struct rte_rcu_qsbr;

/*
 * Before the first worker starts. Returns the object to which up to `n` threads report; it is valid
 * until grace_stop(). NULL: no memory.
 */
struct rte_rcu_qsbr *grace_start(struct event_base *base, uint32_t n);

/*
 * Calls `done(arg)` on the control loop when every worker has passed a quiescent state from now on. No
 * worker then uses what was unpublished before this call. Calls it within this call when that is so
 * already. Many waits share one timer.
 */
void grace_call(void (*done)(void *arg), void *arg);

/* The workers have ended: calls every `done` that is still pending. */
void grace_finish(void);
/* After grace_finish(). */
void grace_stop(void);

#endif
