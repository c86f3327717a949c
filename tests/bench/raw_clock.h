/* SPDX-License-Identifier: BSD-3-Clause */
/* Time and the processor's part in it. */
#ifndef TESTS_BENCH_RAW_CLOCK_H
#define TESTS_BENCH_RAW_CLOCK_H

#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

static inline double
raw_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static inline void
raw_sleep(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) != 0)
		;
}

static inline uint64_t
raw_cycles(void)
{
	return __rdtsc();
}

#endif
