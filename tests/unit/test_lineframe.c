/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/jsonrpc/lineframe.c: lines come out whole however they arrive, and none too long. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "jsonrpc/lineframe.h"

#define MAX 16

static int
setup(void **state)
{
	static struct lineframe lf;

	lineframe_init(&lf, MAX);
	*state = &lf;
	return 0;
}

static int
teardown(void **state)
{
	lineframe_release(*state);
	return 0;
}

static void
append(struct lineframe *lf, const char *text)
{
	assert_int_equal(lineframe_append(lf, text, strlen(text)), 0);
}

static void
expect_bytes(struct lineframe *lf, const char *bytes, size_t expected)
{
	const char *line = NULL;
	size_t len = SIZE_MAX;

	assert_int_equal(lineframe_next(lf, &line, &len), 1);
	assert_int_equal(len, expected);
	assert_memory_equal(line, bytes, expected);
}

static void
expect_line(struct lineframe *lf, const char *text)
{
	expect_bytes(lf, text, strlen(text));
}

static void
expect_return(struct lineframe *lf, int expected)
{
	const char *line;
	size_t len;

	assert_int_equal(lineframe_next(lf, &line, &len), expected);
}

static void
test_empty_has_no_line(void **state)
{
	expect_return(*state, 0);
	assert_int_equal(lineframe_append(*state, NULL, 0), 0);
	expect_return(*state, 0);
	assert_int_equal(lineframe_pending(*state), 0);
}

static void
test_several_lines_at_once(void **state)
{
	append(*state, "one\n\nthree\nfou");
	expect_line(*state, "one");
	expect_line(*state, "");
	expect_line(*state, "three");
	expect_return(*state, 0);
	assert_int_equal(lineframe_pending(*state), 3);
	append(*state, "r\n");
	expect_line(*state, "four");
	assert_int_equal(lineframe_pending(*state), 0);
}

static void
test_byte_by_byte(void **state)
{
	static const char text[] = "first\nsecond\n";
	size_t i, lines = 0, len;
	const char *line;

	for (i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(lineframe_append(*state, &text[i], 1), 0);
		while (lineframe_next(*state, &line, &len) == 1) {
			assert_int_equal(text[i], '\n');
			assert_int_equal(len, lines == 0 ? 5 : 6);
			lines++;
		}
	}
	assert_int_equal(lines, 2);
}

static void
test_any_byte_but_newline(void **state)
{
	assert_int_equal(lineframe_append(*state, "a\0b\r\xff\n", 6), 0);
	expect_bytes(*state, "a\0b\r\xff", 5);
}

static void
test_longest_line_passes(void **state)
{
	append(*state, "0123456789abcdef");
	expect_return(*state, 0);
	append(*state, "\nx\n");
	expect_line(*state, "0123456789abcdef");
	expect_line(*state, "x");
}

static void
test_unfinished_line_over_the_bound(void **state)
{
	append(*state, "ok\n0123456789abcdefg");
	expect_line(*state, "ok");
	expect_return(*state, -EMSGSIZE);
	append(*state, "\nlater\n");
	expect_return(*state, -EMSGSIZE);
	expect_return(*state, -EMSGSIZE);
}

static void
test_finished_line_over_the_bound(void **state)
{
	append(*state, "0123456789abcdefg\n");
	expect_return(*state, -EMSGSIZE);
}

/* A stream of short lines of any length runs in the memory of its longest append. */
static void
test_memory_is_reused(void **state)
{
	struct lineframe *lf = *state;
	char text[MAX + 1];
	int i;

	for (i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "line %d\nli", i);
		append(lf, text);
		snprintf(text, sizeof(text), "%sline %d", i > 0 ? "li" : "", i);
		expect_line(lf, text);
		expect_return(lf, 0);
	}
	assert_true(lf->size <= 4096);
}

static void
test_megabyte_line(void **state)
{
	static char chunk[65536];
	struct lineframe *lf = *state;
	const char *line;
	size_t len;
	int i;

	lineframe_init(lf, LINEFRAME_MAX);
	memset(chunk, 'x', sizeof(chunk));
	for (i = 0; i < 16; i++) {
		assert_int_equal(lineframe_append(lf, chunk, sizeof(chunk)), 0);
		expect_return(lf, 0);
		/* what was searched is not searched again, or a slow sender costs a lot */
		assert_int_equal(lf->scanned, lf->end);
	}
	append(lf, "\n");
	assert_int_equal(lineframe_next(lf, &line, &len), 1);
	assert_int_equal(len, LINEFRAME_MAX);
}

static void
test_use_after_release(void **state)
{
	append(*state, "abc\n");
	lineframe_release(*state);
	assert_int_equal(lineframe_pending(*state), 0);
	append(*state, "new\n");
	expect_line(*state, "new");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty_has_no_line),
		TEST(test_several_lines_at_once),
		TEST(test_byte_by_byte),
		TEST(test_any_byte_but_newline),
		TEST(test_longest_line_passes),
		TEST(test_unfinished_line_over_the_bound),
		TEST(test_finished_line_over_the_bound),
		TEST(test_memory_is_reused),
		TEST(test_megabyte_line),
		TEST(test_use_after_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
