/* SPDX-License-Identifier: BSD-3-Clause */
/* One option's value: from words, as JSON, as a schema; see port_options.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/nearest.h"
#include "system/paths.h"
#include "port_options.h"
#include "text/text.h"
#include "jsonrpc/json_schema.h"
#include "text/words.h"

#define VALUE_SHOWN 40 /* bytes of a wrong value that a message quotes */

/* What the value has to be, for messages. */
static const char *
expectation(const struct port_option *opt, char *buf, size_t size)
{
	switch (opt->type) {
	case PORT_OPTION_PATH:
		return "the absolute path of a UNIX socket, as a string";
	case PORT_OPTION_INTEGER:
		snprintf(buf, size, "a whole number from %lld to %lld", (long long)opt->min,
				(long long)opt->max);
		return buf;
	case PORT_OPTION_BOOL:
		return "true or false";
	case PORT_OPTION_WORD:
		snprintf(buf, size, "one of %s, as a string", opt->choices);
		return buf;
	case PORT_OPTION_MODE:
		return "a file mode in octal such as \"0660\", as a string";
	case PORT_OPTION_USER:
	case PORT_OPTION_GROUP:
		return "the name or number of a user or group, as a string";
	case PORT_OPTION_INTERFACE:
		return "the name of a network interface, as a string: 1 to 15 bytes, no blank, '/', "
		       "':' or '%', not '.' or '..'";
	case PORT_OPTION_NETNS:
		return "the name or the absolute path of a network namespace, as a string";
	case PORT_OPTION_MAC:
		return "the MAC address of one station such as \"02:00:00:00:00:01\", as a string";
	case PORT_OPTION_ADDRESSES:
		return "an array of addresses such as [\"10.0.0.254/24\"]";
	case PORT_OPTION_TEXT:
		snprintf(buf, size, "a text of 1 to %zu bytes on one line", opt->size - 1);
		return buf;
	}
	return "known";
}

static int
wrong_value(const struct port_option *opt, const json_t *value, char *err, size_t err_size)
{
	char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *more = shown != NULL && strlen(shown) > VALUE_SHOWN ? "..." : "";
	char buf[80], hint[80] = "";

	if (opt->choices != NULL && json_is_string(value))
		nearest_choice_hint(opt->choices, json_string_value(value), hint, sizeof(hint));
	text_fail(err, err_size, 0, "%s: %.*s%s is not %s%s", opt->key, VALUE_SHOWN,
			shown != NULL ? shown : "this", more, expectation(opt, buf, sizeof(buf)),
			hint);
	free(shown);
	return -EINVAL;
}

/* Whether a text has from 1 to `max` bytes, none of them a control character or one of these. */
static bool
is_text(const char *text, size_t max, const char *without)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr(without, *p) != NULL)
			return false;
	return p != text && (size_t)(p - text) <= max;
}

static bool
is_dots(const char *text)
{
	return strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
}

/*
 * dev_valid_name() of Linux, whose isspace() takes 0xa0 for a blank, too; and no '%', which asks
 * for a number in the name.
 */
static bool
is_interface(const char *text)
{
	return is_text(text, IFNAMSIZ - 1, " /:%\xa0") && !is_dots(text);
}

static bool
is_netns(const char *text, size_t max)
{
	bool is_path = text[0] == '/';

	return is_text(text, max, is_path ? "" : "/") && !is_dots(text);
}

/* Of one station: neither a group's nor zero. */
static bool
is_mac(const char *text)
{
	static const uint8_t zero[6];
	uint8_t mac[6];

	return text_parse_mac(text, mac, NULL, 0) == 0 && (mac[0] & 1) == 0 &&
			memcmp(mac, zero, sizeof(mac)) != 0;
}

static bool
is_good_string(const struct port_option *opt, const char *string)
{
	mode_t mode;

	switch (opt->type) {
	case PORT_OPTION_PATH:
		return string[0] == '/';
	case PORT_OPTION_WORD:
		return words_index(opt->choices, string) >= 0;
	case PORT_OPTION_MODE:
		return text_parse_mode(string, &mode, NULL, 0) == 0;
	case PORT_OPTION_USER:
	case PORT_OPTION_GROUP:
		return is_text(string, 255, ":");
	case PORT_OPTION_INTERFACE:
		return is_interface(string);
	case PORT_OPTION_NETNS:
		return is_netns(string, opt->size - 1);
	case PORT_OPTION_MAC:
		return is_mac(string);
	case PORT_OPTION_ADDRESSES:
		return true; /* looked at by port_option_addresses() */
	case PORT_OPTION_TEXT:
		return is_text(string, opt->size - 1, "");
	case PORT_OPTION_INTEGER:
	case PORT_OPTION_BOOL:
		return false;
	}
	return false;
}

