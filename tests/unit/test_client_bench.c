/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/measure/search.c, imix.c and bench_frame.c: the search finds what a modelled device
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

#include "packets/bench_frame.h"
#include "packets/imix.h"
#include "measure/search.h"

/* A device that loses frames above capacity, and a sender that gets no further than its own. */
struct model {
	double capacity, sender;
	double share; /* of the rate that the sender keeps, below its limit */
	double holds; /* the device holds the sender back there, without loss; 0: it does not */
	unsigned int lossy; /* the number of a trial that loses a frame by accident; 0: none */
	unsigned int short_trials,
			missed_trials; /* so many of the first are the sender's own fault */
};

#define TRIALS_MAX 60

static enum search_outcome
play(const struct model *m, unsigned int trial, double rate, double *sent)
{
	double wanted = rate == 0 || rate > m->sender ? m->sender : rate * m->share;
	bool held = m->holds > 0 && wanted > m->holds;

	*sent = held ? m->holds : wanted;
	if (trial <= m->missed_trials)
		return SEARCH_MISSED;
	if (trial <= m->short_trials) {
		*sent /= 100;
		return SEARCH_SHORT;
	}
	if (*sent > m->capacity || trial == m->lossy)
		return SEARCH_LOST;
	if (held)
		return SEARCH_HELD;
	return rate > 0 && *sent >= rate * (1 - SEARCH_PRECISION) ? SEARCH_CLEAN : SEARCH_SHORT;
}

/* Runs a whole search; each trial must lie between what is known, or repeat. */
static struct search
run(const struct model *m)
{
	struct search s = { 0 };
	double rate, sent, before = 0;
	enum search_outcome outcome;

	while (search_next(&s, &rate)) {
		if (s.trials >= TRIALS_MAX)
			fail_msg("no end: low %g, high %g, best %g", s.low, s.high, s.best);
		if (s.tries > 0)
			assert_true(rate == before);
		else
			assert_true(s.trials > 0 ? rate > s.low && rate < s.high : rate == 0);
		before = rate;
		outcome = play(m, s.trials + 1, rate, &sent);
		search_note(&s, sent, outcome);
	}
	return s;
}

static void
test_search_finds_the_capacity(void **state)
{
	static const double parts[] = { 0.002, 0.01, 0.1, 0.333, 0.5, 0.75, 0.9, 0.99, 0.999 };
	static const double senders[] = { 10, 12345, 4.5e6, 1e8 };
	struct model m = { .share = 1 };
	struct search s;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (j = 0; j < sizeof(senders) / sizeof(senders[0]); j++) {
			m.sender = senders[j];
			m.capacity = m.sender * parts[i];
			s = run(&m);
			if (s.best > m.capacity || s.best < m.capacity * (1 - 2 * SEARCH_PRECISION))
				fail_msg("%g found for %g of %g", s.best, m.capacity, m.sender);
			assert_uint_in_range(s.trials, 2, 20);
			assert_true(search_is_conclusive(&s));
			assert_int_equal(s.above, SEARCH_LOST);
		}
}

/* Full rings hold the sender back without loss: that is the answer, and one trial is enough. */
static void
test_search_of_a_device_that_holds_back(void **state)
{
	struct model m = { .capacity = 2e6, .sender = 1e6, .share = 1, .holds = 8e5 };
	struct search s = run(&m);

	(void)state;
	assert_true(s.best == 8e5);
	assert_int_equal(s.trials, 1);
	assert_int_equal(s.above, SEARCH_HELD);
	assert_true(search_is_conclusive(&s));
}

/* As fast as goes loses nothing, and more does not go: the sender is the limit, tried three times. */
static void
test_search_of_a_sender_that_is_the_limit(void **state)
{
	struct model m = { .capacity = 2e6, .sender = 1e6, .share = 1 };
	struct search s = run(&m);

	(void)state;
	assert_true(s.best == 1e6);
	assert_int_equal(s.trials, SEARCH_TRIES);
	assert_int_equal(s.above, SEARCH_SHORT);
	assert_false(search_is_conclusive(&s));
}

static void
test_search_gives_up(void **state)
{
	struct model m = { .capacity = 0, .sender = 1e6, .share = 1 };
	struct search s = run(&m);

	(void)state;
	assert_true(s.best == 0);
	assert_uint_in_range(s.trials, 9, 12);
	m.sender = 0;
	s = run(&m);
	assert_true(s.best == 0);
	assert_int_equal(s.trials, SEARCH_TRIES);
}

