/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See jsonrpc_number.h. Such an id is kept as a string: a NUL and then its text. A string that was read
 * cannot hold a NUL. So it is a json_t like other ids, and can be found again in the output.
 */
#include "jsonrpc_number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "jsonrpc.h"

#define NUMBER_CHARS "-+.0123456789eE"
#define DIGITS "0123456789"

/* The largest and least whole numbers of the library, and nearly its largest and least real numbers. */
#define INTEGER_MAX "9223372036854775807"
#define INTEGER_MIN "-9223372036854775808"
#define REAL_MAX "1e308"
#define REAL_MIN "-1e308"

/* How the library writes the start of a string whose first byte is NUL. */
#define MARK "\"\\u0000"

/* `"id"` with both letters escaped */
#define ID_KEY_MAX 14

struct scan {
	const char *text;
	size_t len, at;
	size_t depth;
	bool is_id;   /* the next value at depth 1 belongs to the key "id" */
	char *fitted; /* NULL: nothing was changed yet */
	json_t *id;
	bool failed; /* no memory */
};

struct number {
	const char *text;
	size_t len;
	bool real;
	bool held; /* the library can hold a number of this size */
	bool same; /* and writes it as it was in the request */
};

static size_t
span(const char *text, size_t len, const char *chars)
{
	size_t n = 0;

	while (n < len && strchr(chars, text[n]) != NULL && text[n] != '\0')
		n++;
	return n;
}

static size_t
skip_one(const char *text, size_t len, const char *chars)
{
	return len > 0 && span(text, 1, chars) == 1;
}

/* Length of the whole part with its sign; 0: there is none. */
static size_t
whole_part(const char *text, size_t len)
{
	size_t sign = skip_one(text, len, "-");
	size_t digits = span(text + sign, len - sign, DIGITS);

	if (digits == 0 || (digits > 1 && text[sign] == '0'))
		return 0;
	return sign + digits;
}

