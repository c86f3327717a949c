/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_json.h. One row an option: how it is read, and how it is written. */
#include "port_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/identity.h"
#include "jsonrpc/jsonrpc.h"
#include "options/port_options.h"
#include "text/text.h"

_Static_assert(PORT_OPTION_INTERFACE_MAX < IFNAMSIZ, "an interface's name fits its setting");
_Static_assert(PORT_OPTION_NETNS_MAX < PORT_PATH_MAX, "a namespace fits its setting");
_Static_assert(PORT_OPTION_TEXT_MAX < PORT_DEVARGS_MAX, "device arguments fit their setting");
_Static_assert(PORT_OPTION_ADDRESSES_MAX == PORT_ADDRESSES_MAX, "addresses fit their setting");
_Static_assert(PORT_OPTION_QUEUES_MAX == PORT_QUEUES_MAX, "the table and the port agree");

struct accessor {
	const char *key;
	/* One of the two; `read` where a value that passed its check may still be wrong: then */
	/* -EINVAL, with words that do not name the key. */
	void (*set)(const json_t *value, struct port_settings *settings);
	int (*read)(const json_t *value, struct port_settings *settings, char *err,
			size_t err_size);
	json_t *(*write)(const struct port_settings *settings);
};

static bool
is_listening(const struct port_settings *settings)
{
	return settings->connect[0] == '\0';
}

static void
set_text(const json_t *value, char *text, size_t size)
{
	snprintf(text, size, "%s", json_string_value(value));
}

static json_t *
write_text(const char *text)
{
	return text[0] != '\0' ? jsonrpc_text(text) : json_null();
}

/* An option whose setting is an array of characters, "" where it was not given. */
#define TEXT_OPTION(member)                                                                        \
	static void set_##member(const json_t *value, struct port_settings *settings)              \
	{                                                                                          \
		set_text(value, settings->member, sizeof(settings->member));                       \
	}                                                                                          \
	static json_t *write_##member(const struct port_settings *settings)                        \
	{                                                                                          \
		return write_text(settings->member);                                               \
	}

#define NUMBER_OPTION(member)                                                                      \
	static void set_##member(const json_t *value, struct port_settings *settings)              \
	{                                                                                          \
		settings->member = (uint32_t)json_integer_value(value);                            \
	}                                                                                          \
	static json_t *write_##member(const struct port_settings *settings)                        \
	{                                                                                          \
		return json_integer(settings->member);                                             \
	}

#define BOOL_OPTION(member)                                                                        \
	static void set_##member(const json_t *value, struct port_settings *settings)              \
	{                                                                                          \
		settings->member = json_is_true(value);                                            \
	}                                                                                          \
	static json_t *write_##member(const struct port_settings *settings)                        \
	{                                                                                          \
		return json_boolean(settings->member);                                             \
	}

TEXT_OPTION(socket)
TEXT_OPTION(connect)
TEXT_OPTION(ifname)
TEXT_OPTION(netns)
TEXT_OPTION(devargs)
NUMBER_OPTION(mtu)
NUMBER_OPTION(mac_limit)
NUMBER_OPTION(queues)
NUMBER_OPTION(max_memory)
BOOL_OPTION(enabled)
BOOL_OPTION(offload)
BOOL_OPTION(up)
BOOL_OPTION(promiscuous)

static int
read_mode(const json_t *value, struct port_settings *settings, char *err, size_t err_size)
{
	return text_parse_mode(json_string_value(value), &settings->mode, err, err_size);
}

static json_t *
write_mode(const struct port_settings *settings)
{
	char text[16];

	if (!is_listening(settings))
		return json_null();
	snprintf(text, sizeof(text), "%04o", settings->mode);
	return json_string(text);
}

static int
read_owner(const json_t *value, struct port_settings *settings, char *err, size_t err_size)
{
	return identity_parse_user(json_string_value(value), &settings->owner, err, err_size);
}

static json_t *
write_owner(const struct port_settings *settings)
{
	uid_t uid = settings->owner == (uid_t)-1 ? geteuid() : settings->owner;

	return is_listening(settings) ? jsonrpc_text(identity_user_name(uid)) : json_null();
}

static int
read_group(const json_t *value, struct port_settings *settings, char *err, size_t err_size)
{
	return identity_parse_group(json_string_value(value), &settings->group, err, err_size);
}

static json_t *
write_group(const struct port_settings *settings)
{
	gid_t gid = settings->group == (gid_t)-1 ? getegid() : settings->group;

	return is_listening(settings) ? jsonrpc_text(identity_group_name(gid)) : json_null();
}

