/* SPDX-License-Identifier: BSD-3-Clause */
/* See histogram.h. */
#include "histogram.h"

#include <math.h>

#define SUB_BITS 7
#define SUB (1u << SUB_BITS)

static unsigned int
bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < SUB)
		return (unsigned int)value;
	shift = 63u - (unsigned int)__builtin_clzll(value) - SUB_BITS;
	return shift * SUB + (unsigned int)(value >> shift);
}

/* The middle of a bucket. */
static uint64_t
value_of(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * SUB)
		return bucket;
	shift = bucket / SUB - 1;
	return ((uint64_t)(bucket - shift * SUB) << shift) + (UINT64_C(1) << (shift - 1));
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	double distance = (double)value - h->mean;

	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->mean += distance / (double)h->count;
	h->squares += distance * ((double)value - h->mean);
	h->buckets[bucket_of(value)]++;
}

uint64_t
histogram_percentile(const struct histogram *h, double percent)
{
	uint64_t rank = (uint64_t)ceil((double)h->count * percent / 100);
	uint64_t below = 0, value;
	unsigned int i;

	if (rank <= 1)
		return h->min;
	if (rank >= h->count)
		return h->max;
	for (i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		below += h->buckets[i];
		if (below >= rank)
			break;
	}
	value = value_of(i);
	if (value < h->min)
		return h->min;
	return value > h->max ? h->max : value;
}

double
histogram_deviation(const struct histogram *h)
{
	return h->count == 0 ? 0 : sqrt(h->squares / (double)h->count);
}
