/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/packets/check_frame.c and tracker.c: no damage passes for a good frame, and what was lost,
 * doubled or reordered is counted as what it is.
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

#include "packets/check_frame.h"
#include "measure/tracker.h"

static const uint8_t alice[6] = { 0x02, 0, 0, 0, 0, 0xa1 };
static const uint8_t bob[6] = { 0x02, 0, 0, 0, 0, 0xb0 };

static void
make(uint8_t *frame, size_t size, uint32_t flow, uint64_t sequence)
{
	struct check_frame c = { .run = 0x12345678, .flow = flow, .sequence = sequence };

	check_frame_write(frame, size, bob, alice, &c);
}

static void
test_round_trip(void **state)
{
	static const size_t sizes[] = { CHECK_FRAME_MIN, 47, 53, 54, 55, 60, 64, 1514, 9018,
		WIRE_FRAME_MAX };
	static uint8_t frame[WIRE_FRAME_MAX];
	struct check_frame c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make(frame, sizes[i], 7, UINT64_C(0x100000000) + i);
		assert_int_equal(check_frame_read(frame, sizes[i], &c), CHECK_GOOD);
		assert_int_equal(c.run, 0x12345678);
		assert_int_equal(c.flow, 7);
		assert_int_equal(c.sequence, UINT64_C(0x100000000) + i);
		assert_memory_equal(frame, bob, 6);
		assert_memory_equal(frame + 6, alice, 6);
	}
}