static const char *const backend_names[] = {
	[PORT_BACKEND_AUTO] = "auto",
	[PORT_BACKEND_VHOST_NET] = "vhost-net",
	[PORT_BACKEND_TAP] = "tap",
};

static void
set_backend(const json_t *value, struct port_settings *settings)
{
	const char *name = json_string_value(value);
	int i;

	for (i = PORT_BACKEND_AUTO; i < PORT_BACKEND_TAP; i++)
		if (strcmp(name, backend_names[i]) == 0)
			break;
	settings->backend = (enum port_backend)i;
}

static json_t *
write_backend(const struct port_settings *settings)
{
	return json_string(backend_names[settings->backend]);
}

static void
set_mac(const json_t *value, struct port_settings *settings)
{
	(void)text_parse_mac(json_string_value(value), settings->mac, NULL, 0);
	settings->has_mac = true;
}

static json_t *
write_mac(const struct port_settings *settings)
{
	char text[TEXT_MAC_SIZE];

	return settings->has_mac ? json_string(text_format_mac(settings->mac, text)) : json_null();
}

/* All of them: what was there before goes. */
static void
set_ip(const json_t *value, struct port_settings *settings)
{
	memset(settings->ips, 0, sizeof(settings->ips));
	(void)port_option_addresses(value, settings->ips, &settings->n_ips, NULL, 0);
}

static json_t *
write_ip(const struct port_settings *settings)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT_SIZE];
	uint32_t i;

	for (i = 0; i < settings->n_ips; i++)
		json_array_append_new(list, json_string(prefix_format(&settings->ips[i], text)));
	return list;
}

/* clang-format off */
static const struct accessor accessors[] = {
	{ .key = "mtu", .set = set_mtu, .write = write_mtu },
	{ .key = "mac-limit", .set = set_mac_limit, .write = write_mac_limit },
	{ .key = "enabled", .set = set_enabled, .write = write_enabled },
	{ .key = "offload", .set = set_offload, .write = write_offload },
	{ .key = "socket", .set = set_socket, .write = write_socket },
	{ .key = "connect", .set = set_connect, .write = write_connect },
	{ .key = "max-memory", .set = set_max_memory, .write = write_max_memory },
	{ .key = "mode", .read = read_mode, .write = write_mode },
	{ .key = "owner", .read = read_owner, .write = write_owner },
	{ .key = "group", .read = read_group, .write = write_group },
	{ .key = "ifname", .set = set_ifname, .write = write_ifname },
	{ .key = "netns", .set = set_netns, .write = write_netns },
	{ .key = "ip", .set = set_ip, .write = write_ip },
	{ .key = "mac", .set = set_mac, .write = write_mac },
	{ .key = "up", .set = set_up, .write = write_up },
	{ .key = "backend", .set = set_backend, .write = write_backend },
	{ .key = "queues", .set = set_queues, .write = write_queues },
	{ .key = "devargs", .set = set_devargs, .write = write_devargs },
	{ .key = "promiscuous", .set = set_promiscuous, .write = write_promiscuous },
};
/* clang-format on */

static const struct accessor *
find_accessor(const struct port_option *option)
{
	size_t i;

	for (i = 0; i < sizeof(accessors) / sizeof(accessors[0]); i++)
		if (strcmp(accessors[i].key, option->key) == 0)
			return &accessors[i];
	/* the two tables do not agree: a mistake in the program that the first use shows */
	abort();
}

static int
read_option(const struct accessor *accessor, const json_t *value, struct port_settings *settings,
		char *err, size_t err_size)
{
	if (accessor->read != NULL)
		return accessor->read(value, settings, err, err_size);
	accessor->set(value, settings);
	return 0;
}

int
port_json_read(const json_t *object, struct port_settings *settings, const char **key, char *err,
		size_t err_size)
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
		ret = read_option(find_accessor(option), value, settings, why, sizeof(why));
		if (ret != 0) {
			*key = option->key;
			return text_fail(err, err_size, ret, "%s: %s", option->key, why);
		}
	}
	return 0;
}

json_t *
port_json_value(const struct port_settings *settings, const struct port_option *option)
{
	return find_accessor(option)->write(settings);
}

static bool
is_same_value(const struct port_option *option, const struct port_settings *a,
		const struct port_settings *b)
{
	json_t *value_a = port_json_value(a, option);
	json_t *value_b = port_json_value(b, option);
	bool same = json_equal(value_a, value_b) != 0;

	json_decref(value_a);
	json_decref(value_b);
	return same;
}

const struct port_option *
port_json_difference(const json_t *object, const struct port_settings *wanted,
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
