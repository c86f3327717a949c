/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_options.h. */
#include "port_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nearest.h"
#include "paths.h"
#include "text.h"

#define VALUE_SHOWN 40 /* bytes of a wrong value that a message quotes */

/* clang-format off */
const struct port_option port_options[] = {
	{ .key = "socket", .type = PORT_OPTION_PATH, .arg = "PATH", .kinds = PORT_KIND_VHOST_USER,
	  .default_text = "DIR/NAME.sock", .add_only = true, .listen_only = true,
	  .help = "UNIX socket that the switch listens on" },
	{ .key = "connect", .type = PORT_OPTION_PATH, .arg = "PATH", .kinds = PORT_KIND_VHOST_USER,
	  .add_only = true,
	  .help = "UNIX socket of a frontend that listens (QEMU server=on); the switch connects to "
		  "it and keeps trying" },
	{ .key = "mtu", .type = PORT_OPTION_INTEGER, .min = 68, .max = 65535, .arg = "BYTES",
	  .kinds = PORT_KIND_VHOST_USER, .default_text = "1500",
	  .help = "largest layer 3 payload; frames of more than mtu + 18 bytes are dropped" },
	{ .key = "mac-limit", .type = PORT_OPTION_INTEGER, .min = 0, .max = 65536, .arg = "N",
	  .kinds = PORT_KIND_VHOST_USER, .default_text = "0",
	  .help = "most MAC addresses that are learned on the port; 0 is no limit" },
	{ .key = "enabled", .type = PORT_OPTION_BOOL, .arg = "on|off",
	  .kinds = PORT_KIND_VHOST_USER, .default_text = "on",
	  .help = "whether frames pass; off drops and counts them" },
	{ .key = "mode", .type = PORT_OPTION_MODE, .arg = "OCTAL", .kinds = PORT_KIND_VHOST_USER,
	  .default_text = "0600", .listen_only = true, .help = "permission bits of the socket" },
	{ .key = "owner", .type = PORT_OPTION_ACCOUNT, .arg = "USER", .kinds = PORT_KIND_VHOST_USER,
	  .listen_only = true,
	  .help = "user who owns the socket, as name or number; else the switch's user" },
	{ .key = "group", .type = PORT_OPTION_ACCOUNT, .arg = "GROUP",
	  .kinds = PORT_KIND_VHOST_USER, .listen_only = true,
	  .help = "group of the socket, as name or number; else the switch's group" },
};
/* clang-format on */
const size_t port_options_count = sizeof(port_options) / sizeof(port_options[0]);

static const struct {
	const char *name;
	unsigned int bit;
} kinds[] = { { "vhost-user", PORT_KIND_VHOST_USER } };

const char port_kinds_text[] = "vhost-user";

const struct port_option *
port_option_find(const char *key)
{
	size_t i;

	for (i = 0; i < port_options_count; i++)
		if (strcmp(port_options[i].key, key) == 0)
			return &port_options[i];
	return NULL;
}

const char *
port_option_nearest(const char *key, unsigned int wanted)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, key);
	for (i = 0; i < port_options_count; i++)
		if ((port_options[i].kinds & wanted) != 0)
			nearest_offer(&near, port_options[i].key);
	return near.best;
}

unsigned int
port_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].bit;
	return 0;
}

const char *
port_kind_nearest(const char *name)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, name);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		nearest_offer(&near, kinds[i].name);
	return near.best;
}

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
	case PORT_OPTION_MODE:
		return "a file mode in octal such as \"0660\", as a string";
	case PORT_OPTION_ACCOUNT:
		return "the name or number of a user or group, as a string";
	}
	return "known";
}

static int
wrong_value(const struct port_option *opt, const json_t *value, char *err, size_t err_size)
{
	char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *more = shown != NULL && strlen(shown) > VALUE_SHOWN ? "..." : "";
	char buf[80];

	text_fail(err, err_size, 0, "%s: %.*s%s is not %s", opt->key, VALUE_SHOWN,
			shown != NULL ? shown : "this", more, expectation(opt, buf, sizeof(buf)));
	free(shown);
	return -EINVAL;
}

