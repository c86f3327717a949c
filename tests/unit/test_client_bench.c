/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/search.c, imix.c and bench_frame.c: the search finds what a modelled device
 * carries, a mix has the sizes that it says, and a frame reads back as it was written.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_frame.h"
#include "imix.h"
#include "search.h"

/* A device that loses frames above capacity, and a sender that gets no further than its own. */
struct model {
	double capacity, sender;
	double share;	    /* of the rate that the sender keeps, below its limit */
	unsigned int lossy; /* the number of a trial that loses a frame by accident; 0: none */
};

#define TRIALS_MAX 40

/* Runs a whole search; each trial must lie between what is known. Returns its result. */
static double
run(const struct model *m, unsigned int *trials)
{
	struct search s = { 0 };
	double rate, sent;

	while (search_next(&s, &rate)) {
		if (s.trials >= TRIALS_MAX)
			fail_msg("no end: low %g, high %g, best %g", s.low, s.high, s.best);
		assert_true(s.trials > 0 ? rate > s.low && rate < s.high : rate == 0);
		sent = rate == 0 || rate > m->sender ? m->sender : rate * m->share;
		search_note(&s, rate, sent, sent <= m->capacity && s.trials + 1 != m->lossy);
	}
	if (trials != NULL)
		*trials = s.trials;
	return s.best;
}

static void
test_search_finds_the_capacity(void **state)
{
	static const double parts[] = { 0.002, 0.01, 0.1, 0.333, 0.5, 0.75, 0.9, 0.99, 0.999 };
	static const double senders[] = { 10, 12345, 4.5e6, 1e8 };
	struct model m = { .share = 1 };
	unsigned int trials;
	double found;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (j = 0; j < sizeof(senders) / sizeof(senders[0]); j++) {
			m.sender = senders[j];
			m.capacity = m.sender * parts[i];
			found = run(&m, &trials);
			if (found > m.capacity || found < m.capacity * (1 - 2 * SEARCH_PRECISION))
				fail_msg("%g found for %g of %g", found, m.capacity, m.sender);
			assert_uint_in_range(trials, 2, 20);
		}
}

/* As fast as goes loses nothing: that is the answer, and one trial is enough. */
static void
test_search_of_a_device_that_holds_back(void **state)
{
	struct model m = { .capacity = 2e6, .sender = 1e6, .share = 1 };
	unsigned int trials;

	(void)state;
	assert_true(run(&m, &trials) == 1e6);
	assert_int_equal(trials, 1);
}

static void
test_search_gives_up(void **state)
{
	struct model m = { .capacity = 0, .sender = 1e6, .share = 1 };
	unsigned int trials;

	(void)state;
	assert_true(run(&m, &trials) == 0);
	assert_uint_in_range(trials, 9, 12);
	m.sender = 0;
	assert_true(run(&m, &trials) == 0);
	assert_int_equal(trials, 1);
}

/* A sender that falls short proves what it reached, no more, and the search still ends. */
static void
test_search_believes_only_what_was_sent(void **state)
{
	static const double shares[] = { 0.9, 0.985, 0.9905, 0.995 };
	struct model m = { .capacity = 600000, .sender = 1e6 };
	size_t i;
	double found;

	(void)state;
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		m.share = shares[i];
		found = run(&m, NULL);
		assert_true(found <= m.capacity);
		assert_true(found >= 500000 * m.share * (1 - SEARCH_PRECISION));
	}
}

/* One accident costs the rates above it and nothing else. */
static void
test_search_after_an_accident(void **state)
{
	struct model m = { .capacity = 700000, .sender = 1e6, .share = 1, .lossy = 2 };
	double found;

	(void)state;
	found = run(&m, NULL);
	assert_true(found <= 500000 && found >= 500000 * (1 - 2 * SEARCH_PRECISION));
}

static void
test_imix(void **state)
{
	unsigned int small = 0, middle = 0, large = 0;
	uint64_t bytes = 0, i;

	(void)state;
	for (i = 0; i < 12000; i++) {
		assert_int_equal(imix_bytes(i), bytes);
		small += imix_size(i) == 60;
		middle += imix_size(i) == 590;
		large += imix_size(i) == IMIX_SIZE_MAX;
		bytes += imix_size(i);
	}
	assert_int_equal(small, 7000);
	assert_int_equal(middle, 4000);
	assert_int_equal(large, 1000);
	assert_int_equal(imix_size(UINT64_MAX), imix_size(UINT64_MAX % 12));
}

static void
test_bench_frame(void **state)
{
	static const uint8_t to[6] = { 2, 0, 0, 0, 0, 1 }, from[6] = { 2, 0, 0, 0, 0, 2 };
	struct bench_frame f = { 0x89abcdef, 0x01020304, UINT64_MAX - 5, 0x1122334455667788 };
	struct bench_frame seen = { 0 };
	uint8_t frame[BENCH_FRAME_MIN + 1];

	(void)state;
	frame[BENCH_FRAME_MIN] = 0x77;
	bench_frame_write(frame, to, from, &f);
	assert_int_equal(frame[BENCH_FRAME_MIN], 0x77);
	assert_memory_equal(frame, to, 6);
	assert_memory_equal(frame + 6, from, 6);
	assert_true(bench_frame_read(frame, BENCH_FRAME_MIN, &seen));
	assert_true(seen.run == f.run && seen.trial == f.trial && seen.sequence == f.sequence &&
			seen.stamp == f.stamp);
	assert_false(bench_frame_read(frame, BENCH_FRAME_MIN - 1, &seen));
	frame[12]++;
	assert_false(bench_frame_read(frame, BENCH_FRAME_MIN, &seen));
	frame[12]--;
	frame[14]++;
	assert_false(bench_frame_read(frame, BENCH_FRAME_MIN, &seen));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search_finds_the_capacity),
		cmocka_unit_test(test_search_of_a_device_that_holds_back),
		cmocka_unit_test(test_search_gives_up),
		cmocka_unit_test(test_search_believes_only_what_was_sent),
		cmocka_unit_test(test_search_after_an_accident),
		cmocka_unit_test(test_imix),
		cmocka_unit_test(test_bench_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
