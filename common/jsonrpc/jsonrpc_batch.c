/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See jsonrpc.h: reading a line. The elements of a batch are read one by one, so that the reader of a long
 * line can do something else in between. The end of an element is found by brackets and strings alone;
 * then the parser checks whether the element is JSON. If all elements are, the line is.
 */
#include "jsonrpc.h"

#include <stdlib.h>
#include <string.h>

#include "json_memory.h"
#include "jsonrpc_number.h"
#include "text/text.h"

/* Measured before the parser gets a text, because the parser recurses and takes time. */
struct extent {
	size_t end;	/* first byte after the text */
	size_t deepest; /* deepest nesting of brackets */
	size_t bytes;	/* without blanks outside strings */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Measures from `at` to the end of the text; an element only to the comma or bracket that ends it. */
static struct extent
measure(const char *text, size_t len, size_t at, bool element)
{
	struct extent extent = { .end = len };
	bool in_string = false;
	size_t depth = 0;

	for (; at < len; at++) {
		char c = text[at];

		if (in_string && c == '\\') {
			at++;
			extent.bytes++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string) {
			if (element && depth == 0 && (c == ',' || c == ']')) {
				extent.end = at;
				break;
			}
			if (c == '[' || c == '{')
				depth++;
			else if (depth > 0 && (c == ']' || c == '}'))
				depth--;
			else if (is_blank(c))
				continue;
		}
		extent.bytes++;
		if (depth > extent.deepest)
			extent.deepest = depth;
	}
	return extent;
}

static int
fail_deep(char *err, size_t err_size)
{
	return text_fail(err, err_size, JSONRPC_PARSE_ERROR,
			"the JSON text is nested more than %d deep; send it flatter",
			JSONRPC_MAX_DEPTH);
}

/* Parses text that is `offset` bytes after the start of the line, which a message counts from. */
static int
parse(const char *text, size_t len, size_t offset, json_t **value, char *err, size_t err_size)
{
	json_error_t error;
	json_t *parsed;

	(void)json_memory_failed();
	parsed = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (json_memory_failed()) {
		json_decref(parsed); /* a member may be missing */
		return text_fail(err, err_size, JSONRPC_INTERNAL_ERROR,
				"out of memory; nothing was done, ask again later");
	}
	if (parsed == NULL)
		return text_fail(err, err_size, JSONRPC_PARSE_ERROR,
				"not JSON: %s, at byte %zu; one JSON value is expected", error.text,
				offset + (size_t)error.position);
	*value = parsed;
	return 0;
}

int
jsonrpc_parse_json(const char *text, size_t len, json_t **value, char *err, size_t err_size)
{
	if (measure(text, len, 0, false).deepest > JSONRPC_MAX_DEPTH)
		return fail_deep(err, err_size);
	return parse(text, len, 0, value, err, err_size);
}

static void
skip_blanks(struct jsonrpc_batch *batch)
{
	while (batch->at < batch->len && is_blank(batch->line[batch->at]))
		batch->at++;
}

int
jsonrpc_batch_begin(struct jsonrpc_batch *batch, const char *line, size_t len)
{
	*batch = (struct jsonrpc_batch){ .requests = json_array(), .line = line, .len = len };
	if (batch->requests == NULL)
		return JSONRPC_INTERNAL_ERROR;
	skip_blanks(batch);
	batch->is_array = batch->at < len && line[batch->at] == '[';
	batch->at += batch->is_array;
	return 0;
}

/* As parse(), but accepts any number as the id, and other numbers that are too large for the library. */
static int
parse_request(const char *text, size_t len, size_t offset, json_t **request, char *err,
		size_t err_size)
{
	char *fitted = NULL;
	json_t *id = NULL;
	int ret;

	if (jsonrpc_number_fit(text, len, &fitted, &id) != 0)
		return text_fail(err, err_size, JSONRPC_INTERNAL_ERROR, "out of memory");
	ret = parse(fitted != NULL ? fitted : text, len, offset, request, err, err_size);
	free(fitted);
	if (ret != 0)
		json_decref(id);
	else if (id != NULL && json_object_set_new(*request, "id", id) != 0) {
		json_decref(*request);
		ret = text_fail(err, err_size, JSONRPC_INTERNAL_ERROR, "out of memory");
	}
	return ret;
}

/* Reads one request, up to the comma, bracket or end of line after it. */
static int
read_request(struct jsonrpc_batch *batch, char *err, size_t err_size)
{
	size_t start = batch->at;
	struct extent extent = measure(batch->line, batch->len, start, batch->is_array);
	json_t *request = NULL;
	int ret;

	if (extent.deepest + batch->is_array > JSONRPC_MAX_DEPTH)
		return fail_deep(err, err_size);
	if (extent.bytes > JSONRPC_MAX_REQUEST)
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"a request is longer than %d KiB; no method takes so much",
				JSONRPC_MAX_REQUEST / 1024);
	ret = parse_request(
			batch->line + start, extent.end - start, start, &request, err, err_size);
	if (ret != 0)
		return ret;
	batch->at = extent.end;
	if (json_array_append_new(batch->requests, request) != 0)
		return text_fail(err, err_size, JSONRPC_INTERNAL_ERROR, "out of memory");
	return 0;
}

/* Checks that nothing follows the last request. */
static int
read_end(struct jsonrpc_batch *batch, char *err, size_t err_size)
{
	batch->at += batch->is_array;
	skip_blanks(batch);
	if (batch->at == batch->len)
		return 0;
	return text_fail(err, err_size, JSONRPC_PARSE_ERROR,
			"not JSON: something follows the batch, at byte %zu; one JSON value is expected",
			batch->at);
}

int
jsonrpc_batch_read(struct jsonrpc_batch *batch, char *err, size_t err_size)
{
	int ret;

	skip_blanks(batch);
	if (batch->is_array && jsonrpc_batch_count(batch) == 0 && batch->at < batch->len &&
			batch->line[batch->at] == ']') {
		ret = read_end(batch, err, err_size);
		return ret != 0 ? ret
				: text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
						  "the batch is empty; send at least one request in it");
	}
	if (jsonrpc_batch_count(batch) == JSONRPC_MAX_BATCH)
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"the batch holds more than %d requests; send at most so many in one",
				JSONRPC_MAX_BATCH);
	ret = read_request(batch, err, err_size);
	if (ret != 0)
		return ret;
	if (batch->is_array && batch->at == batch->len)
		return text_fail(err, err_size, JSONRPC_PARSE_ERROR,
				"not JSON: the batch has no ], at byte %zu; one JSON value is expected",
				batch->at);
	if (batch->is_array && batch->line[batch->at] == ',') {
		batch->at++;
		return 1;
	}
	return read_end(batch, err, err_size);
}

size_t
jsonrpc_batch_count(const struct jsonrpc_batch *batch)
{
	return json_array_size(batch->requests);
}

void
jsonrpc_batch_drop(struct jsonrpc_batch *batch, size_t index)
{
	(void)json_array_set_new(batch->requests, index, json_null());
}

void
jsonrpc_batch_release(struct jsonrpc_batch *batch)
{
	json_decref(batch->requests);
	*batch = (struct jsonrpc_batch){ 0 };
}
