/* SPDX-License-Identifier: BSD-3-Clause */
/* account.c: which slow stretches are whose fault, and what follows. Times are told, not measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "datapath/account.h"

#define HZ 1000000000ull /* a cycle is a nanosecond */
#define MS (HZ / 1000)
#define SECOND HZ

#define PORT 7
#define OTHER 8

/* Goes on over all tests, so that what a test left behind is long ago for the next. */
static uint64_t now = 1000 * SECOND;

static int
setup(void **state)
{
	(void)state;
	account_init(HZ);
	account_reset(PORT, "p7");
	account_reset(OTHER, "p8");
	now += 1000 * SECOND;
	return 0;
}

static void
work(uint16_t port, uint64_t cycles)
{
	const struct thread_time time = { .worked = cycles };

	now += cycles;
	account_judge(port, &time, now);
}

static void
wait_in_kernel(uint16_t port, uint64_t cycles)
{
	const struct thread_time time = { .waited = cycles };

	now += cycles;
	account_judge(port, &time, now);
}

/* How long the port rests from now on, in milliseconds. */
static uint64_t
rest_ms(uint16_t port)
{
	uint64_t until = accounts[port].rest_until;

	return until > now ? (until - now) / MS : 0;
}

static void
test_a_little_slowness_is_allowed(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		work(PORT, 10 * MS);
		assert_int_equal(rest_ms(PORT), 0);
	}
	assert_int_equal(accounts[PORT].slow_turns, 9);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
}

static void
test_a_tenth_of_the_time_is_allowed_for_ever(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		work(PORT, 9 * MS);
		now += 91 * MS;
		assert_int_equal(rest_ms(PORT), 0);
	}
}

static void
test_more_rests_four_times_as_long(void **state)
{
	(void)state;
	for (int i = 0; i < 11; i++) /* 110 ms, of which 10 were earned meanwhile */
		work(PORT, 10 * MS);
	assert_int_equal(rest_ms(PORT), 0);
	work(PORT, 10 * MS);
	assert_int_equal(rest_ms(PORT), 40);
	assert_true(account_rests(PORT, now));
	assert_true(account_has_trouble(PORT, now));
	assert_false(account_rests(PORT, now + 40 * MS));
	assert_false(account_rests(OTHER, now));
	work(PORT, 1 * MS); /* a shorter one does not end it earlier */
	assert_int_equal(rest_ms(PORT), 39);
}

static void
test_slow_again_and_again_is_a_fault(void **state)
{
	uint64_t longest = 0;
	int i;

	(void)state;
	for (i = 0; i < 200 && accounts[PORT].fault == ACCOUNT_SOUND; i++) {
		work(PORT, 20 * MS);
		longest = rest_ms(PORT) > longest ? rest_ms(PORT) : longest;
	}
	assert_int_equal(i, 105); /* five that are allowed, and a hundred */
	assert_int_equal(longest, 64 * 20);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_FAULT_SLOW);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
}

static void
test_short_waits_are_work(void **state)
{
	(void)state;
	for (int i = 0; i < 27; i++)
		wait_in_kernel(PORT, 4 * MS);
	assert_int_equal(rest_ms(PORT), 0);
	assert_int_equal(accounts[PORT].stalls, 27);
	wait_in_kernel(PORT, 4 * MS);
	assert_int_equal(rest_ms(PORT), 100);
}

static void
test_a_stall_rests_at_once_and_doubles(void **state)
{
	(void)state;
	wait_in_kernel(PORT, 6 * MS);
	assert_int_equal(rest_ms(PORT), 100);
	now += 100 * MS;
	wait_in_kernel(PORT, 6 * MS);
	assert_int_equal(rest_ms(PORT), 6 * 256);
	now += 2 * SECOND;
	for (int i = 0; i < 5; i++) {
		wait_in_kernel(PORT, 6 * MS);
		now += 6 * SECOND;
	}
	wait_in_kernel(PORT, 6 * MS);
	assert_int_equal(rest_ms(PORT), 5000);
	now += 61 * SECOND;
	wait_in_kernel(PORT, 6 * MS);
	assert_int_equal(rest_ms(PORT), 100); /* forgotten */
}

/* A range of 1 GiB that is punched all the time: 65 ms a fault. */
static void
test_stalls_of_a_minute_sum_up_to_under_half_a_second(void **state)
{
	uint64_t end = now + 60 * SECOND, sum = 0;

	(void)state;
	while (now < end) {
		wait_in_kernel(PORT, 65 * MS);
		sum += 65;
		now += rest_ms(PORT) * MS + MS;
	}
	assert_uint_in_range(sum, 1, 499);
}

