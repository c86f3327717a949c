/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distribution of durations in bounded memory: percentiles to better than 1 %, the rest exact.
 *
 * The role ping puts each round trip into it, in nanoseconds. One thread.
 */
#ifndef CLIENT_HISTOGRAM_H
#define CLIENT_HISTOGRAM_H

#include <stdint.h>

/* Values below 256 have a bucket each; above, each power of two is cut into 128. */
#define HISTOGRAM_BUCKETS (58 * 128)

struct histogram {
	uint64_t count;
	uint64_t min, max;
	double mean, squares; /* of the distances from the mean, summed (Welford) */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* h starts as zeros. */
void histogram_add(struct histogram *h, uint64_t value);

/* The value that percent of all values do not exceed; 0 when there is none. */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/* Standard deviation (of the whole, as ping's mdev). */
double histogram_deviation(const struct histogram *h);

#endif
