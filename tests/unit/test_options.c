/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/options/options.c and options_help.c: one table reads, refuses and explains. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options/options.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_ARGUMENTS 16

static const struct option_spec specs[] = {
	{ .name = "path",
			.letter = 'p',
			.type = OPTION_TEXT,
			.arg = "SOCKET",
			.help = "socket to connect to; may be repeated" },
	{ .name = "workers",
			.letter = 'w',
			.type = OPTION_INTEGER,
			.arg = "N",
			.min = 1,
			.max = 64,
			.default_text = "1",
			.help = "threads that forward frames" },
	{ .name = "rate", .type = OPTION_NUMBER, .arg = "FPS", .help = "frames a second" },
	{ .name = "huge",
			.type = OPTION_CHOICE,
			.arg = "auto|on|off",
			.choices = "auto|on|off",
			.default_text = "auto",
			.help = "use of hugepages, which is a long story that does not fit into the rest of the line" },
	{ .name = "learn", .type = OPTION_BOOL, .arg = "on|off", .help = "learn addresses" },
	{ .name = "json", .letter = 'j', .help = "print JSON" },
	{ .name = "a-name-that-is-too-long-for-the-column",
			.type = OPTION_TEXT,
			.arg = "X",
			.help = "on its own line" },
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

static const struct options_program program = {
	.name = "prog",
	.usage = "[OPTIONS] WORD",
	.summary = "Does things.",
	.specs = specs,
	.spec_count = ARRAY_SIZE(specs),
	.epilog = "Examples:\nprog x",
};

/* Parses what is in line, separated by blanks; '~' stands for an empty argument. */
static int
parse_as(const struct options_program *prog, const char *line, struct options *o, char *err,
		size_t err_size)
{
	static char copy[512], name[] = "prog", empty[] = "";
	static char *argv[MAX_ARGUMENTS];
	char *word, *save = NULL;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	argv[0] = name;
	for (word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(word, "~") == 0 ? empty : word;
	assert_true(argc < MAX_ARGUMENTS);
	return options_parse(prog, argc, argv, o, err, err_size);
}

static void
parse(const char *line, struct options *o)
{
	char err[512] = "";

	if (parse_as(&program, line, o, err, sizeof(err)) != 0)
		fail_msg("%s: %s", line, err);
}

static void
test_every_notation(void **state)
{
	static const char *const lines[] = {
		"one --path a --workers 4 --json two",
		"--path=a one two --workers=4 -j",
		"one two -p a -w 4 -j",
		"-jpa one -w4 two",
		"-jw4 --path a -- one two",
	};
	struct options o;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		parse(lines[i], &o);
		assert_string_equal(options_text(&o, "path", NULL), "a");
		assert_int_equal(options_integer(&o, "workers", 0), 4);
		assert_true(options_given(&o, "json"));
		assert_int_equal(o.word_count, 2);
		assert_string_equal(o.words[0], "one");
		assert_string_equal(o.words[1], "two");
		options_release(&o);
	}
}

static void
test_what_was_not_given(void **state)
{
	struct options o;

	(void)state;
	parse("", &o);
	assert_int_equal(o.word_count, 0);
	assert_false(options_given(&o, "json"));
	assert_null(options_find(&o, "path"));
	assert_string_equal(options_text(&o, "path", "x"), "x");
	assert_int_equal(options_integer(&o, "workers", 7), 7);
	assert_true(options_number(&o, "rate", 2.5) == 2.5);
	options_release(&o);
}

static void
test_types(void **state)
{
	struct options o;

	(void)state;
	parse("--rate 1.5M --huge off --learn yes", &o);
	assert_true(options_number(&o, "rate", 0) == 1.5e6);
	assert_string_equal(options_text(&o, "huge", NULL), "off");
	assert_int_equal(options_integer(&o, "learn", 0), 1);
	options_release(&o);
}

/* The last one counts; a reader of all of them gets them in order. */
static void
test_repeated_options(void **state)
{
	struct options o;
	size_t position = 0;

	(void)state;
	parse("-w 1 --path a -w 2 --path b", &o);
	assert_int_equal(options_integer(&o, "workers", 0), 2);
	assert_string_equal(options_text(&o, "path", NULL), "b");
	assert_string_equal(options_next(&o, "path", &position)->text, "a");
	assert_string_equal(options_next(&o, "path", &position)->text, "b");
	assert_null(options_next(&o, "path", &position));
	options_release(&o);
}

static void
test_after_two_dashes(void **state)
{
	struct options_program with_rest = program;
	struct options o;
	char err[128];

	(void)state;
	parse("one -- --json -x --", &o);
	assert_int_equal(o.word_count, 4);
	assert_string_equal(o.words[1], "--json");
	assert_string_equal(o.words[3], "--");
	assert_int_equal(o.rest_count, 0);
	assert_false(options_given(&o, "json"));
	options_release(&o);

	with_rest.has_rest = true;
	assert_int_equal(parse_as(&with_rest, "one -- -l 3 --json", &o, err, sizeof(err)), 0);
	assert_int_equal(o.word_count, 1);
	assert_int_equal(o.rest_count, 3);
	assert_string_equal(o.rest[0], "-l");
	assert_string_equal(o.rest[2], "--json");
	options_release(&o);
}

static void
test_words_with_a_dash(void **state)
{
	struct options o;

	(void)state;
	parse("- --path - --rate 5", &o);
	assert_int_equal(o.word_count, 1);
	assert_string_equal(o.words[0], "-");
	assert_string_equal(options_text(&o, "path", NULL), "-");
	options_release(&o);
	parse("--path -5", &o);
	assert_string_equal(options_text(&o, "path", NULL), "-5");
	options_release(&o);
	parse("--path=--json", &o);
	assert_string_equal(options_text(&o, "path", NULL), "--json");
	assert_false(options_given(&o, "json"));
	options_release(&o);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "--paht a", "unknown option --paht; did you mean --path?" },
		{ "--paht=a", "unknown option --paht; did you mean --path?" },
		{ "--work 3", "unknown option --work; did you mean --workers?" },
		{ "--zzz", "unknown option --zzz" },
		{ "-x", "unknown option -x" },
		{ "-jx", "unknown option -jx" },
		{ "-json", "unknown option -json; did you mean --json?" },
		{ "--=3", "unknown option --" },
		{ "--path", "--path needs a value: --path SOCKET" },
		{ "-p", "--path needs a value: --path SOCKET" },
		{ "--path --json", "--path needs a value: --path SOCKET" },
		{ "--path --workers=3", "--path needs a value: --path SOCKET" },
		{ "--path -j", "--path needs a value: --path SOCKET" },
		{ "--path --", "--path needs a value: --path SOCKET" },
		{ "--path ~", "--path: the value is empty" },
		{ "--path=", "--path: the value is empty" },
		{ "--json=1", "--json takes no value" },
		{ "--workers 0", "--workers: '0' is not a whole number from 1 to 64" },
		{ "-w65", "--workers: '65' is not a whole number from 1 to 64" },
		{ "--rate fast",
				"--rate: 'fast' is not a number from 0 to 9.22E (k, M and G may follow)" },
		{ "--huge of", "--huge: 'of' is none of auto|on|off; did you mean off?" },
		{ "--huge on|off", "--huge: 'on|off' is none of auto|on|off" },
		{ "--huge ~", "--huge: '' is none of auto|on|off" },
		{ "--learn 2", "--learn: '2' is neither on nor off" },
	};
	struct options o;
	char err[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		err[0] = '\0';
		if (parse_as(&program, cases[i].line, &o, err, sizeof(err)) != -EINVAL)
			fail_msg("%s is accepted", cases[i].line);
		assert_string_equal(err, cases[i].why);
	}
}

