/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/control/settings_json.c: every option of the table goes from JSON to settings and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/settings_json.h"
#include "options/port_options.h"

static struct port_settings plain;

static int
read_text(const char *text, struct port_settings *settings, const char **key, char *err,
		size_t err_size)
{
	json_t *object = json_loads(text, 0, NULL);
	int ret;

	assert_non_null(object);
	ret = settings_json_read(object, settings, key, err, err_size);
	json_decref(object);
	return ret;
}

/* A value of each option that is not its default. */
static const char *
example(const struct port_option *option)
{
	switch (option->type) {
	case PORT_OPTION_PATH:
		return "\"/x/y.sock\"";
	case PORT_OPTION_INTEGER:
		return option->max < 777 ? "3" : "777";
	case PORT_OPTION_BOOL:
		return "false";
	case PORT_OPTION_MODE:
		return "\"0664\"";
	case PORT_OPTION_USER:
	case PORT_OPTION_GROUP:
		return "\"4000000000\"";
	case PORT_OPTION_WORD:
		return "\"tap\"";
	case PORT_OPTION_INTERFACE:
		return "\"vsw0\"";
	case PORT_OPTION_NETNS:
		return "\"/proc/1/ns/net\"";
	case PORT_OPTION_MAC:
		return "\"02:00:00:00:00:0a\"";
	case PORT_OPTION_ADDRESSES:
		return "[\"10.0.0.254/24\", \"fd00::1/64\"]";
	case PORT_OPTION_TEXT:
		return "\"net_null0,size=64\"";
	}
	return NULL;
}

static void
test_every_option_comes_back(void **state)
{
	struct port_settings settings;
	json_t *given, *object, *back;
	const char *key = NULL;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < port_options_count; i++) {
		settings = plain;
		given = json_loads(example(&port_options[i]), JSON_DECODE_ANY, NULL);
		object = json_pack("{s:O}", port_options[i].key, given);
		assert_int_equal(port_option_check(&port_options[i], given, err, sizeof(err)), 0);
		assert_int_equal(settings_json_read(object, &settings, &key, err, sizeof(err)), 0);
		assert_ptr_equal(port_settings_change(&plain, &settings, NULL), &port_options[i]);
		assert_null(port_settings_change(&plain, &settings, &port_options[i]));
		assert_null(port_settings_change(&settings, &settings, NULL));
		back = settings_json_value(&settings, &port_options[i]);
		if (!json_equal(given, back))
			fail_msg("%s changes on the way", port_options[i].key);
		json_decref(back);
		json_decref(object);
		json_decref(given);
	}
}

/* The table's words for a default are what a port has when nothing was given. */
static void
test_defaults(void **state)
{
	const struct port_option *option;
	json_t *schema, *said, *value;
	char err[256];
	size_t i;

	(void)state;
	for (i = 0; i < port_options_count; i++) {
		option = &port_options[i];
		assert_true(option->size > 0);
		schema = port_option_schema(option);
		said = json_object_get(schema, "default");
		value = settings_json_value(&plain, option);
		if (said != NULL && !json_equal(said, value))
			fail_msg("%s is not %s", option->key, option->default_text);
		if (said == NULL && option->type != PORT_OPTION_ADDRESSES &&
				option->type != PORT_OPTION_USER &&
				option->type != PORT_OPTION_GROUP)
			assert_true(json_is_null(value));
		if (said != NULL)
			assert_int_equal(port_option_check(option, said, err, sizeof(err)), 0);
		json_decref(schema);
		json_decref(value);
	}
}

/* Every option has a member of its own. */
static void
test_members_do_not_overlap(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < port_options_count; i++)
		for (k = 0; k < i; k++)
			assert_true(port_options[i].offset >= port_options[k].offset +
									port_options[k].size ||
					port_options[k].offset >= port_options[i].offset +
									port_options[i].size);
}

static void
test_only_what_is_given_changes(void **state)
{
	struct port_settings settings = plain;
	const char *key = NULL;
	char err[256];

	(void)state;
	assert_int_equal(read_text("{\"name\":\"a\",\"mtu\":9000}", &settings, &key, err,
					 sizeof(err)),
			0);
	assert_int_equal(settings.mtu, 9000);
	settings.mtu = plain.mtu;
	assert_memory_equal(&settings, &plain, sizeof(plain));
}

static void
test_accounts(void **state)
{
	struct port_settings settings = plain;
	const char *key = NULL;
	char err[256];

	(void)state;
	assert_int_equal(read_text("{\"owner\":\"root\",\"group\":\"root\"}", &settings, &key, err,
					 sizeof(err)),
			0);
	assert_int_equal(settings.owner, 0);
	assert_int_equal(settings.group, 0);
	assert_int_equal(read_text("{\"owner\":\"no such\"}", &settings, &key, err, sizeof(err)),
			-EINVAL);
	assert_string_equal(key, "owner");
	assert_non_null(strstr(err, "owner: this host has no user 'no such'"));
	assert_int_equal(read_text("{\"group\":\"no such\"}", &settings, &key, err, sizeof(err)),
			-EINVAL);
	assert_string_equal(key, "group");
	/* the number that stands for "unchanged" is nobody's */
	assert_int_equal(read_text("{\"owner\":\"4294967295\"}", &settings, &key, err, sizeof(err)),
			-EINVAL);
}

