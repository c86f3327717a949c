/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Distribution of durations in bounded memory: percentiles to better than 1 %, other values exact.
 *
 * The role ping adds each round trip, and bench each latency, in nanoseconds. One thread.
 */
#ifndef CLIENT_HISTOGRAM_H
#define CLIENT_HISTOGRAM_H

#include <stdint.h>

/* Values below 256 have a bucket each; above, each power of two is cut into 128. */
#define HISTOGRAM_BUCKETS (58 * 128)

struct histogram {
	uint64_t count;
	uint64_t min, max;
	double mean, squares; /* squares: sum of squared distances from the mean (Welford) */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Adds a value. h is all zero at first. */
void histogram_add(struct histogram *h, uint64_t value);

/* The value that so many percent of all values do not exceed; 0 when there are no values. */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/* Standard deviation of all values (not an estimate from a sample), as ping's mdev. */
double histogram_deviation(const struct histogram *h);

#endif