/* A sender that falls short does not lower what the device is said to do: it ends the search. */
static void
test_search_does_not_go_down_for_the_sender(void **state)
{
	struct model m = { .capacity = 600000, .sender = 1e6, .share = 0.9 };
	struct search s = run(&m);

	(void)state;
	assert_int_equal(s.trials, 1 + SEARCH_TRIES);
	assert_true(s.best == 450000);
	assert_int_equal(s.above, SEARCH_SHORT);
	assert_false(search_is_conclusive(&s));
	m.share = 0.995;
	s = run(&m);
	assert_true(search_is_conclusive(&s));
	assert_true(s.best <= m.capacity && s.best > m.capacity * (1 - 3 * SEARCH_PRECISION));
}

/* Trials that are the sender's own fault now and then are repeated, and change nothing. */
static void
test_search_repeats_what_decides_nothing(void **state)
{
	struct model m = { .capacity = 6e5, .sender = 1e6, .share = 1 };
	struct search s;

	(void)state;
	for (m.short_trials = 0; m.short_trials < SEARCH_TRIES; m.short_trials++) {
		m.missed_trials = SEARCH_TRIES - 1 - m.short_trials;
		s = run(&m);
		assert_true(s.best <= m.capacity);
		assert_true(s.best > m.capacity * (1 - 2 * SEARCH_PRECISION));
		assert_int_equal(s.above, SEARCH_LOST);
	}
}

/* Losses of the receiver's own at every rate are no result; those at higher rates alone may be. */
static void
test_search_of_a_receiver_that_misses_frames(void **state)
{
	struct model m = { .capacity = 2e6, .sender = 1e6, .share = 1 };
	struct search s;

	(void)state;
	m.missed_trials = TRIALS_MAX;
	s = run(&m);
	assert_true(s.best == 0);
	assert_int_equal(s.above, SEARCH_MISSED);
	assert_false(search_is_conclusive(&s));
	m.missed_trials = 2 * SEARCH_TRIES;
	s = run(&m);
	assert_true(s.best > 4.9e5 && s.best < 5e5);
	assert_false(search_is_conclusive(&s));
	m.capacity = 3e5;
	s = run(&m);
	assert_true(s.best > 2.9e5 && s.best <= 3e5);
	assert_true(search_is_conclusive(&s));
}

/* With a lower bound, three misses at a higher rate end the search. */
static void
test_search_ends_with_a_lower_bound(void **state)
{
	struct search s = { 0 };
	double rate;
	unsigned int i;

	(void)state;
	assert_true(search_next(&s, &rate));
	search_note(&s, 1e6, SEARCH_LOST);
	assert_true(search_next(&s, &rate) && rate == 5e5);
	search_note(&s, 5e5, SEARCH_CLEAN);
	for (i = 0; i < SEARCH_TRIES; i++) {
		assert_true(search_next(&s, &rate) && rate == 7.5e5);
		search_note(&s, 7.5e5, SEARCH_MISSED);
	}
	assert_false(search_next(&s, &rate));
	assert_true(s.best == 5e5);
	assert_false(search_is_conclusive(&s));
}

/* What went before is not believed when a lower rate loses frames. */
static void
test_search_believes_the_loss_at_a_lower_rate(void **state)
{
	struct search s = { 0 };
	double rate;

	(void)state;
	assert_true(search_next(&s, &rate));
	search_note(&s, 1e6, SEARCH_SHORT);
	assert_true(search_next(&s, &rate) && rate == 0);
	search_note(&s, 8e5, SEARCH_LOST);
	assert_true(s.best == 0);
	assert_true(search_next(&s, &rate) && rate == 4e5);
}

/* One accident costs the rates above it and nothing else. */
static void
test_search_after_an_accident(void **state)
{
	struct model m = { .capacity = 700000, .sender = 1e6, .share = 1, .lossy = 2 };
	double found = run(&m).best;

	(void)state;
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
		cmocka_unit_test(test_search_of_a_sender_that_is_the_limit),
		cmocka_unit_test(test_search_gives_up),
		cmocka_unit_test(test_search_does_not_go_down_for_the_sender),
		cmocka_unit_test(test_search_repeats_what_decides_nothing),
		cmocka_unit_test(test_search_of_a_receiver_that_misses_frames),
		cmocka_unit_test(test_search_ends_with_a_lower_bound),
		cmocka_unit_test(test_search_believes_the_loss_at_a_lower_rate),
		cmocka_unit_test(test_search_after_an_accident),
		cmocka_unit_test(test_imix),
		cmocka_unit_test(test_bench_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
