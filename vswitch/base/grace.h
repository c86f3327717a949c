/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grace periods: when nobody uses any more what was unpublished. Called by the control thread; the
 * workers only report their quiescent states, to what grace_start() returns.
 */
#ifndef VSWITCH_GRACE_H
#define VSWITCH_GRACE_H

#include <stdint.h>

struct event_base;
struct rte_rcu_qsbr;

/*
 * Before the first worker starts. Returns where up to `n` threads register and report; it lasts
 * until grace_stop(). NULL: no memory.
 */
struct rte_rcu_qsbr *grace_start(struct event_base *base, uint32_t n);

/*
 * Calls `done(arg)` on the control loop when every worker has passed a quiescent state since now:
 * nobody uses any more what was unpublished before the call. Calls it at once, from inside, when
 * that is so already. Many waits share one timer.
 */
void grace_call(void (*done)(void *arg), void *arg);

/* The workers have ended: what still waits is called now. */
void grace_finish(void);
/* After grace_finish(). */
void grace_stop(void);

#endif