/* Whether all of the text is a number of JSON's grammar (RFC 8259, section 6). */
static bool
is_number(const char *text, size_t len)
{
	size_t at = whole_part(text, len), digits;

	if (at == 0)
		return false;
	if (skip_one(text + at, len - at, ".") != 0) {
		digits = span(text + at + 1, len - at - 1, DIGITS);
		if (digits == 0)
			return false;
		at += 1 + digits;
	}
	if (skip_one(text + at, len - at, "eE") != 0) {
		at++;
		at += skip_one(text + at, len - at, "+-");
		digits = span(text + at, len - at, DIGITS);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == len;
}

static bool
holds_integer(const char *text, size_t len)
{
	const char *limit = text[0] == '-' ? INTEGER_MIN : INTEGER_MAX;
	size_t limit_len = strlen(limit);

	return len < limit_len || (len == limit_len && memcmp(text, limit, len) <= 0);
}

/* Sets number->held. 0 or -ENOMEM. */
static int
look_at_real(struct number *number)
{
	char *copy = strndup(number->text, number->len);

	if (copy == NULL)
		return -ENOMEM;
	number->held = isfinite(strtod(copy, NULL)) != 0;
	free(copy);
	return 0;
}

/* 1: a number; 0: not a number, which the parser will report; -ENOMEM. */
static int
look_at(const char *text, size_t len, struct number *number)
{
	*number = (struct number){ .text = text, .len = len };
	if (!is_number(text, len))
		return 0;
	number->real = span(text, len, "-" DIGITS) < len;
	if (number->real)
		return look_at_real(number) == 0 ? 1 : -ENOMEM;
	number->held = holds_integer(text, len);
	number->same = number->held && !(len == 2 && text[0] == '-' && text[1] == '0');
	return 1;
}

/* Replaces the number by `other`, which is not longer. */
static void
replace(struct scan *scan, const struct number *number, const char *other)
{
	char *place;

	if (scan->fitted == NULL) {
		scan->fitted = malloc(scan->len + 1);
		if (scan->fitted == NULL) {
			scan->failed = true;
			return;
		}
		memcpy(scan->fitted, scan->text, scan->len);
		scan->fitted[scan->len] = '\0';
	}
	place = scan->fitted + (number->text - scan->text);
	memset(place, ' ', number->len);
	memcpy(place, other, strlen(other));
}

static void
keep_id(struct scan *scan, const struct number *number)
{
	char *marked = malloc(number->len + 1);

	if (marked != NULL) {
		marked[0] = '\0';
		memcpy(marked + 1, number->text, number->len);
		json_decref(scan->id); /* a second "id", which the parser refuses later */
		scan->id = json_stringn(marked, number->len + 1);
	}
	if (marked == NULL || scan->id == NULL)
		scan->failed = true;
	free(marked);
	replace(scan, number, "0");
}

static void
take_number(struct scan *scan)
{
	size_t len = span(scan->text + scan->at, scan->len - scan->at, NUMBER_CHARS);
	struct number number;
	int ret = look_at(scan->text + scan->at, len, &number);
	bool negative = number.text[0] == '-';

	scan->at += len;
	if (ret < 0)
		scan->failed = true;
	if (ret <= 0)
		return;
	if (scan->depth == 1 && scan->is_id && !number.same)
		keep_id(scan, &number);
	else if (!number.held && number.real)
		replace(scan, &number, negative ? REAL_MIN : REAL_MAX);
	else if (!number.held)
		replace(scan, &number, negative ? INTEGER_MIN : INTEGER_MAX);
}

/* Length of the string at `at`, with its quotes; if it has no end, of all that is left. */
static size_t
string_length(const struct scan *scan)
{
	size_t end = scan->at + 1;

	while (end < scan->len && scan->text[end] != '"')
		end += scan->text[end] == '\\' ? 2 : 1;
	return end < scan->len ? end + 1 - scan->at : scan->len - scan->at;
}

/* Whether a key is "id", which may be written with escapes. */
static bool
is_id_key(const char *text, size_t len)
{
	json_t *key;
	bool is_id;

	if (len > ID_KEY_MAX)
		return false;
	if (memchr(text, '\\', len) == NULL)
		return len == 4 && memcmp(text, "\"id\"", 4) == 0;
	key = json_loadb(text, len, JSON_DECODE_ANY, NULL);
	is_id = json_is_string(key) && strcmp(json_string_value(key), "id") == 0;
	json_decref(key);
	return is_id;
}

static void
take_string(struct scan *scan)
{
	size_t len = string_length(scan);

	if (scan->depth == 1)
		scan->is_id = is_id_key(scan->text + scan->at, len);
	scan->at += len;
}

static void
take_one(struct scan *scan)
{
	char c = scan->text[scan->at];

	if (c == '"') {
		take_string(scan);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		take_number(scan);
	} else {
		if (c == '{' || c == '[')
			scan->depth++;
		else if ((c == '}' || c == ']') && scan->depth > 0)
			scan->depth--;
		else if (c == ',' && scan->depth == 1)
			scan->is_id = false;
		scan->at++;
	}
}

int
jsonrpc_number_fit(const char *text, size_t len, char **fitted, json_t **id)
{
	struct scan scan = { .text = text, .len = len };

	while (scan.at < scan.len && !scan.failed)
		take_one(&scan);
	if (scan.failed) {
		free(scan.fitted);
		json_decref(scan.id);
		return JSONRPC_INTERNAL_ERROR;
	}
	*fitted = scan.fitted;
	*id = scan.id;
	return 0;
}

void
jsonrpc_number_restore(char *text)
{
	char *from = strstr(text, MARK), *to = from, *mark;
	size_t len;

	while (from != NULL) {
		from += strlen(MARK);
		len = strcspn(from, "\"");
		memmove(to, from, len);
		to += len;
		from += len + (from[len] == '"');
		mark = strstr(from, MARK);
		len = mark != NULL ? (size_t)(mark - from) : strlen(from) + 1;
		memmove(to, from, len);
		to += len;
		from = mark;
	}
}
