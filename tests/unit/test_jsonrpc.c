/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks common/jsonrpc/jsonrpc.c against the specification: what is JSON and what is not, which requests
 * are valid and what id their answer carries, batches, and the shape of what is built. Many cases
 * are the examples of section 7 of the specification.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jsonrpc/jsonrpc.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Checks the one line that a message is sent as, and frees the message. */
static void
expect_message(json_t *message, const char *expected)
{
	size_t len = 0;
	char *line;

	assert_non_null(message);
	line = jsonrpc_line(message, &len);
	assert_non_null(line);
	assert_int_equal(len, strlen(line));
	assert_int_equal(line[len - 1], '\n');
	line[len - 1] = '\0';
	assert_string_equal(line, expected);
	free(line);
	json_decref(message);
}

static int
parse(const char *text, size_t len, char *err, size_t err_size)
{
	json_t *value = NULL;
	int code = jsonrpc_parse_json(text, len, &value, err, err_size);

	assert_int_equal(code == 0, value != NULL);
	json_decref(value);
	return code;
}

static void
test_not_json(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* part of the message */
	} cases[] = {
		{ "", "byte 0" },
		{ "{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]",
				"byte" },
		{ "{\"a\":1,\"a\":2}", "duplicate object key" },
		{ "{\"x\":{\"a\":1,\"b\":0,\"a\":1}}", "duplicate object key" },
		{ "{} {}", "end of file expected" },
		{ "{}x", "end of file expected" },
		{ "{\"a\":1,}", "byte" },
		{ "[1,2", "byte" },
		{ "{'a':1}", "byte" },
		{ "NaN", "byte" },
		{ "\"\xff\"", "byte" },
		{ "\"\xc0\x80\"", "byte" },
		{ "\"\xed\xa0\x80\"", "byte" },
		{ "\"\\ud800\"", "byte" },
		{ "\"\\u0000\"", "byte" },
		{ "123456789012345678901234567890", "too big" },
	};
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		err[0] = '\0';
		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), err, sizeof(err)),
				JSONRPC_PARSE_ERROR);
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("%s: '%s' lacks '%s'", cases[i].text, err, cases[i].why);
	}
	assert_int_equal(parse("{}\0", 3, err, sizeof(err)), JSONRPC_PARSE_ERROR);
}

/* The request's id as it is written into an answer; free() it. */
static char *
answer_id(const char *line)
{
	struct jsonrpc_request request;
	struct jsonrpc_batch batch;
	char err[256], *text, *id;
	json_t *reply;
	size_t len;

	assert_int_equal(jsonrpc_batch_begin(&batch, line, strlen(line)), 0);
	assert_int_equal(jsonrpc_batch_read(&batch, err, sizeof(err)), 0);
	(void)jsonrpc_batch_request(&batch, 0, &request, err, sizeof(err));
	reply = jsonrpc_result(request.id, json_string("\"\\u0000"));
	text = jsonrpc_dump(reply, &len);
	assert_non_null(text);
	assert_int_equal(len, strlen(text));
	assert_int_equal(text[len - 1], '}');
	text[len - 1] = '\0';
	id = strstr(text, ",\"id\":");
	assert_non_null(id);
	id = strdup(id + strlen(",\"id\":"));
	free(text);
	json_decref(reply);
	jsonrpc_batch_release(&batch);
	return id;
}

static void
test_ids_are_echoed(void **state)
{
	static const char *const numbers[] = { "0", "-0", "7", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "123456789012345678901234567890", "0.0", "1.0", "1.50",
		"1e5", "1E+5", "-2.5e-3", "1e400", "-1e400", "0.30000000000000004441" };
	static const char *const shapes[] = {
		"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":%s}",
		"{\"id\" : %s , \"method\":\"id\",\"params\":{\"id\":5.50}}",
		"[{\"params\":[\"id\",1e1],\"i\\u0064\":%s}]",
		"{\"a\":\"\\\"id\",\"\\u0069\\u0064\":\t%s\r}",
	};
	char line[256], *id;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (j = 0; j < ARRAY_SIZE(shapes); j++) {
			snprintf(line, sizeof(line), shapes[j], numbers[i]);
			id = answer_id(line);
			assert_string_equal(id, numbers[i]);
			free(id);
		}
	}
}

