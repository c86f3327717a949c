/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out why a stretch of time was long on the clock: did the thread work, did it wait in the kernel,
 * or was it ready while others had the CPU?
 *
 * The kernel knows a thread's CPU time (getrusage(2)) and how long it was ready without a CPU
 * (/proc/thread-self/schedstat). Each thread keeps a sample of both, and a stretch is judged by what has
 * changed since. Only slow stretches are judged, because a sample costs two microseconds. A thread also
 * reports when it sleeps or yields voluntarily, which keeps the sample fresh. Where the kernel does
 * not provide these times, no port is blamed. For workers and the caller thread.
 */
#ifndef VSWITCH_THREAD_TIME_H
#define VSWITCH_THREAD_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* TSC cycles. Both are lower bounds, in favour of the port that may be blamed. */
struct thread_time {
	uint64_t worked; /* on its CPU, including the kernel's work */
	uint64_t waited; /* asleep in the kernel */
};

/* Once, before any thread uses the rest. `tsc_hz`: TSC cycles a second. */
void thread_time_init(uint64_t tsc_hz);

/* From `start` to `end` (TSC) the calling thread slept (`slept`) or yielded its CPU voluntarily. */
void thread_time_gap(uint64_t start, uint64_t end, bool slept);

/* Takes a new sample: no port is blamed for what the calling thread did until now. */
void thread_time_anew(void);

/* The watchdog calls it every 5 ms while a worker is awake, which shows that the process runs. */
void thread_time_tick(void);

/*
 * The calling thread has just made a page, in so many cycles. A page takes microseconds. Where it took far
 * longer, the host had to free memory first, which then counts neither as work nor as a wait. Also in a
 * signal handler.
 */
void thread_time_page(uint64_t cycles);

/*
 * Judges the calling thread's stretch from `start` to `end` (TSC, just now). Keeps errno. False: the
 * kernel does not provide the times, and both are 0.
 */
bool thread_time_judge(uint64_t start, uint64_t end, struct thread_time *time);

/* To be called when the calling thread ends: closes its file. */
void thread_time_end(void);

#endif
