/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker's time is made of: thread_time.c on real sleeps, fair_share.h, burst_private.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "worker/burst_private.h"
#include "base/copy.h"
#include "worker/fair_share.h"
#include "worker/short_turns.h"
#include "base/thread_time.h"
#include "base/tsc.h"

#define SOURCES 8

static uint64_t hz;

static void
sleep_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static int
measure_hz(void **state)
{
	struct timespec before, after;
	uint64_t start = tsc_read();
	double seconds;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	sleep_ms(50);
	clock_gettime(CLOCK_MONOTONIC, &after);
	seconds = (double)(after.tv_sec - before.tv_sec) +
			(double)(after.tv_nsec - before.tv_nsec) / 1e9;
	hz = (uint64_t)((double)(tsc_read() - start) / seconds);
	thread_time_init(hz);
	return 0;
}

/* CPU time of the thread, by which others that have the CPU do not count. */
static uint64_t
cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void
work_ms(uint64_t ms)
{
	uint64_t end = cpu_ns() + ms * 1000000;

	while (cpu_ns() < end)
		;
}

/* The thread waits while the watchdog goes on. */
static void
wait_ms(long ms)
{
	sleep_ms(ms);
	for (int i = 0; i < 10; i++)
		thread_time_tick();
}

static void
test_work_is_work(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_gap(tsc_read(), tsc_read(), false);
	start = tsc_read();
	work_ms(30);
	thread_time_judge(start, tsc_read(), &time);
	assert_uint_in_range(time.worked, hz / 1000 * 20, hz / 1000 * 31);
	assert_uint_in_range(time.waited, 0, hz / 1000 * 5);
}

static void
test_a_wait_is_a_wait(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_judge(0, tsc_read(), &time); /* a fresh sample */
	start = tsc_read();
	wait_ms(50);
	errno = ENOTTY;
	thread_time_judge(start, tsc_read(), &time);
	assert_int_equal(errno, ENOTTY);
	assert_uint_in_range(time.waited, hz / 1000 * 40, hz / 1000 * 60);
	assert_uint_in_range(time.worked, 0, hz / 1000 * 5);
}

/* The host had to make room for a page: neither work nor a wait. */
static void
test_a_page_that_is_slow_is_nothing(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_judge(0, tsc_read(), &time);
	start = tsc_read();
	wait_ms(50);
	thread_time_page(tsc_read() - start);
	thread_time_judge(start, tsc_read(), &time);
	assert_uint_in_range(time.waited, 0, hz / 1000 * 5);
	start = tsc_read();
	wait_ms(20);
	thread_time_page(hz / 1000000); /* a page as usual */
	thread_time_judge(start, tsc_read(), &time);
	assert_uint_in_range(time.waited, hz / 1000 * 15, hz / 1000 * 30);
}

/* The whole process was stopped: the watchdog did not tick either. */
static void
test_a_stop_is_no_wait(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_judge(0, tsc_read(), &time);
	start = tsc_read();
	sleep_ms(50);
	thread_time_judge(start, tsc_read(), &time);
	assert_int_equal(time.waited, 0);
}

/* A call while frames are placed is judged first: what the machine took then is no work of the placing. */
static void
test_a_stretch_around_one_that_was_judged(void **state)
{
	struct thread_time call, placing;
	uint64_t start, inner, end;

	(void)state;
	thread_time_judge(0, tsc_read(), &call);
	start = tsc_read();
	work_ms(10);
	inner = tsc_read();
	sleep_ms(50);
	end = tsc_read();
	thread_time_judge(inner, end, &call);
	thread_time_judge(start, tsc_read(), &placing);
	assert_uint_in_range(call.worked, 0, hz / 1000 * 5);
	assert_uint_in_range(placing.worked, hz / 1000 * 5, hz / 1000 * 20);
	assert_int_equal(placing.waited, 0);
}

