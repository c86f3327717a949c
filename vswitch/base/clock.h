/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The monotonic clock, for any thread. Whole seconds are for the FDB's ages: the workers, which learn,
 * and the control thread, which sweeps and lists, must read the same clock. Nanoseconds are for rate
 * limits and durations.
 */
#ifndef VSWITCH_CLOCK_H
#define VSWITCH_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Seconds of CLOCK_MONOTONIC, late by at most a tick (1 to 10 ms). Cheap enough for every turn. */
static inline uint32_t
clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)now.tv_sec;
}

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
