/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A histogram of times in nanoseconds: 32 buckets for each power of two, so that a percentile is
 * exact to 3 %. No allocation; one thread.
 */
#ifndef TESTS_HOSTILE_LATENCY_H
#define TESTS_HOSTILE_LATENCY_H

#include <stdint.h>
#include <stdio.h>

#define LATENCY_SUB 32
#define LATENCY_BUCKETS (LATENCY_SUB * 60)

struct latency {
	uint64_t n;
	uint64_t max;
	uint64_t buckets[LATENCY_BUCKETS];
};

void latency_clear(struct latency *latency);

void latency_add(struct latency *latency, uint64_t ns);

/* The time that a part of `fraction` (0 to 1) does not exceed; 0 when there is none. */
uint64_t latency_at(const struct latency *latency, double fraction);

/* As a JSON object of milliseconds: p50, p99, p999, max. */
void latency_print(const struct latency *latency, FILE *out);

#endif
