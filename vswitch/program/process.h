/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the process as a whole is given at start and how it is told to end: limits and signals.
 * Called by main, before any thread is started and then on the control thread.
 */
#ifndef VSWITCH_PROCESS_H
#define VSWITCH_PROCESS_H

struct event_base;

/*
 * Raises the limit of open descriptors to the hard one, ignores SIGPIPE and SIGXFSZ (writes fail
 * instead), and blocks the signals that end the switch, SIGTERM and SIGINT, and SIGHUP unless it
 * was ignored at start (nohup), so that every thread started later leaves them to process_watch().
 * 0 or -errno.
 */
int process_prepare(void);

/* Readable when such a signal has come; there until process_watch(). */
int process_stop_fd(void);

/* Takes that signal, and says so in the log. The next one ends the process at once. */
void process_take_stop(void);

/*
 * From now on such a signal calls `stop(arg)` once on the loop. The one after that ends the process
 * at once. 0 or -errno.
 */
int process_watch(struct event_base *base, void (*stop)(void *arg), void *arg);

void process_unwatch(void);

#endif