/* What is too large to be held is the largest that is: it is out of anybody's range. */
static void
test_large_numbers(void **state)
{
	static const char line[] = "[[18446744073709551615,-9223372036854775809,1e999,-1e999,"
				   "9223372036854775807,{\"id\":99999999999999999999}]]";
	struct jsonrpc_batch batch;
	json_t *element;
	char err[256];

	(void)state;
	assert_int_equal(jsonrpc_batch_begin(&batch, line, strlen(line)), 0);
	assert_int_equal(jsonrpc_batch_read(&batch, err, sizeof(err)), 0);
	element = json_array_get(batch.requests, 0);
	assert_true(json_integer_value(json_array_get(element, 0)) == INT64_MAX);
	assert_true(json_integer_value(json_array_get(element, 1)) == INT64_MIN);
	assert_true(json_real_value(json_array_get(element, 2)) > 9e307);
	assert_true(json_real_value(json_array_get(element, 3)) < -9e307);
	assert_true(json_integer_value(json_array_get(element, 4)) == INT64_MAX);
	assert_true(json_integer_value(json_object_get(json_array_get(element, 5), "id")) ==
			INT64_MAX);
	jsonrpc_batch_release(&batch);
}

/* What is no number of JSON's is still refused, in the place of an id too. */
static void
test_not_numbers(void **state)
{
	static const char *const wrong[] = { "01", "1.", ".5", "-", "1e", "+1", "1.e5", "0x10",
		"1-2", "99999999999999999999x", "--1", "1e5e5" };
	struct jsonrpc_batch batch;
	char line[64], err[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(line, sizeof(line), "{\"id\":%s}", wrong[i]);
		assert_int_equal(jsonrpc_batch_begin(&batch, line, strlen(line)), 0);
		assert_int_equal(jsonrpc_batch_read(&batch, err, sizeof(err)), JSONRPC_PARSE_ERROR);
		jsonrpc_batch_release(&batch);
	}
}

static void
test_depth_is_bounded(void **state)
{
	char deep[2 * (JSONRPC_MAX_DEPTH + 1) + 1] = { 0 }, err[256];
	static char hostile[1 << 20];

	(void)state;
	memset(deep, '[', JSONRPC_MAX_DEPTH);
	memset(deep + JSONRPC_MAX_DEPTH, ']', JSONRPC_MAX_DEPTH);
	assert_int_equal(parse(deep, strlen(deep), err, sizeof(err)), 0);
	memset(deep, '[', JSONRPC_MAX_DEPTH + 1);
	memset(deep + JSONRPC_MAX_DEPTH + 1, ']', JSONRPC_MAX_DEPTH + 1);
	assert_int_equal(parse(deep, strlen(deep), err, sizeof(err)), JSONRPC_PARSE_ERROR);
	assert_non_null(strstr(err, "nested more than 64 deep"));
	memset(hostile, '[', sizeof(hostile));
	assert_int_equal(parse(hostile, sizeof(hostile), err, sizeof(err)), JSONRPC_PARSE_ERROR);
}

/* Brackets in strings are no nesting, whatever is escaped before them. */
static void
test_depth_skips_strings(void **state)
{
	char text[200] = "[\"\\\\\\\"", err[256];
	size_t start = strlen(text);

	(void)state;
	memset(text + start, '[', 100);
	strcpy(text + start + 100, "\",[]]");
	assert_int_equal(parse(text, strlen(text), err, sizeof(err)), 0);
	strcpy(text, "[\"a\\\\\",");
	start = strlen(text);
	memset(text + start, '[', 100);
	text[start + 100] = '\0';
	assert_int_equal(parse(text, strlen(text), err, sizeof(err)), JSONRPC_PARSE_ERROR);
	assert_non_null(strstr(err, "nested"));
}

/* Reads all of a line; 0 or the code. */
static int
read_batch(struct jsonrpc_batch *batch, const char *line, char *err, size_t err_size)
{
	int code;

	assert_int_equal(jsonrpc_batch_begin(batch, line, strlen(line)), 0);
	do
		code = jsonrpc_batch_read(batch, err, err_size);
	while (code > 0);
	return code;
}

