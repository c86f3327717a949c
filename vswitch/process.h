/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the process as a whole is given at start and how it is told to end: limits and signals.
 * Called by main, before any thread is started and then on the control thread.
 */
#ifndef VSWITCH_PROCESS_H
#define VSWITCH_PROCESS_H

#include <stdint.h>

struct event_base;

/*
 * Raises the limit of open descriptors to the hard one, ignores SIGPIPE and SIGXFSZ (writes fail
 * instead), and blocks the signals that end the switch, so that every thread started later leaves
 * them to process_watch(). Returns the number of descriptors that may be open.
 */
uint64_t process_prepare(void);

/*
 * From now on SIGTERM and SIGINT, and SIGHUP unless it was ignored at start (nohup), call
 * `stop(arg)` once on the loop. The one after that ends the process at once. 0 or -errno.
 */
int process_watch(struct event_base *base, void (*stop)(void *arg), void *arg);

void process_unwatch(void);

#endif
