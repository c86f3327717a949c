/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See params.h. Only what is wrong whatever the switch holds is refused here, as wrong usage: the
 * form of a value, an option that does not exist. All else is for the switch to judge.
 */
#include "params.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jsonrpc/jsonrpc.h"
#include "text/nearest.h"
#include "options/port_options.h"
#include "text/text.h"
#include "follow/watch.h"

static int
set_text(json_t *params, const char *key, const char *text, char *err, size_t err_size)
{
	if (json_object_set_new(params, key, json_string(text)) == 0)
		return 0;
	return text_fail(err, err_size, -EINVAL, "%s: the value is not UTF-8 text", key);
}

/* The first word, if there is one. */
static int
set_first_word(const struct invocation *call, json_t *params, const char *key, char *err,
		size_t err_size)
{
	if (call->word_count == 0)
		return 0;
	return set_text(params, key, call->words[0], err, err_size);
}

static void
set_flag(const struct invocation *call, json_t *params, const char *name)
{
	if (options_given(call->options, name))
		json_object_set_new(params, name, json_true());
}

int
params_name(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	return set_first_word(call, *params, "name", err, err_size);
}

int
params_stats(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	double seconds = options_number(call->options, "watch", -1);

	if (seconds >= WATCH_SECONDS_MIN)
		return 0;
	if (seconds >= 0)
		return text_fail(err, err_size, -EINVAL,
				"--watch: %g is too short a time to measure a rate; give the seconds "
				"from one table to the next, %g or more",
				seconds, WATCH_SECONDS_MIN);
	return params_name(call, params, err, err_size);
}

static int
set_port_option(json_t *params, const struct port_option *opt, const char *text, char *err,
		size_t err_size)
{
	json_t *value;
	int ret;

	ret = port_option_from_text(opt, text, &value, err, err_size);
	if (ret == 0)
		json_object_set_new(params, opt->key, value);
	return ret;
}

static int
given_twice(const char *key, char *err, size_t err_size)
{
	return text_fail(err, err_size, -EINVAL, "%s is given twice; give it once", key);
}

/* One more value of an option of several: all of them together have to be right, too. */
static int
extend_port_option(json_t *params, const struct port_option *opt, const char *text, char *err,
		size_t err_size)
{
	json_t *list = json_object_get(params, opt->key), *more;
	int ret;

	if (list == NULL)
		return set_port_option(params, opt, text, err, err_size);
	if (opt->type != PORT_OPTION_ADDRESSES)
		return given_twice(opt->key, err, err_size);
	ret = port_option_from_text(opt, text, &more, err, err_size);
	if (ret != 0)
		return ret;
	json_array_extend(list, more);
	json_decref(more);
	return port_option_check(opt, list, err, err_size);
}

static int
read_port_option(const struct invocation *call, json_t *params, const struct port_option *opt,
		char *err, size_t err_size)
{
	const struct option_value *value;
	size_t position = 0;
	int ret = 0;

	while (ret == 0 && (value = options_next(call->options, opt->key, &position)) != NULL)
		ret = extend_port_option(params, opt, value->text, err, err_size);
	return ret;
}

int
params_del_port(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	set_flag(call, *params, "if-exists");
	return set_first_word(call, *params, "name", err, err_size);
}

/* Splits "key=value": *key is new, free() it; *value lies in word. */
static int
split_setting(const char *word, char **key, const char **value, char *err, size_t err_size)
{
	size_t length = strcspn(word, "=");

	*key = NULL;
	*value = NULL;
	if (length == 0 || word[length] == '\0')
		return text_fail(err, err_size, -EINVAL, "'%s' is not of the form key=value", word);
	*key = strndup(word, length);
	if (*key == NULL)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	*value = word + length + 1;
	return 0;
}

static int
set_option_of_key(json_t *params, const char *key, const char *value, char *err, size_t err_size)
{
	const struct port_option *opt = port_option_find(key);
	const char *nearest;

	if (opt != NULL && json_object_get(params, key) != NULL)
		return given_twice(key, err, err_size);
	if (opt != NULL)
		return set_port_option(params, opt, value, err, err_size);
	nearest = port_option_nearest(key, ~0u);
	return text_fail(err, err_size, -EINVAL, "a port has no option '%s'%s%s%s", key,
			nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
			nearest != NULL ? "?" : "");
}

/* Port options, in either form, and settings KEY=VALUE. */
static int
read_port_settings(const struct invocation *call, json_t *params, char *err, size_t err_size)
{
	const char *value;
	char *key;
	size_t i;
	int ret = 0;

	for (i = 0; i < port_options_count && ret == 0; i++)
		ret = read_port_option(call, params, &port_options[i], err, err_size);
	for (i = 0; i < call->setting_count && ret == 0; i++) {
		ret = split_setting(call->settings[i], &key, &value, err, err_size);
		if (key == NULL)
			break;
		ret = set_option_of_key(params, key, value, err, err_size);
		free(key);
	}
	return ret;
}

