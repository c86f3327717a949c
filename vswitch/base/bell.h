/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How one thread wakes another: an eventfd that is rung and heard. A bell carries no data; several rings
 * before it is heard are one. The thread that hears it looks at what was changed before it was rung.
 */
#ifndef VSWITCH_BELL_H
#define VSWITCH_BELL_H

#include <stdbool.h>

/* A descriptor that is readable while the bell rings, or -errno. close() ends it. */
int bell_open(void);

/* Any thread, also in a signal handler: never blocks, keeps errno. -1: there is no bell. */
void bell_ring(int fd);

/* The bell is silent again. The thread that waits for it. */
void bell_hear(int fd);

/*
 * Sleeps until the bell rings, which is heard then; at most so many milliseconds, -1: for ever. False: it
 * did not ring.
 */
bool bell_await(int fd, int timeout_ms);

#endif
