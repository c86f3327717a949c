/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <string.h>

#define SUB_BITS 5

/* Below LATENCY_SUB each number has a bucket of its own. */
static uint32_t
bucket_of(uint64_t ns)
{
	uint32_t shift;

	if (ns < LATENCY_SUB)
		return (uint32_t)ns;
	shift = (uint32_t)(63 - __builtin_clzll(ns)) - SUB_BITS;
	return (shift + 1) * LATENCY_SUB + (uint32_t)((ns >> shift) & (LATENCY_SUB - 1));
}

/* The greatest time that falls into a bucket. */
static uint64_t
top_of(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < LATENCY_SUB)
		return bucket;
	shift = bucket / LATENCY_SUB - 1;
	return ((uint64_t)(LATENCY_SUB + bucket % LATENCY_SUB + 1) << shift) - 1;
}

void
latency_clear(struct latency *latency)
{
	memset(latency, 0, sizeof(*latency));
}

void
latency_add(struct latency *latency, uint64_t ns)
{
	latency->n++;
	latency->buckets[bucket_of(ns)]++;
	if (ns > latency->max)
		latency->max = ns;
}

uint64_t
latency_at(const struct latency *latency, double fraction)
{
	uint64_t wanted = (uint64_t)((double)latency->n * fraction), below = 0;

	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		below += latency->buckets[i];
		if (below > wanted)
			return top_of(i) < latency->max ? top_of(i) : latency->max;
	}
	return latency->max;
}

void
latency_print(const struct latency *latency, FILE *out)
{
	fprintf(out, "{\"n\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"max\": %.4f}",
			(unsigned long long)latency->n, (double)latency_at(latency, 0.5) * 1e-6,
			(double)latency_at(latency, 0.99) * 1e-6,
			(double)latency_at(latency, 0.999) * 1e-6, (double)latency->max * 1e-6);
}