static void
test_waits_that_repeat_are_a_fault(void **state)
{
	(void)state;
	wait_in_kernel(PORT, 700 * MS);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
	wait_in_kernel(PORT, 700 * MS);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_FAULT_STALL);
}

static void
test_one_long_wait_is_no_fault(void **state)
{
	(void)state;
	wait_in_kernel(PORT, 6 * SECOND);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
	assert_int_equal(rest_ms(PORT), 100);
}

/* Reclaim, swap, another port's unmapping: everybody waits, nobody is blamed. */
static void
test_neighbours_that_wait_too_prove_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		wait_in_kernel(PORT, 200 * MS);
		wait_in_kernel(OTHER, 200 * MS);
		if (i > 0) {
			assert_uint_in_range(rest_ms(PORT), 0, 100);
			assert_uint_in_range(rest_ms(OTHER), 0, 100);
		}
	}
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
	assert_int_equal(account_take_fault(OTHER), ACCOUNT_SOUND);
	assert_int_equal(accounts[PORT].stalls, 20);
}

static void
test_suspicion_is_trouble_and_no_rest(void **state)
{
	(void)state;
	account_suspect(PORT, now);
	assert_true(account_has_trouble(PORT, now));
	assert_true(account_is_suspect(PORT, now));
	assert_false(account_rests(PORT, now));
	assert_false(account_is_suspect(PORT, now + 2 * SECOND));
}

static void
test_slow_calls_become_seldom(void **state)
{
	(void)state;
	assert_int_equal(account_slow_call(PORT, 100 * MS, 1), 0);
	assert_int_equal(account_slow_call(PORT, 100 * MS, 2), 1600 * MS);
	assert_int_equal(account_slow_call(PORT, 20 * MS, 3), 20 * SECOND);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
	assert_int_equal(account_slow_call(PORT, 100 * MS, 4), 60 * SECOND);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_FAULT_CALL);
	assert_int_equal(account_judged_already(), 320 * MS);
	assert_int_equal(account_judged_already(), 0);
}

static void
test_names_and_words(void **state)
{
	char name[SHARED_NAME_SIZE];

	(void)state;
	account_name(PORT, name);
	assert_string_equal(name, "p7");
	account_reset(PORT, "a-name-of-63-bytes-is-the-longest-that-a-port-can-have-0123456789");
	account_name(PORT, name);
	assert_string_equal(
			name, "a-name-of-63-bytes-is-the-longest-that-a-port-can-have-01234567");
	account_held(PORT);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_FAULT_HELD);
	for (int fault = ACCOUNT_SOUND; fault <= ACCOUNT_FAULT_HELD; fault++)
		assert_non_null(account_fault_text(fault));
}

static void
test_a_new_port_starts_clean(void **state)
{
	struct account_info info;

	(void)state;
	for (int i = 0; i < 20; i++)
		work(PORT, 20 * MS);
	account_add_shared(&accounts[PORT].placing, 3 * SECOND);
	account_info(PORT, &info);
	assert_int_equal(info.slow_turns, 20);
	assert_true(info.placing_s > 2.99 && info.placing_s < 3.01);
	account_reset(PORT, "p7");
	account_info(PORT, &info);
	assert_int_equal(info.slow_turns, 0);
	assert_true(info.placing_s == 0 && info.rested_s == 0);
	assert_false(account_has_trouble(PORT, now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_little_slowness_is_allowed, setup),
		cmocka_unit_test_setup(test_a_tenth_of_the_time_is_allowed_for_ever, setup),
		cmocka_unit_test_setup(test_more_rests_four_times_as_long, setup),
		cmocka_unit_test_setup(test_slow_again_and_again_is_a_fault, setup),
		cmocka_unit_test_setup(test_short_waits_are_work, setup),
		cmocka_unit_test_setup(test_a_stall_rests_at_once_and_doubles, setup),
		cmocka_unit_test_setup(
				test_stalls_of_a_minute_sum_up_to_under_half_a_second, setup),
		cmocka_unit_test_setup(test_waits_that_repeat_are_a_fault, setup),
		cmocka_unit_test_setup(test_one_long_wait_is_no_fault, setup),
		cmocka_unit_test_setup(test_neighbours_that_wait_too_prove_nothing, setup),
		cmocka_unit_test_setup(test_suspicion_is_trouble_and_no_rest, setup),
		cmocka_unit_test_setup(test_slow_calls_become_seldom, setup),
		cmocka_unit_test_setup(test_names_and_words, setup),
		cmocka_unit_test_setup(test_a_new_port_starts_clean, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
