/* SPDX-License-Identifier: BSD-3-Clause */
/* The account of pages that the switch adds: rate, burst, total, the host's rest, and words. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rings/memory_growth.h"

#define SECOND 1000000000ull
#define MIB (1ull << 20)
#define PLENTY (1ull << 40)
#define START (1000 * SECOND)

static struct memory_growth growth;

static int
setup(void **state)
{
	(void)state;
	memory_growth_set_left((int64_t)PLENTY);
	memory_growth_init(&growth, PLENTY);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_FREE);
	return 0;
}

static void
test_burst(void **state)
{
	(void)state;
	memory_growth_add(&growth, MEMORY_GROWTH_BURST - 1);
	assert_true(memory_growth_is_free(&growth));
	memory_growth_add(&growth, 1);
	assert_false(memory_growth_is_free(&growth));
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_CHECKED);
}

/* What can be added within ten seconds by who adds whenever he is let. */
static void
test_rate(void **state)
{
	const uint64_t step = SECOND / 1000;
	uint64_t now = START;

	(void)state;
	for (; now < START + 10 * SECOND; now += step)
		while (memory_growth_is_free(&growth) ||
				memory_growth_look(&growth, now) == MEMORY_GROWTH_FREE)
			memory_growth_add(&growth, 4096);
	assert_uint_in_range(memory_growth_total(&growth),
			MEMORY_GROWTH_BURST + 9 * MEMORY_GROWTH_RATE,
			MEMORY_GROWTH_BURST + 10 * MEMORY_GROWTH_RATE + 4096);
}

/* A bucket that is full stays so, however long nothing happens. */
static void
test_full(void **state)
{
	(void)state;
	memory_growth_add(&growth, MEMORY_GROWTH_BURST);
	assert_int_equal(memory_growth_look(&growth, START + 10000 * SECOND), MEMORY_GROWTH_FREE);
	memory_growth_add(&growth, MEMORY_GROWTH_BURST);
	assert_int_equal(
			memory_growth_look(&growth, START + 10000 * SECOND), MEMORY_GROWTH_CHECKED);
}

static void
test_clock_that_stands(void **state)
{
	(void)state;
	memory_growth_add(&growth, MEMORY_GROWTH_BURST);
	assert_int_equal(memory_growth_look(&growth, START - SECOND), MEMORY_GROWTH_CHECKED);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_CHECKED);
}

static void
test_overdraft(void **state)
{
	(void)state;
	memory_growth_add(&growth, MEMORY_GROWTH_BURST + MEMORY_GROWTH_OVERDRAFT);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_CHECKED);
	memory_growth_add(&growth, 4096);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_STOPPED);
	assert_int_equal(memory_growth_look(&growth, START + SECOND / 4), MEMORY_GROWTH_CHECKED);
	assert_int_equal(memory_growth_look(&growth, START + SECOND), MEMORY_GROWTH_FREE);
}

static void
test_max(void **state)
{
	(void)state;
	memory_growth_set_max(&growth, MIB);
	memory_growth_add(&growth, MIB);
	assert_int_equal(memory_growth_look(&growth, START + SECOND), MEMORY_GROWTH_CHECKED);
	memory_growth_set_max(&growth, 2 * MIB);
	assert_true(memory_growth_is_free(&growth));
	memory_growth_add(&growth, MIB + MEMORY_GROWTH_OVERDRAFT + 1);
	assert_int_equal(memory_growth_look(&growth, START + 9 * SECOND), MEMORY_GROWTH_STOPPED);
}

/* A port stops where its share is what is left to all; another goes on. */
static void
test_host(void **state)
{
	struct memory_growth other;

	(void)state;
	memory_growth_init(&other, PLENTY);
	memory_growth_set_left(10 * MIB);
	memory_growth_add(&growth, 5 * MIB - 1);
	assert_true(memory_growth_is_free(&growth));
	memory_growth_add(&growth, 1);
	assert_int_equal(memory_growth_look(&growth, START + SECOND), MEMORY_GROWTH_CHECKED);
	memory_growth_add(&other, 2 * MIB);
	assert_true(memory_growth_is_free(&other));
	memory_growth_set_left(0);
	memory_growth_add(&other, 4096);
	assert_int_equal(memory_growth_look(&other, START + SECOND), MEMORY_GROWTH_CHECKED);
	memory_growth_set_left((int64_t)PLENTY);
	assert_int_equal(memory_growth_look(&growth, START + SECOND), MEMORY_GROWTH_FREE);
}

