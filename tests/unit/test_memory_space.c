/* SPDX-License-Identifier: BSD-3-Clause */
/* The address space of all frontends together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gate/memory_space.h"

#define GIB (1ull << 30)

static char why[256];

static bool
take(uint64_t *taken, uint64_t need)
{
	return memory_space_take(taken, need, why, sizeof(why));
}

/* Each gets half of what the others leave, so that nobody takes it all. */
static void
test_shares(void **state)
{
	uint64_t a = 0, b = 0, c = 0;

	(void)state;
	memory_space_init(UINT64_MAX, 2000 * GIB);
	assert_false(take(&a, 500 * GIB + 1));
	assert_string_equal(why,
			"the frontend's memory takes 500.0 GiB of address space; of 1000.0 GiB for "
			"all ports the others have 0.0, and one port may take half of the rest");
	assert_int_equal(a, 0);
	assert_true(take(&a, 500 * GIB));
	assert_false(take(&b, 251 * GIB));
	assert_true(take(&b, 250 * GIB));
	assert_true(take(&c, 125 * GIB));
	memory_space_give(&a);
	assert_true(take(&c, 300 * GIB));
	memory_space_give(&b);
	memory_space_give(&c);
	assert_true(take(&a, 500 * GIB));
}

/* Another table instead of the old one: only what the others have counts. */
static void
test_replaced(void **state)
{
	uint64_t a = 0;

	(void)state;
	memory_space_init(UINT64_MAX, 2000 * GIB);
	assert_true(take(&a, 500 * GIB));
	assert_true(take(&a, 499 * GIB));
	assert_true(take(&a, 500 * GIB));
	assert_false(take(&a, 501 * GIB));
	assert_int_equal(a, 500 * GIB);
}

static void
test_limits(void **state)
{
	uint64_t a = 0;

	(void)state;
	memory_space_init(UINT64_MAX, UINT64_MAX);
	assert_true(take(&a, MEMORY_SPACE_MAX / 2));
	assert_false(take(&a, MEMORY_SPACE_MAX / 2 + 1));
	a = 0;
	memory_space_init(GIB / 2, UINT64_MAX);
	assert_true(take(&a, 64 * GIB));
	assert_false(take(&a, 65 * GIB));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