static void
test_help_fits(void **state)
{
	char *text = NULL, *line, *save = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	options_print_help(out, &program);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "Usage: prog [OPTIONS] WORD\n\nDoes things.\n\nOptions:\n"));
	assert_non_null(strstr(text, "\n  -p, --path SOCKET"));
	assert_non_null(strstr(text, "\n      --rate FPS"));
	assert_non_null(strstr(text, "threads that forward frames (default: 1)\n"));
	assert_non_null(strstr(
			text, "too-long-for-the-column X\n                          on its own"));
	assert_non_null(strstr(text, "\n\nExamples:\nprog x\n"));
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (strlen(line) > 80)
			fail_msg("over 80 columns: %s", line);
	free(text);
}

/* The help of every verb begins in one column. */
static void
test_verbs_are_aligned(void **state)
{
	static const struct options_verb verbs[] = { { "ping", "ADDR", "ask" },
		{ "echo", NULL,
				"send back whatever comes in, with its addresses swapped, to where it "
				"came from" } };
	struct options_program with_verbs = program;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	with_verbs.verbs_title = "Roles";
	with_verbs.verbs = verbs;
	with_verbs.verb_count = ARRAY_SIZE(verbs);
	options_print_help(out, &with_verbs);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text,
			"Does things.\n\nRoles:\n"
			"  ping ADDR  ask\n"
			"  echo       send back whatever comes in, with its addresses swapped, to where\n"
			"             it came from\n\nOptions:\n"));
	free(text);
}

static void
test_wrapping(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	options_print_wrapped(out, 0, 4,
			"one two\nthree aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
			"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c d e f");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
			"    one two\n    three aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
			"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n    c d e f\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_notation),
		cmocka_unit_test(test_what_was_not_given),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_repeated_options),
		cmocka_unit_test(test_after_two_dashes),
		cmocka_unit_test(test_words_with_a_dash),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_help_fits),
		cmocka_unit_test(test_verbs_are_aligned),
		cmocka_unit_test(test_wrapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