/* Every bit of a frame, one by one. */
static void
test_each_bit_counts(void **state)
{
	uint8_t frame[75];
	struct check_frame c;
	size_t bit;

	(void)state;
	make(frame, sizeof(frame), 1, 2);
	for (bit = 0; bit < sizeof(frame) * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (check_frame_read(frame, sizeof(frame), &c) == CHECK_GOOD)
			fail_msg("bit %zu may be wrong", bit);
		frame[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(check_frame_read(frame, sizeof(frame), &c), CHECK_GOOD);
}

static void
test_size_counts(void **state)
{
	uint8_t frame[128] = { 0 };
	struct check_frame c;

	(void)state;
	make(frame, 100, 1, 2);
	assert_int_equal(check_frame_read(frame, 99, &c), CHECK_CORRUPT);
	assert_int_equal(check_frame_read(frame, 101, &c), CHECK_CORRUPT);
	assert_int_equal(check_frame_read(frame, CHECK_FRAME_MIN, &c), CHECK_CORRUPT);
	assert_int_equal(check_frame_read(frame, CHECK_FRAME_MIN - 1, &c), CHECK_OTHER);
	frame[13]++;
	assert_int_equal(check_frame_read(frame, 100, &c), CHECK_OTHER);
}

/* Halves of two good frames that differ in a single field; words in another order. */
static void
test_mixtures_are_corrupt(void **state)
{
	uint8_t one[128], two[128], mixed[128], word[8];
	struct check_frame c;
	size_t cut;

	(void)state;
	make(one, sizeof(one), 1, 5);
	make(two, sizeof(two), 1, 6);
	for (cut = CHECK_FRAME_MIN; cut < sizeof(one); cut++) {
		memcpy(mixed, one, cut);
		memcpy(mixed + cut, two + cut, sizeof(two) - cut);
		assert_int_equal(check_frame_read(mixed, sizeof(mixed), &c), CHECK_CORRUPT);
	}
	memcpy(word, one + 46, 8);
	memmove(one + 46, one + 54, 8);
	memcpy(one + 54, word, 8);
	assert_int_equal(check_frame_read(one, sizeof(one), &c), CHECK_CORRUPT);
}

static void
test_echoed_frame_is_good(void **state)
{
	uint8_t frame[64];
	struct check_frame c;

	(void)state;
	make(frame, sizeof(frame), 1, 5);
	memcpy(frame, alice, 6);
	memcpy(frame + 6, bob, 6);
	assert_int_equal(check_frame_read(frame, sizeof(frame), &c), CHECK_GOOD);
}

static void
note_all(struct tracker *t, uint32_t flow, const uint64_t *numbers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		assert_int_equal(tracker_note(t, 1, flow, numbers[i]), 0);
}

static void
assert_counts(const struct tracker *t, uint64_t frames, uint64_t lost, uint64_t duplicated,
		uint64_t reordered)
{
	struct tracker_counts c = tracker_total(t);

	assert_int_equal(c.frames, frames);
	assert_int_equal(c.lost, lost);
	assert_int_equal(c.duplicated, duplicated);
	assert_int_equal(c.reordered, reordered);
}

#define NOTE(t, flow, ...)                                                                         \
	do {                                                                                       \
		const uint64_t numbers_[] = { __VA_ARGS__ };                                       \
		note_all(t, flow, numbers_, sizeof(numbers_) / sizeof(numbers_[0]));               \
	} while (0)

static void
test_tracker_counts(void **state)
{
	struct tracker *t = tracker_create(false);

	(void)state;
	assert_non_null(t);
	assert_counts(t, 0, 0, 0, 0);
	NOTE(t, 0, 0, 1, 2, 3);
	assert_counts(t, 4, 0, 0, 0);
	NOTE(t, 0, 6);
	assert_counts(t, 5, 2, 0, 0);
	NOTE(t, 0, 4);
	assert_counts(t, 6, 1, 0, 1);
	NOTE(t, 0, 4, 6, 0);
	assert_counts(t, 9, 1, 3, 1);
	NOTE(t, 0, 5);
	assert_counts(t, 10, 0, 3, 2);
	tracker_destroy(t);
}

static void
test_tracker_starts_with_zero_or_joins(void **state)
{
	struct tracker *t = tracker_create(false);

	(void)state;
	NOTE(t, 0, 3);
	assert_counts(t, 1, 3, 0, 0);
	tracker_destroy(t);
	t = tracker_create(true);
	NOTE(t, 0, 1000000, 1000001, 1000003);
	assert_counts(t, 3, 1, 0, 0);
	NOTE(t, 0, 999999);
	assert_counts(t, 4, 1, 0, 1);
	tracker_destroy(t);
}

/* The window moves over its own end many times. */
static void
test_tracker_window(void **state)
{
	struct tracker *t = tracker_create(false);
	uint64_t n;

	(void)state;
	for (n = 0; n < 5 * TRACKER_WINDOW; n++)
		NOTE(t, 0, n);
	assert_counts(t, n, 0, 0, 0);
	NOTE(t, 0, n - TRACKER_WINDOW, n - 1);
	assert_counts(t, n + 2, 0, 2, 0);
	/* Older than the window: a duplicate while nothing is missing. */
	NOTE(t, 0, 0);
	assert_counts(t, n + 3, 0, 3, 0);
	tracker_destroy(t);
}

/* Numbers that a jump skipped have not come yet, though their places held older ones that had. */
static void
test_tracker_jumps(void **state)
{
	struct tracker *t = tracker_create(false);
	uint64_t n;

	(void)state;
	for (n = 0; n < 2 * TRACKER_WINDOW; n++)
		NOTE(t, 0, n);
	NOTE(t, 0, n + 10);
	assert_counts(t, n + 1, 10, 0, 0);
	NOTE(t, 0, n + 9, n, n + 5);
	assert_counts(t, n + 4, 7, 0, 3);
	/* Older than the window, and something is missing. */
	NOTE(t, 0, 3);
	assert_counts(t, n + 5, 6, 0, 4);
	tracker_destroy(t);
}

/* A jump over the whole window. */
static void
test_tracker_leaps(void **state)
{
	struct tracker *t = tracker_create(false);
	uint64_t n;

	(void)state;
	for (n = 0; n < TRACKER_WINDOW + 5; n++)
		NOTE(t, 0, n);
	NOTE(t, 0, n + TRACKER_WINDOW - 1);
	assert_counts(t, n + 1, TRACKER_WINDOW - 1, 0, 0);
	NOTE(t, 0, n, n + 63, n + 64);
	assert_counts(t, n + 4, TRACKER_WINDOW - 4, 0, 3);
	NOTE(t, 0, n + 10 * TRACKER_WINDOW, n + 9 * TRACKER_WINDOW + 1);
	assert_counts(t, n + 6, 10 * TRACKER_WINDOW + 1 - 6, 0, 4);
	NOTE(t, 0, n + 9 * TRACKER_WINDOW + 1);
	assert_counts(t, n + 7, 10 * TRACKER_WINDOW + 1 - 6, 1, 4);
	tracker_destroy(t);
}

/* The same flow of a sender that was started again is another. */
static void
test_tracker_runs(void **state)
{
	struct tracker *t = tracker_create(false);

	(void)state;
	assert_int_equal(tracker_note(t, 1, 5, 0), 0);
	assert_int_equal(tracker_note(t, 2, 5, 0), 0);
	assert_int_equal(tracker_flow_count(t), 2);
	assert_counts(t, 2, 0, 0, 0);
	tracker_destroy(t);
}

static void
test_tracker_flows(void **state)
{
	struct tracker *t = tracker_create(false);
	struct tracker_counts c;
	uint32_t run, flow, i;

	(void)state;
	for (i = 0; i < TRACKER_FLOWS_MAX; i++)
		assert_int_equal(tracker_note(t, i % 3, i * 7, i % 2), 0);
	assert_int_equal(tracker_flow_count(t), TRACKER_FLOWS_MAX);
	assert_int_equal(tracker_note(t, 9, 1, 0), -ENOSPC);
	tracker_note_corrupt(t, 1, 7);
	tracker_note_corrupt(t, 9, 9);
	c = tracker_flow(t, 1, &run, &flow);
	assert_int_equal(run, 1);
	assert_int_equal(flow, 7);
	assert_int_equal(c.frames, 1);
	assert_int_equal(c.lost, 1);
	assert_int_equal(c.corrupted, 1);
	assert_int_equal(tracker_flow(t, TRACKER_FLOWS_MAX - 1, &run, &flow).frames, 1);
	assert_int_equal(flow, (TRACKER_FLOWS_MAX - 1) * 7);
	assert_int_equal(tracker_total(t).lost, TRACKER_FLOWS_MAX / 2);
	assert_int_equal(tracker_total(t).corrupted, 2);
	tracker_destroy(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_each_bit_counts),
		cmocka_unit_test(test_size_counts),
		cmocka_unit_test(test_mixtures_are_corrupt),
		cmocka_unit_test(test_echoed_frame_is_good),
		cmocka_unit_test(test_tracker_counts),
		cmocka_unit_test(test_tracker_starts_with_zero_or_joins),
		cmocka_unit_test(test_tracker_window),
		cmocka_unit_test(test_tracker_jumps),
		cmocka_unit_test(test_tracker_leaps),
		cmocka_unit_test(test_tracker_runs),
		cmocka_unit_test(test_tracker_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
