/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks after the threads of the switch from a thread of its own, which has no loop and no lock that
 * any of them could hold up.
 *
 * Every 5 ms while a worker is awake it asks whether each worker has moved on; it counts looks and
 * not time, so that stopping and continuing the whole process does not look like a hang. A worker
 * that has not moved for two looks gets a signal, which ends a blocked write with EINTR: a hostile
 * call descriptor costs its worker about 10 ms. (Harmless when the worker was only not scheduled.)
 * One that stands still for a second is named in the log with the port at which it stands. That port
 * is at fault when a system call does not end although it was interrupted; a thread that is ready,
 * or in the kernel's hands, proves nothing (account.h judges that afterwards).
 *
 * The other threads (control, helper, library, caller) say what they are at (watched.h). Whoever is
 * at the same thing for over a second is named with it.
 *
 * The process is ended, for its supervisor to start it anew, only when a worker cannot come back: it
 * stands still for half a minute although it is no kernel that holds it (state D: then an end would
 * not come either).
 */
#ifndef VSWITCH_WATCHDOG_H
#define VSWITCH_WATCHDOG_H

#include <stdint.h>

#include "base/watched.h"

struct worker;

/* Before the first worker starts. 0 or -errno. Control thread. */
int watchdog_start(void);
void watchdog_stop(void);

/* Looks after it from now on. Control thread, before watchdog_start() or after it. */
void watchdog_watch_worker(struct worker *worker);
void watchdog_watch(struct watched *watched);

/* A worker leaves its sleep. Any worker. */
void watchdog_awake(void);

#endif