/* Names of accounts have no colon or control characters anywhere; the rest is the system's. */
static bool
is_account(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == ':')
			return false;
	return text[0] != '\0' && strlen(text) < 256;
}

static bool
is_good(const struct port_option *opt, const json_t *value)
{
	const char *string = json_string_value(value);
	mode_t mode;

	switch (opt->type) {
	case PORT_OPTION_PATH:
		return string != NULL && string[0] == '/';
	case PORT_OPTION_INTEGER:
		return json_is_integer(value) && json_integer_value(value) >= opt->min &&
				json_integer_value(value) <= opt->max;
	case PORT_OPTION_BOOL:
		return json_is_boolean(value);
	case PORT_OPTION_MODE:
		return string != NULL && text_parse_mode(string, &mode, NULL, 0) == 0;
	case PORT_OPTION_ACCOUNT:
		return string != NULL && is_account(string);
	}
	return false;
}

int
port_option_check(const struct port_option *opt, const json_t *value, char *err, size_t err_size)
{
	char why[256];

	if (!is_good(opt, value))
		return wrong_value(opt, value, err, err_size);
	if (opt->type == PORT_OPTION_PATH &&
			paths_check_socket(json_string_value(value), why, sizeof(why)) != 0)
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
	case PORT_OPTION_MODE:
	case PORT_OPTION_ACCOUNT:
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

int
port_options_check_together(const json_t *object, const char **key, char *err, size_t err_size)
{
	size_t i;

	if (json_object_get(object, "connect") == NULL)
		return 0;
	for (i = 0; i < port_options_count; i++) {
		if (!port_options[i].listen_only ||
				json_object_get(object, port_options[i].key) == NULL)
			continue;
		if (key != NULL)
			*key = port_options[i].key;
		return text_fail(err, err_size, -EINVAL,
				"%s: does not go with connect, because such a port has no socket of its "
				"own; leave one of the two out",
				port_options[i].key);
	}
	return 0;
}

/* The default as JSON, where it is a value and not a description; NULL: none. */
static json_t *
default_value(const struct port_option *opt)
{
	json_t *value = NULL;

	if (opt->default_text == NULL || opt->type == PORT_OPTION_PATH ||
			port_option_from_text(opt, opt->default_text, &value, NULL, 0) != 0)
		return NULL;
	return value;
}

static int
set_pattern(const struct port_option *opt, json_t *schema)
{
	switch (opt->type) {
	case PORT_OPTION_INTEGER:
		return json_object_set_new(schema, "type", json_string("integer")) |
				json_object_set_new(schema, "minimum", json_integer(opt->min)) |
				json_object_set_new(schema, "maximum", json_integer(opt->max));
	case PORT_OPTION_BOOL:
		return json_object_set_new(schema, "type", json_string("boolean"));
	case PORT_OPTION_MODE:
		return json_object_set_new(schema, "type", json_string("string")) |
				json_object_set_new(schema, "pattern", json_string("^0?[0-7]{3}$"));
	case PORT_OPTION_PATH:
		return json_object_set_new(schema, "type", json_string("string")) |
				json_object_set_new(schema, "pattern", json_string("^/")) |
				json_object_set_new(schema, "maxLength",
						json_integer(PATHS_SOCKET_MAX));
	case PORT_OPTION_ACCOUNT:
		return json_object_set_new(schema, "type", json_string("string"));
	}
	return -1;
}

json_t *
port_option_schema(const struct port_option *opt)
{
	json_t *schema = json_object();
	json_t *otherwise = default_value(opt);
	int failed = set_pattern(opt, schema);

	if (otherwise != NULL)
		failed |= json_object_set_new(schema, "default", otherwise);
	if (failed == 0)
		return schema;
	json_decref(schema);
	return NULL;
}