static void
open_batch(struct jsonrpc_batch *batch, const char *line)
{
	char err[256] = "";
	int code = read_batch(batch, line, err, sizeof(err));

	if (code != 0)
		fail_msg("%s: %d %s", line, code, err);
}

static void
expect_refused_line(const char *line, int expected, const char *why)
{
	struct jsonrpc_batch batch;
	char err[256] = "";

	assert_int_equal(read_batch(&batch, line, err, sizeof(err)), expected);
	jsonrpc_batch_release(&batch);
	if (strstr(err, why) == NULL)
		fail_msg("'%s' lacks '%s'", err, why);
}

static void
test_refused_lines(void **state)
{
	static char many[2 * JSONRPC_MAX_BATCH + 4];
	struct jsonrpc_batch batch;
	size_t i;

	(void)state;
	expect_refused_line("[]", JSONRPC_INVALID_REQUEST, "batch is empty");
	expect_refused_line("[{\"jsonrpc\":\"2.0\",\"method\"]", JSONRPC_PARSE_ERROR, "byte");
	many[0] = '[';
	for (i = 0; i < JSONRPC_MAX_BATCH; i++) {
		many[1 + 2 * i] = '1';
		many[2 + 2 * i] = ',';
	}
	many[2 * JSONRPC_MAX_BATCH] = ']';
	open_batch(&batch, many);
	assert_int_equal(jsonrpc_batch_count(&batch), JSONRPC_MAX_BATCH);
	jsonrpc_batch_release(&batch);
	memcpy(many + 2 * JSONRPC_MAX_BATCH, ",1]", 4);
	expect_refused_line(many, JSONRPC_INVALID_REQUEST, "more than 1000 requests");
}

/* Pieces are read one by one: what is wrong between them, or behind, is found as well. */
static void
test_refused_batches(void **state)
{
	static const char *const lines[] = { "[", "[1", "[1,", "[,1]", "[1,]", "[1,,2]", "[1 2]",
		"[1]]", "[1]x", "[1]{}", "[}]", "[{]}]", "[1,\"]", "[\"\\\"]",
		"[{\"a\":1,\"a\":2}]", "[]]", "[],", "[nul]", "[1,[2]", "]", "[[1,]]" };
	json_t *value;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		expect_refused_line(lines[i], JSONRPC_PARSE_ERROR, "at byte");
		assert_int_equal(jsonrpc_parse_json(lines[i], strlen(lines[i]), &value, err,
						 sizeof(err)),
				JSONRPC_PARSE_ERROR);
	}
	expect_refused_line("[1, 2, {\"a\": x}]", JSONRPC_PARSE_ERROR, "at byte 14");
}

/* A step reads one request, and the requests are what the parser makes of the whole line. */
static void
test_batch_in_steps(void **state)
{
	static const char line[] = " [ {\"a\":[1,{\"b\":\"],[\\\"\"}]} ,[[],{}], \"x,]\",\ttrue ] ";
	struct jsonrpc_batch batch;
	char err[256];
	json_t *whole;
	int steps = 1;

	(void)state;
	assert_int_equal(jsonrpc_batch_begin(&batch, line, strlen(line)), 0);
	while (jsonrpc_batch_read(&batch, err, sizeof(err)) > 0)
		steps++;
	assert_int_equal(steps, 4);
	assert_int_equal(jsonrpc_parse_json(line, strlen(line), &whole, err, sizeof(err)), 0);
	assert_true(json_equal(batch.requests, whole));
	json_decref(whole);
	jsonrpc_batch_release(&batch);
}

/* Blanks do not make a request long; anything else does. */
static void
test_long_requests(void **state)
{
	size_t size = 3 * JSONRPC_MAX_REQUEST;
	char *line = malloc(size + 1);
	struct jsonrpc_batch batch;

	(void)state;
	assert_non_null(line);
	memset(line, ' ', size);
	line[size] = '\0';
	line[0] = '{';
	line[size - 1] = '}';
	open_batch(&batch, line);
	jsonrpc_batch_release(&batch);
	line[0] = '"';
	line[size - 1] = '"';
	expect_refused_line(line, JSONRPC_INVALID_REQUEST, "longer than 64 KiB");
	line[JSONRPC_MAX_REQUEST - 1] = '"';
	memset(line + JSONRPC_MAX_REQUEST, ' ', size - JSONRPC_MAX_REQUEST);
	open_batch(&batch, line);
	jsonrpc_batch_release(&batch);
	free(line);
}

