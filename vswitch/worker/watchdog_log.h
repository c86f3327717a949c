/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the watchdog says. The log has a lock, and a thread that holds it may be held up: where stderr
 * is a file, a write lasts as long as its file system likes. The watchdog must not wait for that. So it
 * only notes a line, and a thread of its own writes it to the log.
 */
#ifndef VSWITCH_WATCHDOG_LOG_H
#define VSWITCH_WATCHDOG_LOG_H

#include <stdint.h>

#include "base/log.h"

/* Starts the thread. 0 or -errno. Control thread. */
int watchdog_log_start(void);

/* What was noted is written, for at most a second. Control thread, after the watchdog's end. */
void watchdog_log_stop(void);

/*
 * A line. It is left out when too many wait to be written, since the watchdog repeats itself. Only the
 * watchdog; it never waits.
 */
void watchdog_log(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Waits until all lines are written, or for so long. Only the watchdog, before it ends the process. */
void watchdog_log_wait(uint32_t limit_ms);

#endif
