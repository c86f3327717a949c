/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the client is told to end or to look around: signals, and a descriptor that wakes a sleeper.
 *
 * main sets it up before any other thread exists, so that only the main thread hears signals: a
 * signal then ends a system call that blocks there (the virtio_user driver makes such calls).
 */
#ifndef CLIENT_STOP_H
#define CLIENT_STOP_H

#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP ask to stop; SIGPIPE and SIGIO are ignored. 0 or -errno. */
int stop_open(void);

/* Whether a signal, or stop_request, asked to stop. */
bool stop_requested(void);
void stop_request(void);

/* Readable since the last stop_drain: a signal, or stop_wake. */
int stop_fd(void);
void stop_drain(void);

/* Any thread: wakes whoever sleeps on stop_fd. */
void stop_wake(void);

/* Keep signals from threads that are created between the two. */
void stop_block(void);
void stop_unblock(void);

/*
 * Bounds blocking calls of the main thread: seconds after stop_guard (negative: never), or when a
 * signal asks to stop, they end with EINTR, again and again until stop_unguard. already: a signal
 * that came before counts, too; without it only the next one does, as while saying goodbye.
 */
void stop_guard(double seconds, bool already);
void stop_unguard(void);

/* Whether the time of the last stop_guard ran out. */
bool stop_timed_out(void);

#endif