/* The array around a batch counts as a level. */
static void
test_deep_batches(void **state)
{
	char line[2 * JSONRPC_MAX_DEPTH + 3];

	(void)state;
	for (int depth = JSONRPC_MAX_DEPTH; depth <= JSONRPC_MAX_DEPTH + 1; depth++) {
		struct jsonrpc_batch batch;

		memset(line, '[', (size_t)depth);
		memset(line + depth, ']', (size_t)depth);
		line[2 * depth] = '\0';
		if (depth > JSONRPC_MAX_DEPTH) {
			expect_refused_line(line, JSONRPC_PARSE_ERROR, "nested");
		} else {
			open_batch(&batch, line);
			jsonrpc_batch_release(&batch);
		}
	}
}

struct valid_case {
	const char *line;
	const char *method;
	const char *params; /* NULL: none */
	const char *id;	    /* NULL: notification */
};

static void
expect_json(const json_t *value, const char *expected)
{
	size_t len;
	char *text = value != NULL ? jsonrpc_dump(value, &len) : NULL;

	if (expected == NULL)
		assert_null(text);
	else if (text == NULL || strcmp(text, expected) != 0)
		fail_msg("%s instead of %s", text, expected);
	free(text);
}

static void
test_valid_requests(void **state)
{
	static const struct valid_case cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"subtract\",\"params\":[42,23],\"id\":1}",
				"subtract", "[42,23]", "1" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{\"a\":1},\"id\":\"x\"}", "m",
				"{\"a\":1}", "\"x\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":null}", "m", NULL, "null" },
		{ " {\"id\":-7,\"method\":\"m\",\"jsonrpc\":\"2.0\"}\r", "m", NULL, "-7" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":{}}", "m", "{}", NULL },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"\",\"id\":1.5}", "", NULL, "1.5" },
	};
	struct jsonrpc_request request;
	struct jsonrpc_batch batch;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		open_batch(&batch, cases[i].line);
		assert_false(batch.is_array);
		assert_int_equal(jsonrpc_batch_count(&batch), 1);
		assert_int_equal(jsonrpc_batch_request(&batch, 0, &request, err, sizeof(err)), 0);
		assert_string_equal(request.method, cases[i].method);
		expect_json(request.params, cases[i].params);
		expect_json(request.id, cases[i].id);
		jsonrpc_batch_release(&batch);
	}
}

static void
test_invalid_requests(void **state)
{
	static const struct {
		const char *line;
		const char *id;	 /* of the answer; NULL: null */
		const char *why; /* part of the message */
	} cases[] = {
		{ "1", NULL, "JSON object" },
		{ "\"x\"", NULL, "JSON object" },
		{ "null", NULL, "JSON object" },
		{ "{}", NULL, "\"jsonrpc\"" },
		{ "{\"method\":\"m\",\"id\":1}", "1", "\"jsonrpc\"" },
		{ "{\"jsonrpc\":2.0,\"method\":\"m\",\"id\":1}", "1", "\"jsonrpc\"" },
		{ "{\"jsonrpc\":\"1.0\",\"method\":\"m\",\"id\":1}", "1", "\"jsonrpc\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}", NULL, "\"method\"" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"q\"}", "\"q\"", "\"method\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":\"bar\",\"id\":2}", "2",
				"\"params\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":null,\"id\":2}", "2",
				"\"params\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":{}}", NULL, "\"id\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":true}", NULL, "\"id\"" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"param\":{},\"id\":3}", "3",
				"\"param\", only jsonrpc, method, params and id; did you mean params?" },
		{ "{\"jsonrpc\":\"2.0\",\"result\":1,\"id\":3}", "3", "\"method\"" },
	};
	struct jsonrpc_request request;
	struct jsonrpc_batch batch;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		open_batch(&batch, cases[i].line);
		assert_int_equal(jsonrpc_batch_request(&batch, 0, &request, err, sizeof(err)),
				JSONRPC_INVALID_REQUEST);
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("%s: '%s' lacks '%s'", cases[i].line, err, cases[i].why);
		assert_null(request.method);
		expect_json(request.id, cases[i].id);
		jsonrpc_batch_release(&batch);
	}
}

