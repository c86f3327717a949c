/* SPDX-License-Identifier: BSD-3-Clause */
/* Time of the monotonic clock in nanoseconds; any thread. */
#ifndef CLIENT_CLOCK_H
#define CLIENT_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND UINT64_C(1000000000)

static inline uint64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

static inline uint64_t
clock_from_seconds(double seconds)
{
	return (uint64_t)(seconds * 1e9);
}

static inline double
clock_seconds(uint64_t nanoseconds)
{
	return (double)nanoseconds / 1e9;
}

#endif