int
params_add_port(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	const char *text = options_text(call->options, "type", NULL);
	int ret;

	ret = set_first_word(call, *params, "name", err, err_size);
	if (ret == 0 && text != NULL)
		ret = set_text(*params, "type", text, err, err_size);
	set_flag(call, *params, "may-exist");
	if (ret == 0)
		ret = read_port_settings(call, *params, err, err_size);
	if (ret == 0)
		ret = port_options_check_together(*params,
				port_kind_find(text != NULL ? text : "vhost-user"), NULL, err,
				err_size);
	return ret;
}

int
params_set_port(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	int ret = set_first_word(call, *params, "name", err, err_size);

	if (ret == 0)
		ret = read_port_settings(call, *params, err, err_size);
	if (ret == 0 && json_object_size(*params) < 2)
		return text_fail(err, err_size, -EINVAL,
				"say what to change of %s: KEY=VALUE, such as mtu=9000",
				call->words[0]);
	return ret;
}

int
params_list_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	const char *port = options_text(
			call->options, "port", call->word_count > 0 ? call->words[0] : NULL);

	return port != NULL ? set_text(*params, "port", port, err, err_size) : 0;
}

/* The address, and its VLAN if one was given. */
static int
set_address(const struct invocation *call, json_t *params, char *err, size_t err_size)
{
	char text[TEXT_MAC_SIZE];
	uint8_t mac[6];
	int ret;

	ret = text_parse_mac(call->words[0], mac, err, err_size);
	if (ret != 0)
		return ret;
	if (options_given(call->options, "vlan"))
		json_object_set_new(params, "vlan",
				json_integer(options_integer(call->options, "vlan", 0)));
	return set_text(params, "mac", text_format_mac(mac, text), err, err_size);
}

int
params_add_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	int ret = set_address(call, *params, err, err_size);

	if (ret != 0)
		return ret;
	return set_text(*params, "port", call->words[1], err, err_size);
}

int
params_del_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	return set_address(call, *params, err, err_size);
}

int
params_flush_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	return set_first_word(call, *params, "port", err, err_size);
}

/* The type that a value looks like: the switch knows its settings and says what is wrong. */
static json_t *
guess_value(const char *text)
{
	int64_t integer;
	bool on;

	if (text_parse_integer(text, INT64_MIN, INT64_MAX, &integer, NULL, 0) == 0)
		return json_integer(integer);
	if (text_parse_bool(text, &on, NULL, 0) == 0)
		return json_boolean(on);
	return jsonrpc_text(text);
}

static int
set_setting(json_t *params, const char *key, const char *value, char *err, size_t err_size)
{
	if (json_object_get(params, key) != NULL)
		return given_twice(key, err, err_size);
	if (json_object_set_new(params, key, guess_value(value)) == 0)
		return 0;
	return text_fail(err, err_size, -EINVAL, "'%s' is not UTF-8 text", key);
}

int
params_set_switch(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	const char *value;
	char *key;
	size_t i;
	int ret = 0;

	for (i = 0; i < call->word_count && ret == 0; i++) {
		ret = split_setting(call->words[i], &key, &value, err, err_size);
		if (key == NULL)
			break;
		ret = set_setting(*params, key, value, err, err_size);
		free(key);
	}
	return ret;
}

/* The switch has a working directory of its own, so a relative name is completed here. */
int
params_save_config(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	char *directory, *path = NULL;
	int ret;

	if (call->word_count == 0 || call->words[0][0] == '/')
		return set_first_word(call, *params, "file", err, err_size);
	directory = getcwd(NULL, 0);
	if (directory == NULL)
		return text_fail(err, err_size, -EINVAL,
				"'%s' is relative, and the working directory is "
				"not known; give an absolute path",
				call->words[0]);
	ret = asprintf(&path, "%s/%s", directory, call->words[0]);
	free(directory);
	if (ret < 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	ret = set_text(*params, "file", path, err, err_size);
	free(path);
	return ret;
}

int
params_log_level(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	return set_first_word(call, *params, "level", err, err_size);
}

int
params_events(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	json_t *events;
	size_t i;

	if (call->word_count == 0)
		return 0;
	events = json_array();
	for (i = 0; i < call->word_count; i++) {
		if (json_array_append_new(events, json_string(call->words[i])) != 0) {
			json_decref(events);
			return text_fail(err, err_size, -EINVAL, "'%s' is not UTF-8 text",
					call->words[i]);
		}
	}
	json_object_set_new(*params, "events", events);
	return 0;
}

int
params_call(const struct invocation *call, json_t **params, char *err, size_t err_size)
{
	json_t *value = NULL;
	char why[256];

	json_decref(*params);
	*params = NULL;
	if (call->word_count < 2)
		return 0;
	if (jsonrpc_parse_json(call->words[1], strlen(call->words[1]), &value, why, sizeof(why)) !=
			0)
		return text_fail(err, err_size, -EINVAL, "PARAMS: %s", why);
	if (!json_is_object(value) && !json_is_array(value)) {
		json_decref(value);
		return text_fail(err, err_size, -EINVAL,
				"PARAMS is not a JSON object such as "
				"'{\"name\":\"p0\"}'");
	}
	*params = value;
	return 0;
}
