/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts the switch's threads, with a name, and with the signals blocked that are meant for the process.
 * Threads get one signal: it interrupts a system call that a stranger's descriptor holds up, and does
 * nothing else.
 */
#ifndef VSWITCH_THREAD_H
#define VSWITCH_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its handler does nothing; a blocked system call fails with EINTR because SA_RESTART is not set. */
#define THREAD_INTERRUPT SIGUSR1

/* Once, before the first thread_start(). 0 or -errno. */
int thread_init(void);

/* `name`, at most 15 bytes, is what tools show. 0 or -errno. Control thread. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg);

/*
 * Waits for the end of a thread. False: it has not ended within the limit, and is detached. Control
 * thread.
 */
bool thread_join_within(pthread_t thread, uint32_t limit_ms);

/*
 * Starts a detached thread without a name, with a stack of so many bytes and its caller's signal mask.
 * For work that need not be finished when the process ends. 0 or -errno. Any thread.
 */
int thread_start_detached(size_t stack_size, void *(*run)(void *arg), void *arg);

#endif