/* The requests of a batch stay as they were, in whatever order they are looked at. */
static void
test_batch_in_any_order(void **state)
{
	struct jsonrpc_batch batch;
	struct jsonrpc_request request;
	char err[256];

	(void)state;
	open_batch(&batch,
			"[{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1},"
			"{\"jsonrpc\":\"2.0\",\"method\":\"n\"},{\"jsonrpc\":\"2.0\",\"method\":\"b\",\"id\":2}]");
	assert_true(batch.is_array);
	assert_int_equal(jsonrpc_batch_count(&batch), 3);
	assert_int_equal(jsonrpc_batch_request(&batch, 2, &request, err, sizeof(err)), 0);
	assert_string_equal(request.method, "b");
	assert_int_equal(json_integer_value(request.id), 2);
	assert_int_equal(jsonrpc_batch_request(&batch, 1, &request, err, sizeof(err)), 0);
	assert_null(request.id);
	jsonrpc_batch_release(&batch);
}

static void
test_batch_of_one_is_an_array(void **state)
{
	struct jsonrpc_batch batch;

	(void)state;
	open_batch(&batch, "[1]");
	assert_true(batch.is_array);
	assert_int_equal(jsonrpc_batch_count(&batch), 1);
	jsonrpc_batch_release(&batch);
}

static void
test_builders(void **state)
{
	(void)state;
	expect_message(jsonrpc_error(NULL, JSONRPC_INVALID_PARAMS, "mtu: no",
				       json_pack("{s:s}", "param", "mtu")),
			"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32602,\"message\":\"mtu: no\","
			"\"data\":{\"param\":\"mtu\"}},\"id\":null}");
	expect_message(jsonrpc_notification("event", json_pack("{s:f}", "time", 0.1)),
			"{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"time\":0.1}}");
	expect_message(jsonrpc_notification("event", NULL),
			"{\"jsonrpc\":\"2.0\",\"method\":\"event\"}");
	expect_message(jsonrpc_call(7, "port.list", NULL),
			"{\"jsonrpc\":\"2.0\",\"method\":\"port.list\",\"id\":7}");
	expect_message(jsonrpc_call(8, "port.show", json_object()),
			"{\"jsonrpc\":\"2.0\",\"method\":\"port.show\",\"params\":{},\"id\":8}");
	assert_null(jsonrpc_result(NULL, NULL));
}

/* Paths and program names from outside may be any bytes, and messages may be cut anywhere. */
static void
test_text_of_any_bytes(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
				"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
		{ "cut \xc3\xbc\xe2\x82", "cut \xc3\xbc??" },
		{ "\xff\xfe", "??" },
		{ "\xc3\xbc\xc0\x80", "\xc3\xbc??" },
		{ "\xed\xa0\x80.", "???." },
		{ "\xe0\x9f\xbf", "???" },
		{ "\xf0\x8f\xbf\xbf", "????" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\x80", "?" },
	};
	json_t *text, *error;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		text = jsonrpc_text(cases[i].bytes);
		assert_non_null(text);
		assert_string_equal(json_string_value(text), cases[i].text);
		json_decref(text);
	}
	error = jsonrpc_error(NULL, JSONRPC_REFUSED, "no \xff", NULL);
	expect_message(error,
			"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no ?\"},"
			"\"id\":null}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_ids_are_echoed),
		cmocka_unit_test(test_large_numbers),
		cmocka_unit_test(test_not_numbers),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_depth_skips_strings),
		cmocka_unit_test(test_refused_lines),
		cmocka_unit_test(test_refused_batches),
		cmocka_unit_test(test_batch_in_steps),
		cmocka_unit_test(test_long_requests),
		cmocka_unit_test(test_deep_batches),
		cmocka_unit_test(test_valid_requests),
		cmocka_unit_test(test_invalid_requests),
		cmocka_unit_test(test_batch_in_any_order),
		cmocka_unit_test(test_batch_of_one_is_an_array),
		cmocka_unit_test(test_builders),
		cmocka_unit_test(test_text_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