static bool
is_good(const struct port_option *opt, const json_t *value)
{
	if (json_is_string(value))
		return is_good_string(opt, json_string_value(value));
	switch (opt->type) {
	case PORT_OPTION_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= opt->min &&
				json_integer_value(value) <= opt->max;
	case PORT_OPTION_BOOL:
		return json_is_boolean(value);
	case PORT_OPTION_ADDRESSES:
		return json_is_array(value);
	default:
		return false;
	}
}

/* The next address, which none of those before it may be. */
static int
add_address(const char *text, struct prefix *prefixes, uint32_t *n, char *err, size_t err_size)
{
	uint32_t i;
	int ret;

	if (*n == PORT_ADDRESSES_MAX)
		return text_fail(err, err_size, -EINVAL,
				"an interface has at most %d addresses here; give fewer",
				PORT_ADDRESSES_MAX);
	ret = prefix_parse(text, &prefixes[*n], err, err_size);
	if (ret != 0)
		return ret;
	for (i = 0; i < *n; i++)
		if (prefix_same_address(&prefixes[i], &prefixes[*n]))
			return text_fail(err, err_size, -EINVAL,
					"'%s' is given twice; give it once", text);
	++*n;
	return 0;
}

/* Addresses of one text, separated by commas; no text is none. */
static int
split_addresses(const char *text, struct prefix *prefixes, uint32_t *n, char *err, size_t err_size)
{
	char *copy = strdup(text), *next = copy, *word;
	int ret = 0;

	if (copy == NULL)
		return text_fail(err, err_size, -EINVAL, "out of memory");
	while (next != NULL && copy[0] != '\0' && ret == 0) {
		word = strsep(&next, ",");
		ret = add_address(word, prefixes, n, err, err_size);
	}
	free(copy);
	return ret;
}

int
port_option_addresses(const json_t *value, struct prefix prefixes[PORT_ADDRESSES_MAX], uint32_t *n,
		char *err, size_t err_size)
{
	const char *text;
	size_t i;
	int ret = 0;

	*n = 0;
	if (json_is_string(value))
		return split_addresses(json_string_value(value), prefixes, n, err, err_size);
	for (i = 0; i < json_array_size(value) && ret == 0; i++) {
		text = json_string_value(json_array_get(value, i));
		if (text == NULL)
			return text_fail(err, err_size, -EINVAL,
					"element %zu is no string; write addresses such as "
					"\"10.0.0.254/24\"",
					i);
		ret = add_address(text, prefixes, n, err, err_size);
	}
	return ret;
}

int
port_option_check(const struct port_option *opt, const json_t *value, char *err, size_t err_size)
{
	struct prefix prefixes[PORT_ADDRESSES_MAX];
	uint32_t n;
	char why[256];
	int ret = 0;

	if (!is_good(opt, value))
		return wrong_value(opt, value, err, err_size);
	if (opt->type == PORT_OPTION_PATH)
		ret = paths_check_socket(json_string_value(value), why, sizeof(why));
	else if (opt->type == PORT_OPTION_ADDRESSES)
		ret = port_option_addresses(value, prefixes, &n, why, sizeof(why));
	if (ret != 0)
		return text_fail(err, err_size, -EINVAL, "%s: %s", opt->key, why);
	return 0;
}

static int
path_from_text(const char *text, json_t **out, char *err, size_t err_size)
{
	char *directory = NULL, *whole = NULL;
	int ret;

	if (text[0] == '/' || text[0] == '\0') {
		*out = json_string(text);
		return 0;
	}
	directory = getcwd(NULL, 0);
	if (directory == NULL)
		return text_fail(err, err_size, -EINVAL,
				"'%s' is relative, and the working directory is not known; give an "
				"absolute path",
				text);
	ret = asprintf(&whole, "%s/%s", directory, text);
	*out = ret >= 0 ? json_string(whole) : NULL;
	if (ret >= 0)
		free(whole);
	free(directory);
	return 0;
}

/* The addresses of a text one by one; what is wrong with them shows when they are checked. */
static json_t *
addresses_from_text(const char *text)
{
	json_t *list = json_array();
	size_t len;

	if (text[0] == '\0')
		return list;
	do {
		len = strcspn(text, ",");
		if (json_array_append_new(list, json_stringn(text, len)) != 0) {
			json_decref(list);
			return NULL;
		}
		text += len + 1;
	} while (text[-1] != '\0');
	return list;
}