/* Each stretch begins where the one before it has ended, which is before that one was judged. */
static void
test_a_stretch_after_one_that_was_judged(void **state)
{
	struct thread_time first, second;
	uint64_t start, middle, end;

	(void)state;
	thread_time_judge(0, tsc_read(), &first);
	start = tsc_read();
	wait_ms(50);
	middle = tsc_read();
	thread_time_judge(start, middle, &first);
	work_ms(10);
	end = tsc_read();
	thread_time_judge(middle, end, &second);
	assert_true(first.waited > 0);
	assert_int_equal(second.waited, 0);
	assert_uint_in_range(second.worked, hz / 1000 * 5, hz / 1000 * 20);
}

/* Time that nobody accounts for is no wait when the thread slept by its own will alone. */
static void
test_stolen_time_is_no_wait(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_judge(0, tsc_read(), &time);
	start = tsc_read();
	sleep_ms(3);
	thread_time_tick();
	thread_time_gap(start, start, true); /* that sleep was its own, for all that is known */
	thread_time_judge(start, tsc_read(), &time);
	assert_int_equal(time.waited, 0);
}

/* A thread that went to sleep by itself is not held to have waited. */
static void
test_a_gap_is_nothing(void **state)
{
	struct thread_time time;
	uint64_t start;

	(void)state;
	thread_time_judge(0, tsc_read(), &time);
	start = tsc_read();
	sleep_ms(2);
	thread_time_gap(start, tsc_read(), true);
	start = tsc_read();
	work_ms(20);
	thread_time_judge(start, tsc_read(), &time);
	assert_uint_in_range(time.waited, 0, hz / 1000);
	thread_time_end();
}

/* One round of a worker that never gets to the end of its work; `costs` cycles a turn, 0: idle. */
static void
play_round(struct fair_share *fair, struct source *sources, const uint64_t *costs, uint64_t *had)
{
	fair_share_begin_round(fair);
	for (int i = 0; i < SOURCES; i++) {
		if (fair_share_passes_over(fair, &sources[i]))
			continue;
		if (costs[i] == 0) {
			fair_share_skip(fair, &sources[i]);
			continue;
		}
		fair_share_serve(fair, &sources[i], costs[i]);
		had[i] += costs[i];
	}
	fair_share_end_round(fair);
}

static void
test_shares_are_of_time(void **state)
{
	const uint64_t costs[SOURCES] = { 5000, 100, 100, 100, 200, 50, 100, 100 };
	struct fair_share fair = { .ahead = 1000 };
	struct source sources[SOURCES] = { 0 };
	uint64_t had[SOURCES] = { 0 }, sum = 0;

	(void)state;
	for (int i = 0; i < 100000; i++)
		play_round(&fair, sources, costs, had);
	for (int i = 0; i < SOURCES; i++)
		sum += had[i];
	for (int i = 0; i < SOURCES; i++)
		assert_uint_in_range(had[i], sum / SOURCES * 95 / 100, sum / SOURCES * 105 / 100);
}

/* The only source with work is never passed over, and an idle one saves nothing up. */
static void
test_idle_sources_hold_nobody_up(void **state)
{
	uint64_t costs[SOURCES] = { 5000 };
	struct fair_share fair = { .ahead = 1000 };
	struct source sources[SOURCES] = { 0 };
	uint64_t had[SOURCES] = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		play_round(&fair, sources, costs, had);
	assert_uint_in_range(had[0], 990 * 5000, 1000 * 5000);
	costs[1] = 5000;
	had[0] = 0;
	for (int i = 0; i < 1000; i++)
		play_round(&fair, sources, costs, had);
	assert_uint_in_range(had[0], had[1] * 9 / 10, had[1] * 11 / 10);
}

/* Four frames, then one; and back to a burst by doubling. */
static void
test_turns_are_short_after_slow_ones(void **state)
{
	struct source source = { .frames_max = BURST_MAX };
	uint64_t now = 1000, steps = 0;

	(void)state;
	short_turns_step(&source, now, 10);
	assert_int_equal(source.frames_max, BURST_MAX);
	short_turns_begin(&source, now, 10);
	assert_int_equal(source.frames_max, SHORT_TURNS_FRAMES);
	now += SHORT_TURNS_MS * 10 - 1;
	short_turns_step(&source, now, 10);
	assert_int_equal(source.frames_max, SHORT_TURNS_FRAMES);
	short_turns_begin(&source, now, 10);
	assert_int_equal(source.frames_max, 1);
	now += SHORT_TURNS_MS * 10;
	for (uint32_t frames = 2; frames <= BURST_MAX; frames *= 2, steps++) {
		short_turns_step(&source, now, 10);
		assert_int_equal(source.frames_max, frames);
		short_turns_step(&source, now + SHORT_TURNS_STEP_MS * 10 - 1, 10);
		assert_int_equal(source.frames_max, frames);
		now += SHORT_TURNS_STEP_MS * 10;
	}
	assert_int_equal(steps, 6);
	short_turns_step(&source, now, 10);
	assert_int_equal(source.frames_max, BURST_MAX);
}

