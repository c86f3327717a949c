/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the client is asked to end or to wake up: signals, and a descriptor that wakes the loop.
 *
 * main sets it up before any other thread exists, so that only the main thread gets signals. A signal then
 * ends a system call that blocks there (the virtio_user driver makes such calls).
 */
#ifndef CLIENT_STOP_H
#define CLIENT_STOP_H

#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP ask to stop; SIGPIPE and SIGIO are ignored. 0 or -errno. */
int stop_open(void);

/* Whether a signal, or stop_request(), has asked to stop. */
bool stop_requested(void);
void stop_request(void);

/* A descriptor that a signal or stop_wake() makes readable, until stop_drain(). */
int stop_fd(void);
void stop_drain(void);

/* Wakes a thread that waits for stop_fd(). Any thread. */
void stop_wake(void);

/* Threads that are created between these two calls get none of the signals. */
void stop_block(void);
void stop_unblock(void);

/*
 * Bounds blocking calls of the main thread until stop_unguard(): they fail with EINTR so many seconds after
 * stop_guard() (negative: never), or when a signal asks to stop, and from then on again and again.
 * already: a signal that came before counts, too. Without it only the next one counts, as at the end of a
 * session.
 */
void stop_guard(double seconds, bool already);
void stop_unguard(void);

/* Whether the time of the last stop_guard() ran out. */
bool stop_timed_out(void);

#endif
