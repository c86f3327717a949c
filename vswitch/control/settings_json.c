/* SPDX-License-Identifier: BSD-3-Clause */
/* See settings_json.h. How an option is read and written follows from its type. */
#include "settings_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/identity.h"
#include "jsonrpc/jsonrpc.h"
#include "options/port_options.h"
#include "text/text.h"
#include "text/words.h"

static bool
is_listening(const struct port_settings *settings)
{
	return settings->connect[0] == '\0';
}

static json_t *
write_choice(const char *choices, uint32_t index)
{
	size_t len;
	const char *word = words_at(choices, index, &len);

	return json_stringn(word, len);
}

/* All of them: what was there before goes. */
static void
read_addresses(const json_t *value, struct port_addresses *ip)
{
	memset(ip, 0, sizeof(*ip));
	(void)port_option_addresses(value, ip->list, &ip->n, NULL, 0);
}

/*
 * Of a value that has passed port_option_check(). Accounts may still be wrong: then -EINVAL, with
 * words that do not name the key.
 */
static int
read_value(const struct port_option *option, const json_t *value, void *member, char *err,
		size_t err_size)
{
	struct port_mac *mac = member;

	switch (option->type) {
	case PORT_OPTION_PATH:
	case PORT_OPTION_INTERFACE:
	case PORT_OPTION_NETNS:
	case PORT_OPTION_TEXT:
		snprintf(member, option->size, "%s", json_string_value(value));
		return 0;
	case PORT_OPTION_INTEGER:
		*(uint32_t *)member = (uint32_t)json_integer_value(value);
		return 0;
	case PORT_OPTION_BOOL:
		*(bool *)member = json_is_true(value);
		return 0;
	case PORT_OPTION_WORD:
		*(uint32_t *)member = (uint32_t)words_index(
				option->choices, json_string_value(value));
		return 0;
	case PORT_OPTION_MODE:
		return text_parse_mode(json_string_value(value), member, err, err_size);
	case PORT_OPTION_USER:
		return identity_parse_user(json_string_value(value), member, err, err_size);
	case PORT_OPTION_GROUP:
		return identity_parse_group(json_string_value(value), member, err, err_size);
	case PORT_OPTION_MAC:
		mac->given = true;
		return text_parse_mac(json_string_value(value), mac->bytes, err, err_size);
	case PORT_OPTION_ADDRESSES:
		read_addresses(value, member);
		return 0;
	}
	return -EINVAL;
}

static json_t *
write_text(const char *text)
{
	return text[0] != '\0' ? jsonrpc_text(text) : json_null();
}

static json_t *
write_mode(mode_t mode)
{
	char text[16];

	snprintf(text, sizeof(text), "%04o", mode);
	return json_string(text);
}

static json_t *
write_mac(const struct port_mac *mac)
{
	char text[TEXT_MAC_SIZE];

	return mac->given ? json_string(text_format_mac(mac->bytes, text)) : json_null();
}

static json_t *
write_addresses(const struct port_addresses *ip)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT_SIZE];
	uint32_t i;

	for (i = 0; i < ip->n; i++)
		json_array_append_new(list, json_string(prefix_format(&ip->list[i], text)));
	return list;
}

/* Accounts that were not given are the switch's own. */
static json_t *
write_user(uid_t uid)
{
	return jsonrpc_text(identity_user_name(uid == (uid_t)-1 ? geteuid() : uid));
}

static json_t *
write_group(gid_t gid)
{
	return jsonrpc_text(identity_group_name(gid == (gid_t)-1 ? getegid() : gid));
}

static json_t *
write_value(const struct port_option *option, const void *member)
{
	switch (option->type) {
	case PORT_OPTION_PATH:
	case PORT_OPTION_INTERFACE:
	case PORT_OPTION_NETNS:
	case PORT_OPTION_TEXT:
		return write_text(member);
	case PORT_OPTION_INTEGER:
		return json_integer(*(const uint32_t *)member);
	case PORT_OPTION_BOOL:
		return json_boolean(*(const bool *)member);
	case PORT_OPTION_WORD:
		return write_choice(option->choices, *(const uint32_t *)member);
	case PORT_OPTION_MODE:
		return write_mode(*(const mode_t *)member);
	case PORT_OPTION_USER:
		return write_user(*(const uid_t *)member);
	case PORT_OPTION_GROUP:
		return write_group(*(const gid_t *)member);
	case PORT_OPTION_MAC:
		return write_mac(member);
	case PORT_OPTION_ADDRESSES:
		return write_addresses(member);
	}
	return NULL;
}

int
settings_json_read(const json_t *object, struct port_settings *settings, const char **key,
		char *err, size_t err_size)
{
	const struct port_option *option;
	const json_t *value;
	char why[256];
	size_t i;
	int ret;

	for (i = 0; i < port_options_count; i++) {
		option = &port_options[i];
		value = json_object_get(object, option->key);
		if (value == NULL)
			continue;
		ret = read_value(option, value, port_settings_member(settings, option), why,
				sizeof(why));
		if (ret != 0) {
			*key = option->key;
			return text_fail(err, err_size, ret, "%s: %s", option->key, why);
		}
	}
	return 0;
}

json_t *
settings_json_value(const struct port_settings *settings, const struct port_option *option)
{
	if (option->listen_only && !is_listening(settings))
		return json_null();
	return write_value(option, port_settings_value(settings, option));
}

static bool
is_same_value(const struct port_option *option, const struct port_settings *a,
		const struct port_settings *b)
{
	json_t *value_a = settings_json_value(a, option);
	json_t *value_b = settings_json_value(b, option);
	bool same = json_equal(value_a, value_b) != 0;

	json_decref(value_a);
	json_decref(value_b);
	return same;
}

const struct port_option *
settings_json_difference(const json_t *object, const struct port_settings *wanted,
		const struct port_settings *present)
{
	size_t i;

	if (is_listening(wanted) != is_listening(present))
		return port_option_find("connect");
	for (i = 0; i < port_options_count; i++)
		if (json_object_get(object, port_options[i].key) != NULL &&
				!is_same_value(&port_options[i], wanted, present))
			return &port_options[i];
	return NULL;
}