/* What the frontend gives back does not count for ever. */
static void
test_settle(void **state)
{
	(void)state;
	memory_growth_set_max(&growth, 2 * MIB);
	memory_growth_add(&growth, 2 * MIB);
	memory_growth_settle(&growth, 2 * MIB, 3 * MIB);
	assert_int_equal(memory_growth_total(&growth), 2 * MIB);
	memory_growth_settle(&growth, 2 * MIB, MIB);
	assert_int_equal(memory_growth_total(&growth), MIB);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_FREE);
}

/* Added between the reading of the total and the count of the files. */
static void
test_settle_late(void **state)
{
	(void)state;
	memory_growth_add(&growth, 3 * MIB);
	memory_growth_settle(&growth, 2 * MIB, MIB);
	assert_int_equal(memory_growth_total(&growth), 2 * MIB);
}

/* A guess slows down for five seconds at most, and never stops. */
static void
test_guess(void **state)
{
	(void)state;
	memory_growth_add_guess(&growth, PLENTY);
	memory_growth_add_guess(&growth, PLENTY);
	assert_int_equal(memory_growth_look(&growth, START), MEMORY_GROWTH_CHECKED);
	assert_int_equal(memory_growth_total(&growth), 0);
	for (int s = 1; s <= 5; s++)
		assert_int_equal(memory_growth_look(&growth, START + s * SECOND),
				MEMORY_GROWTH_CHECKED);
	assert_int_equal(memory_growth_look(&growth, START + 6 * SECOND), MEMORY_GROWTH_FREE);
}

static void *
guess_again(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED))
		memory_growth_add_guess(&growth, PLENTY);
	return NULL;
}

/* Guesses of the control thread while a worker pays: what is owed never exceeds its bound. */
static void
test_guess_meanwhile(void **state)
{
	uint64_t most = 0, now = START;
	bool stop = false;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, guess_again, &stop), 0);
	for (int i = 0; i < 1000000; i++) {
		uint64_t owed = __atomic_load_n(&growth.owed, __ATOMIC_RELAXED);

		most = owed > most ? owed : most;
		memory_growth_look(&growth, now += 10 * SECOND);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_uint_in_range(most, 0, MEMORY_GROWTH_OWED);
	assert_uint_in_range(growth.owed, 0, MEMORY_GROWTH_OWED);
}

static void
test_words(void **state)
{
	char text[256];

	(void)state;
	memory_growth_text(&growth, START, text, sizeof(text));
	assert_string_equal(text, "");
	memory_growth_set_max(&growth, 3 * MIB);
	memory_growth_add(&growth, 3 * MIB);
	memory_growth_refuse(&growth, START);
	memory_growth_text(&growth, START + SECOND, text, sizeof(text));
	assert_non_null(strstr(text, "has added 3 MiB"));
	assert_non_null(strstr(text, "max-memory"));
	memory_growth_text(&growth, START + 3 * SECOND, text, sizeof(text));
	assert_string_equal(text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_burst, setup),
		cmocka_unit_test_setup(test_rate, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_clock_that_stands, setup),
		cmocka_unit_test_setup(test_overdraft, setup),
		cmocka_unit_test_setup(test_max, setup),
		cmocka_unit_test_setup(test_host, setup),
		cmocka_unit_test_setup(test_settle, setup),
		cmocka_unit_test_setup(test_settle_late, setup),
		cmocka_unit_test_setup(test_guess, setup),
		cmocka_unit_test_setup(test_guess_meanwhile, setup),
		cmocka_unit_test_setup(test_words, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
