/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The helper thread: runs, one after the other, what may block (fsync, probing devices), so that the
 * control loop never does. What strangers gave is none of its business: they could hold it up (see
 * closer.h).
 */
#ifndef VSWITCH_HELPER_H
#define VSWITCH_HELPER_H

struct event_base;

/* Starts the thread. Completions are reported on `base`'s loop. 0 or -errno. */
int helper_start(struct event_base *base);

/*
 * Queues `work(arg)` for the helper thread; then `done(arg)`, when not NULL, runs on the control
 * loop. `what` it is, static text, and for `whom` (a port's name) is told when it takes long. Control
 * thread only. 0, or -ENOMEM and neither is called.
 */
int helper_run(const char *what, const char *whom, void (*work)(void *arg), void (*done)(void *arg),
		void *arg);

/* Finishes what is queued, for at most a second, and ends the thread. */
void helper_stop(void);

#endif