static void
test_port_that_connects_has_no_access(void **state)
{
	struct port_settings settings = plain;
	json_t *value;

	(void)state;
	snprintf(settings.connect, sizeof(settings.connect), "/x");
	value = settings_json_value(&settings, port_option_find("mode"));
	assert_true(json_is_null(value));
	value = settings_json_value(&settings, port_option_find("socket"));
	assert_true(json_is_null(value));
}

static void
test_differences(void **state)
{
	struct port_settings wanted = plain, present = plain;
	json_t *given = json_loads("{\"mtu\":1500,\"mac-limit\":3}", 0, NULL);

	(void)state;
	wanted.mac_limit = present.mac_limit = 3;
	present.enabled = false; /* which is not asked for */
	assert_null(settings_json_difference(given, &wanted, &present));
	present.mtu = 1600;
	assert_string_equal(settings_json_difference(given, &wanted, &present)->key, "mtu");
	present.mtu = 1500;
	present.mac_limit = 4;
	assert_string_equal(settings_json_difference(given, &wanted, &present)->key, "mac-limit");
	snprintf(present.connect, sizeof(present.connect), "/x");
	assert_string_equal(settings_json_difference(given, &wanted, &present)->key, "connect");
	json_decref(given);
}

/* What comes back is in canonical form; a new list replaces the old one, also by none. */
static void
test_addresses(void **state)
{
	const struct port_option *ip = port_option_find("ip");
	struct port_settings settings = plain;
	const char *key = NULL;
	json_t *value;
	char err[256];

	(void)state;
	assert_int_equal(read_text("{\"ip\":[\"FD00:0::01/64\",\"10.1.2.3/8\"]}", &settings, &key,
					 err, sizeof(err)),
			0);
	assert_int_equal(settings.ip.n, 2);
	assert_int_equal(settings.ip.list[0].family, AF_INET6);
	assert_int_equal(settings.ip.list[0].len, 64);
	assert_int_equal(settings.ip.list[1].family, AF_INET);
	assert_memory_equal(settings.ip.list[1].address, "\x0a\1\2\3", 4);
	assert_int_equal(settings.ip.list[1].len, 8);
	value = settings_json_value(&settings, ip);
	assert_string_equal(json_string_value(json_array_get(value, 0)), "fd00::1/64");
	assert_string_equal(json_string_value(json_array_get(value, 1)), "10.1.2.3/8");
	json_decref(value);
	assert_int_equal(read_text("{\"ip\":\"10.0.0.1/24\"}", &settings, &key, err, sizeof(err)),
			0);
	assert_int_equal(settings.ip.n, 1);
	assert_int_equal(read_text("{\"ip\":[]}", &settings, &key, err, sizeof(err)), 0);
	assert_memory_equal(&settings, &plain, sizeof(plain));
}

static void
test_backends(void **state)
{
	static const char *const names[] = { [PORT_BACKEND_AUTO] = "auto",
		[PORT_BACKEND_VHOST_NET] = "vhost-net",
		[PORT_BACKEND_TAP] = "tap" };
	struct port_settings settings = plain;
	const char *key = NULL;
	char text[64], err[256];
	json_t *value;
	int i;

	(void)state;
	for (i = PORT_BACKEND_TAP; i >= PORT_BACKEND_AUTO; i--) {
		snprintf(text, sizeof(text), "{\"backend\":\"%s\"}", names[i]);
		assert_int_equal(read_text(text, &settings, &key, err, sizeof(err)), 0);
		assert_int_equal(settings.backend, i);
		value = settings_json_value(&settings, port_option_find("backend"));
		assert_string_equal(json_string_value(value), names[i]);
		json_decref(value);
	}
}

static void
test_mac_is_null_until_given(void **state)
{
	struct port_settings settings = plain;
	json_t *value = settings_json_value(&settings, port_option_find("mac"));
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	const char *key = NULL;
	char err[256];

	(void)state;
	assert_true(json_is_null(value));
	assert_int_equal(read_text("{\"mac\":\"02-00-00-00-00-09\"}", &settings, &key, err,
					 sizeof(err)),
			0);
	assert_true(settings.mac.given);
	assert_memory_equal(settings.mac.bytes, mac, sizeof(mac));
}

static int
fill_plain(void **state)
{
	(void)state;
	port_settings_default(&plain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option_comes_back),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_members_do_not_overlap),
		cmocka_unit_test(test_only_what_is_given_changes),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_port_that_connects_has_no_access),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_mac_is_null_until_given),
	};

	return cmocka_run_group_tests(tests, fill_plain, NULL);
}
