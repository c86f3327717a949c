/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How one thread wakes another: an eventfd. A bell carries no data, and several rings before it is
 * heard count as one. The thread that rings changes shared state first; the thread that hears the
 * bell then looks at that state.
 */
#ifndef VSWITCH_BELL_H
#define VSWITCH_BELL_H

#include <stdbool.h>

/* A descriptor that is readable while the bell rings, or -errno. close() ends it. */
int bell_open(void);

/* Rings. Any thread, also in a signal handler; never blocks, keeps errno. Does nothing for -1. */
void bell_ring(int fd);

/* Makes the bell silent. Only the thread that waits for it. */
void bell_hear(int fd);

/*
 * Sleeps until the bell rings, at most so many milliseconds (-1: without limit), and makes it silent.
 * False: it did not ring.
 */
bool bell_await(int fd, int timeout_ms);

#endif
