/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting the switch's threads: named, and deaf to the signals that are meant for the process. One
 * signal is theirs: it interrupts a system call that a stranger's descriptor holds up, and does
 * nothing else.
 */
#ifndef VSWITCH_THREAD_H
#define VSWITCH_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its handler does nothing; a blocked system call ends with EINTR, since SA_RESTART is not set. */
#define THREAD_INTERRUPT SIGUSR1

/* Once, before the first thread_start(). 0 or -errno. */
int thread_init(void);

/* `name` as tools show it, at most 15 bytes. 0 or -errno. Control thread. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg);

/*
 * Waits for the end of a thread. False: it has not ended within the limit, is left behind, and ends
 * whenever it can. Control thread.
 */
bool thread_join_within(pthread_t thread, uint32_t limit_ms);

/*
 * Starts a nameless thread that nobody joins, with a stack of so many bytes and the signals of its
 * caller: for work that may stay behind when the process ends. 0 or -errno. Any thread.
 */
int thread_start_detached(size_t stack_size, void *(*run)(void *arg), void *arg);

#endif
