/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/measure/histogram.c and pacer.c: percentiles are right to 1 %, and a rate is kept, neither
 * exceeded nor missed.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "measure/histogram.h"
#include "measure/pacer.h"

static struct histogram h;

static void
assert_near(double seen, double wanted, double part)
{
	if (seen < wanted * (1 - part) || seen > wanted * (1 + part))
		fail_msg("%g is not near %g", seen, wanted);
}

static void
test_percentiles(void **state)
{
	uint64_t i;

	(void)state;
	h = (struct histogram){ 0 };
	assert_int_equal(histogram_percentile(&h, 50), 0);
	assert_true(histogram_deviation(&h) == 0);
	/* In an order that is not sorted. */
	for (i = 0; i < 100000; i++)
		histogram_add(&h, 1000 + i * 7919 % 100000 * 10);
	assert_int_equal(h.count, 100000);
	assert_int_equal(h.min, 1000);
	assert_int_equal(h.max, 1000990);
	assert_near((double)histogram_percentile(&h, 1), 11000, 0.01);
	assert_near((double)histogram_percentile(&h, 50), 501000, 0.005);
	assert_near((double)histogram_percentile(&h, 99), 991000, 0.01);
	assert_int_equal(histogram_percentile(&h, 0), 1000);
	assert_int_equal(histogram_percentile(&h, 0.0005), 1000);
	assert_int_equal(histogram_percentile(&h, 100), 1000990);
	assert_near(h.mean, 500995, 1e-9);
	assert_near(histogram_deviation(&h), 288675.13, 1e-6);
}

/* Each value alone: whatever its bucket, a percentile of one value is that value. */
static void
test_one_value(void **state)
{
	uint64_t value;
	unsigned int bit, less;

	(void)state;
	for (bit = 0; bit < 64; bit++)
		for (less = 0; less < 2; less++) {
			h = (struct histogram){ 0 };
			value = (UINT64_C(1) << bit) - less;
			histogram_add(&h, value);
			assert_int_equal(histogram_percentile(&h, 50), value);
		}
	histogram_add(&h, UINT64_MAX);
	assert_int_equal(histogram_percentile(&h, 100), UINT64_MAX);
}

/* Two values far apart, so that the minimum and the maximum cannot hide a wrong bucket. */
static void
test_buckets(void **state)
{
	uint64_t value;

	(void)state;
	for (value = 3; value < UINT64_C(1) << 40; value = value * 9 / 8 + 1) {
		h = (struct histogram){ 0 };
		histogram_add(&h, 1);
		histogram_add(&h, value);
		histogram_add(&h, UINT64_C(1) << 50);
		assert_near((double)histogram_percentile(&h, 50), (double)value, 0.005);
	}
}

#define SECOND UINT64_C(1000000000)

/* Sends what is due whenever something is, for so long; returns how many. */
static uint64_t
run(struct pacer *p, uint64_t from, uint64_t to)
{
	uint64_t now = from, sent = 0, due;

	while (now < to) {
		due = pacer_due(p, now, 64);
		pacer_sent(p, due);
		sent += due;
		now = pacer_next(p) > now ? pacer_next(p) : now + 1;
	}
	return sent;
}

static void
test_rate_is_kept(void **state)
{
	static const double rates[] = { 1, 3, 10, 999, 1e3, 33333.3, 1e5 };
	struct pacer p;
	uint64_t sent;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		pacer_init(&p, rates[i], 5);
		sent = run(&p, 5, 5 + 3 * SECOND);
		if ((double)sent < 3 * rates[i] - 1 || (double)sent > 3 * rates[i] + 1)
			fail_msg("%" PRIu64 " frames in 3 s at %g", sent, rates[i]);
	}
}

static void
test_first_is_due_at_once(void **state)
{
	struct pacer p;

	(void)state;
	pacer_init(&p, 10, 1000);
	assert_int_equal(pacer_due(&p, 1000, 64), 1);
	pacer_sent(&p, 1);
	assert_int_equal(pacer_due(&p, 1001, 64), 0);
	assert_int_equal(pacer_next(&p), 1000 + SECOND / 10);
}

static void
test_lateness_is_bounded(void **state)
{
	struct pacer p;

	(void)state;
	pacer_init(&p, 100000, 0);
	pacer_sent(&p, 1);
	/* 5 ms late: all of it is made up for. */
	assert_int_equal(pacer_due(&p, 5000000, UINT64_MAX), 500);
	/* 3 s late: only as much as may be. */
	assert_uint_in_range(pacer_due(&p, 3 * SECOND, UINT64_MAX), 1000, 1001);
	assert_int_equal(pacer_due(&p, 3 * SECOND, 64), 64);
}

static void
test_no_rate(void **state)
{
	struct pacer p;

	(void)state;
	pacer_init(&p, 0, 0);
	assert_int_equal(pacer_due(&p, 1, 64), 64);
	pacer_sent(&p, 64);
	assert_int_equal(pacer_due(&p, 1, 64), 64);
	assert_int_equal(pacer_next(&p), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_one_value),
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_rate_is_kept),
		cmocka_unit_test(test_first_is_due_at_once),
		cmocka_unit_test(test_lateness_is_bounded),
		cmocka_unit_test(test_no_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
