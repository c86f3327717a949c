/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Helper threads: they run what may block (fsync, probing devices), so that the control loop never does.
 * Jobs of one owner run one after the other; nobody's work waits for another owner's, as long as there
 * are fewer than HELPERS_MAX that are held up. What strangers gave is none of their business: they could
 * hold them up (see fd_reaper.h).
 */
#ifndef VSWITCH_HELPER_H
#define VSWITCH_HELPER_H

struct event_base;

/* They are made when they are needed, and stay. */
#define HELPERS_MAX 16

/* Starts the first thread. Completions are reported on `base`'s loop. 0 or -errno. */
int helper_start(struct event_base *base);

/*
 * Queues `work(arg)` for a helper thread, behind what `owner` (any address, never followed) has queued
 * before; then `done(arg)`, when not NULL, runs on the control loop. `what` it is, static text, and for
 * `whom` (a port's name) is told when it takes long. Control thread only. 0, or -ENOMEM and neither is
 * called.
 */
int helper_run(const void *owner, const char *what, const char *whom, void (*work)(void *arg),
		void (*done)(void *arg), void *arg);

/* Has the watchdog look after them. Before the first helper_run(). */
void helper_watch(void);

/* Finishes what is queued, for at most a second, and ends the threads. */
void helper_stop(void);

#endif