static void
test_a_private_copy_is_the_frame(void **state)
{
	struct burst *burst = aligned_alloc(64, sizeof(*burst));
	struct burst_private *copy = malloc(sizeof(*copy));
	static uint8_t memory[5000];

	(void)state;
	copy_init();
	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(i * 7);
	burst->segments[0] = (struct frame_segment){ memory, 10 };
	burst->segments[1] = (struct frame_segment){ memory + 1000, 3000 };
	burst->segments[2] = (struct frame_segment){ memory + 10, 990 };
	burst->frames[0].segments = burst->segments;
	burst->frames[0].n_segments = 3;
	burst->frames[0].len = 4000;
	burst->frames[1].segments = burst->segments;
	burst->frames[1].n_segments = 1;
	burst->frames[1].len = 10;
	burst->n = 2;
	assert_true(burst_private_copy(burst, copy));
	assert_int_equal(burst->frames[0].n_segments, 1);
	assert_int_equal(burst->frames[0].segments->len, 4000);
	assert_memory_equal(burst->frames[0].segments->data, memory, 10);
	assert_memory_equal(burst->frames[0].segments->data + 10, memory + 1000, 3000);
	assert_memory_equal(burst->frames[0].segments->data + 3010, memory + 10, 990);
	assert_memory_equal(burst->frames[1].segments->data, memory, 10);
	assert_ptr_not_equal(burst->frames[1].segments->data, memory);
	free(copy);
	free(burst);
}

/* What does not fit stays where it was, and the caller is told. */
static void
test_a_private_copy_has_an_end(void **state)
{
	const uint32_t len = 60000, fit = BURST_PRIVATE_LEN / len;
	struct burst *burst = aligned_alloc(64, sizeof(*burst));
	struct burst_private *copy = malloc(sizeof(*copy));
	uint8_t *memory = calloc(1, len);

	(void)state;
	for (uint32_t i = 0; i < fit + 2; i++) {
		burst->segments[i] = (struct frame_segment){ memory, len };
		burst->frames[i].segments = &burst->segments[i];
		burst->frames[i].n_segments = 1;
		burst->frames[i].len = len;
	}
	burst->n = fit + 2;
	assert_false(burst_private_copy(burst, copy));
	assert_ptr_not_equal(burst->frames[fit - 1].segments->data, memory);
	assert_ptr_equal(burst->frames[fit].segments->data, memory);
	assert_ptr_equal(burst->frames[fit + 1].segments->data, memory);
	free(memory);
	free(copy);
	free(burst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_is_work),
		cmocka_unit_test(test_a_wait_is_a_wait),
		cmocka_unit_test(test_a_page_that_is_slow_is_nothing),
		cmocka_unit_test(test_a_stop_is_no_wait),
		cmocka_unit_test(test_a_stretch_around_one_that_was_judged),
		cmocka_unit_test(test_a_stretch_after_one_that_was_judged),
		cmocka_unit_test(test_stolen_time_is_no_wait),
		cmocka_unit_test(test_a_gap_is_nothing),
		cmocka_unit_test(test_shares_are_of_time),
		cmocka_unit_test(test_idle_sources_hold_nobody_up),
		cmocka_unit_test(test_turns_are_short_after_slow_ones),
		cmocka_unit_test(test_a_private_copy_is_the_frame),
		cmocka_unit_test(test_a_private_copy_has_an_end),
	};

	return cmocka_run_group_tests(tests, measure_hz, NULL);
}
