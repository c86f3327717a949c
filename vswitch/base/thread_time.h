/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of a stretch of time that was long on the clock: was the thread at work, did it wait
 * inside the kernel, or was it ready while others had the CPU?
 *
 * The kernel knows a thread's CPU time (getrusage(2)) and how long it was ready without a CPU
 * (/proc/thread-self/schedstat). A sample of both is kept for each thread, and a stretch is judged by
 * what has changed since the last one. Asking costs two microseconds, so only stretches that were
 * slow are judged; whenever the thread sleeps or gives its CPU away by its own will it says so, which
 * keeps the sample fresh. Where the kernel does not tell, nobody is blamed. Workers and the caller.
 */
#ifndef VSWITCH_THREAD_TIME_H
#define VSWITCH_THREAD_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* TSC cycles. Both are estimates that err in favour of whoever may be blamed. */
struct thread_time {
	uint64_t worked; /* the least that the thread was on its CPU, the kernel's work included */
	uint64_t waited; /* the least that it slept in the kernel */
};

/* Once, before any thread uses the rest: TSC cycles a second. */
void thread_time_init(uint64_t tsc_hz);

/* From `start` to `end` (TSC) the calling thread may have slept, or had given its CPU away. */
void thread_time_gap(uint64_t start, uint64_t end, bool slept);

/* What the calling thread did up to now is held against nobody. */
void thread_time_anew(void);

/* The watchdog, every 5 ms while a worker is awake: the process is not stopped. */
void thread_time_tick(void);

/*
 * The calling thread has just made a page, in so many cycles. A page takes microseconds; where it took
 * far longer the host was out of memory and had to make room first, which counts neither as work nor as
 * a wait. Also in a signal handler.
 */
void thread_time_page(uint64_t cycles);

/*
 * Judges the stretch from `start` to `end` (TSC, just now) of the calling thread. Keeps errno. False: the
 * kernel does not tell, and both times are 0.
 */
bool thread_time_judge(uint64_t start, uint64_t end, struct thread_time *time);

/* The calling thread ends. */
void thread_time_end(void);

#endif