/* *out NULL with 0: memory ran out, or the text is not UTF-8. */
static int
value_from_text(const struct port_option *opt, const char *text, json_t **out, char *err,
		size_t err_size)
{
	int64_t integer = 0;
	bool on = false;
	int ret = 0;

	switch (opt->type) {
	case PORT_OPTION_PATH:
		return path_from_text(text, out, err, err_size);
	case PORT_OPTION_INTEGER:
		ret = text_parse_integer(text, opt->min, opt->max, &integer, err, err_size);
		*out = json_integer(integer);
		break;
	case PORT_OPTION_BOOL:
		ret = text_parse_bool(text, &on, err, err_size);
		*out = json_boolean(on);
		break;
	case PORT_OPTION_NETNS:
		if (strchr(text, '/') != NULL)
			return path_from_text(text, out, err, err_size);
		*out = json_string(text);
		break;
	case PORT_OPTION_ADDRESSES:
		*out = addresses_from_text(text);
		break;
	default:
		*out = json_string(text);
		break;
	}
	return ret;
}

int
port_option_from_text(const struct port_option *opt, const char *text, json_t **out, char *err,
		size_t err_size)
{
	json_t *value = NULL;
	char why[256];
	int ret;

	ret = value_from_text(opt, text, &value, why, sizeof(why));
	if (ret != 0) {
		text_fail(err, err_size, ret, "%s: %s", opt->key, why);
		goto fail;
	}
	if (value == NULL)
		return text_fail(err, err_size, -EINVAL, "%s: the value is not UTF-8 text",
				opt->key);
	ret = port_option_check(opt, value, err, err_size);
	if (ret != 0)
		goto fail;
	*out = value;
	return 0;
fail:
	json_decref(value);
	return ret;
}

/* The default as JSON, where it is a value and not a description; NULL: none. */
static json_t *
default_value(const struct port_option *opt)
{
	json_t *value = NULL;

	if (opt->default_text == NULL || opt->type == PORT_OPTION_PATH ||
			opt->type == PORT_OPTION_INTERFACE || opt->type == PORT_OPTION_NETNS ||
			port_option_from_text(opt, opt->default_text, &value, NULL, 0) != 0)
		return NULL;
	return value;
}

static json_t *
type_schema(const struct port_option *opt)
{
	switch (opt->type) {
	case PORT_OPTION_INTEGER:
		return json_schema_range(opt->min, opt->max);
	case PORT_OPTION_BOOL:
		return json_schema_type("boolean");
	case PORT_OPTION_WORD:
		return json_schema_words(opt->choices);
	case PORT_OPTION_MODE:
		return json_schema_pattern("^0?[0-7]{3}$");
	case PORT_OPTION_PATH:
		return json_pack("{s:s, s:s, s:i}", "type", "string", "pattern", "^/", "maxLength",
				PATHS_SOCKET_MAX);
	case PORT_OPTION_ADDRESSES:
		return json_pack("{s:[s, s], s:i, s:{s:s}}", "type", "array", "string", "maxItems",
				PORT_ADDRESSES_MAX, "items", "type", "string");
	case PORT_OPTION_MAC:
		return json_schema_pattern(JSON_SCHEMA_MAC);
	case PORT_OPTION_INTERFACE:
		return json_schema_pattern("^[^\\s/:%]{1,15}$");
	case PORT_OPTION_USER:
	case PORT_OPTION_GROUP:
	case PORT_OPTION_NETNS:
	case PORT_OPTION_TEXT:
		return json_schema_type("string");
	}
	return NULL;
}

json_t *
port_option_schema(const struct port_option *opt)
{
	json_t *schema = type_schema(opt);
	json_t *otherwise = default_value(opt);

	if (otherwise == NULL || json_object_set_new(schema, "default", otherwise) == 0)
		return schema;
	json_decref(schema);
	return NULL;
}

json_t *
port_option_told_schema(const struct port_option *opt)
{
	json_t *schema = type_schema(opt);

	if (opt->type == PORT_OPTION_ADDRESSES)
		json_object_set_new(schema, "type", json_string("array"));
	return schema;
}

bool
port_option_is_always_told(const struct port_option *opt)
{
	return opt->kinds == PORT_KIND_ALL && opt->default_text != NULL && !opt->listen_only;
}
