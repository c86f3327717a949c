/* SPDX-License-Identifier: BSD-3-Clause */
/* See jsonrpc.h. */
#include "jsonrpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json_memory.h"
#include "jsonrpc_number.h"
#include "text/nearest.h"
#include "text/text.h"

/* Digits of a real number: few enough that 0.1 is written as 0.1. */
#define REAL_DIGITS 15

static bool
is_id(const json_t *id)
{
	return json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/* Refuses unknown members, because with "param" a request would be a call without parameters. */
static int
check_members(json_t *object, char *err, size_t err_size)
{
	static const char *const members[] = { "jsonrpc", "method", "params", "id" };
	struct nearest near;
	char hint[64];
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach (object, key, value) {
		nearest_init(&near, key);
		for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			if (strcmp(key, members[i]) == 0)
				break;
			nearest_offer(&near, members[i]);
		}
		if (i == sizeof(members) / sizeof(members[0]))
			return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
					"a request has no member \"%.64s\", only jsonrpc, method, params "
					"and id%s",
					key, nearest_hint(&near, hint, sizeof(hint)));
	}
	return 0;
}

static int
check_request(json_t *object, char *err, size_t err_size)
{
	const char *version = json_string_value(json_object_get(object, "jsonrpc"));
	json_t *params = json_object_get(object, "params");
	json_t *id = json_object_get(object, "id");

	if (version == NULL || strcmp(version, "2.0") != 0)
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"the request is not marked \"jsonrpc\":\"2.0\"; mark it so");
	if (!json_is_string(json_object_get(object, "method")))
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"the request has no \"method\" that is a string; name one");
	if (params != NULL && !json_is_object(params) && !json_is_array(params))
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"\"params\" of the request is not an object; send one or leave it out");
	if (id != NULL && !is_id(id))
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"\"id\" of the request is neither a string nor a number nor null");
	return check_members(object, err, err_size);
}

int
jsonrpc_batch_request(const struct jsonrpc_batch *batch, size_t index,
		struct jsonrpc_request *request, char *err, size_t err_size)
{
	json_t *object = json_array_get(batch->requests, index);
	int ret;

	*request = (struct jsonrpc_request){ .id = json_object_get(object, "id") };
	if (!is_id(request->id))
		request->id = NULL;
	if (!json_is_object(object))
		return text_fail(err, err_size, JSONRPC_INVALID_REQUEST,
				"a request is a JSON object with jsonrpc, method, params and id");
	ret = check_request(object, err, err_size);
	if (ret != 0)
		return ret;
	request->method = json_string_value(json_object_get(object, "method"));
	request->params = json_object_get(object, "params");
	return 0;
}

/*
 * Makes an object of up to three members after the version, in this order. Owns the values, also on failure.
 * A member with a NULL key is left out.
 */
static json_t *
make(const char *key1, json_t *value1, const char *key2, json_t *value2, const char *key3,
		json_t *value3)
{
	json_t *object = json_object();
	int failed = json_object_set_new(object, "jsonrpc", json_string("2.0"));

	/* json_object_set_new releases the value when it fails, and fails on NULL */
	if (key1 != NULL)
		failed |= json_object_set_new(object, key1, value1);
	if (key2 != NULL)
		failed |= json_object_set_new(object, key2, value2);
	if (key3 != NULL)
		failed |= json_object_set_new(object, key3, value3);
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
id_or_null(json_t *id)
{
	return id != NULL ? json_incref(id) : json_null();
}

json_t *
jsonrpc_result(json_t *id, json_t *result)
{
	return make("result", result, "id", id_or_null(id), NULL, NULL);
}

json_t *
jsonrpc_error(json_t *id, int code, const char *message, json_t *data)
{
	json_t *error = json_object();
	int failed = json_object_set_new(error, "code", json_integer(code));

	failed |= json_object_set_new(error, "message", jsonrpc_text(message));
	if (data != NULL)
		failed |= json_object_set_new(error, "data", data);
	if (failed != 0) {
		json_decref(error);
		error = NULL;
	}
	return make("error", error, "id", id_or_null(id), NULL, NULL);
}

json_t *
jsonrpc_notification(const char *method, json_t *params)
{
	return make("method", json_string(method), params != NULL ? "params" : NULL, params, NULL,
			NULL);
}

json_t *
jsonrpc_call(json_int_t id, const char *method, json_t *params)
{
	return make("method", json_string(method), params != NULL ? "params" : NULL, params, "id",
			json_integer(id));
}

/* Length of the well-formed UTF-8 sequence at text (RFC 3629, section 4); 0: there is none. */
static size_t
utf8_sequence(const unsigned char *text)
{
	size_t length, i;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
			(text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

json_t *
jsonrpc_text(const char *text)
{
	json_t *string = json_string(text);
	unsigned char *clean;
	size_t i = 0, step;

	if (string != NULL)
		return string;
	clean = (unsigned char *)strdup(text);
	if (clean == NULL)
		return NULL;
	while (clean[i] != '\0') {
		step = utf8_sequence(clean + i);
		if (step == 0)
			clean[i] = '?';
		i += step != 0 ? step : 1;
	}
	string = json_string((char *)clean);
	free(clean);
	return string;
}

char *
jsonrpc_dump(const json_t *value, size_t *len)
{
	char *text = json_dumps(
			value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));

	if (text != NULL && json_memory_failed()) {
		free(text);
		text = NULL;
	}
	if (text != NULL) {
		jsonrpc_number_restore(text);
		*len = strlen(text);
	}
	return text;
}

char *
jsonrpc_line(const json_t *message, size_t *len)
{
	char *text = jsonrpc_dump(message, len);
	char *line;

	if (text == NULL)
		return NULL;
	*len += 1;
	line = realloc(text, *len + 1);
	if (line == NULL) {
		free(text);
		return NULL;
	}
	line[*len - 1] = '\n';
	line[*len] = '\0';
	return line;
}
