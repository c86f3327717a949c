/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/port_options.c: the same values pass, and fail, as words and as JSON. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "port_options.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct port_option *
option(const char *key)
{
	const struct port_option *opt = port_option_find(key);

	if (opt == NULL)
		fail_msg("no option %s", key);
	return opt;
}

static void
test_lookup(void **state)
{
	size_t i;

	(void)state;
	assert_string_equal(option("mtu")->key, "mtu");
	assert_null(port_option_find("mt"));
	assert_null(port_option_find(""));
	assert_string_equal(port_option_nearest("mtuu", PORT_KIND_VHOST_USER), "mtu");
	assert_string_equal(port_option_nearest("mac_limit", PORT_KIND_VHOST_USER), "mac-limit");
	assert_null(port_option_nearest("mtuu", 0));
	assert_null(port_option_nearest("colour", PORT_KIND_VHOST_USER));
	for (i = 0; i < port_options_count; i++) {
		assert_ptr_equal(port_option_find(port_options[i].key), &port_options[i]);
		assert_true(port_options[i].kinds != 0);
		assert_non_null(port_options[i].arg);
		assert_non_null(port_options[i].help);
	}
}

static void
test_kinds(void **state)
{
	(void)state;
	assert_int_equal(port_kind_find("vhost-user"), PORT_KIND_VHOST_USER);
	assert_int_equal(port_kind_find("vhost"), 0);
	assert_string_equal(port_kind_nearest("vhost_usr"), "vhost-user");
	assert_null(port_kind_nearest("tap"));
	assert_non_null(strstr(port_kinds_text, "vhost-user"));
}

static void
test_words(void **state)
{
	static const struct {
		const char *key, *text, *json;
	} cases[] = {
		{ "mtu", "68", "68" },
		{ "mtu", "65535", "65535" },
		{ "mac-limit", "0", "0" },
		{ "mac-limit", "65536", "65536" },
		{ "enabled", "on", "true" },
		{ "enabled", "no", "false" },
		{ "mode", "0660", "\"0660\"" },
		{ "mode", "600", "\"600\"" },
		{ "owner", "qemu", "\"qemu\"" },
		{ "group", "107", "\"107\"" },
		{ "socket", "/tmp/a.sock", "\"/tmp/a.sock\"" },
		{ "connect", "/tmp/a.sock", "\"/tmp/a.sock\"" },
	};
	json_t *value;
	char err[512], *text;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		value = NULL;
		if (port_option_from_text(option(cases[i].key), cases[i].text, &value, err,
				    sizeof(err)) != 0)
			fail_msg("%s", err);
		assert_int_equal(port_option_check(option(cases[i].key), value, err, sizeof(err)),
				0);
		text = json_dumps(value, JSON_ENCODE_ANY);
		assert_string_equal(text, cases[i].json);
		free(text);
		json_decref(value);
	}
}

static void
test_wrong_words(void **state)
{
	static const struct {
		const char *key, *text, *why;
	} cases[] = {
		{ "mtu", "67", "mtu: '67' is not a whole number from 68 to 65535" },
		{ "mtu", "65536", "mtu: '65536' is not a whole number from 68 to 65535" },
		{ "mtu", "big", "mtu: 'big' is not a whole number from 68 to 65535" },
		{ "enabled", "maybe", "enabled: 'maybe' is neither on nor off" },
		{ "mode", "rw", "mode: \"rw\" is not a file mode in octal such as \"0660\", as a string" },
		{ "owner", "", "owner: \"\" is not the name or number of a user or group, as a string" },
		{ "group", "a:b",
				"group: \"a:b\" is not the name or number of a user or group, "
				"as a string" },
		{ "owner", "a\nb",
				"owner: \"a\\nb\" is not the name or number of a user or group, "
				"as a string" },
		{ "owner", "\xff", "owner: the value is not UTF-8 text" },
		{ "socket", "", "socket: \"\" is not the absolute path of a UNIX socket, as a string" },
	};
	json_t *value = NULL;
	char err[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(port_option_from_text(option(cases[i].key), cases[i].text, &value,
						 err, sizeof(err)),
				-EINVAL);
		assert_null(value);
		assert_string_equal(err, cases[i].why);
	}
}

static void
test_wrong_json(void **state)
{
	static const struct {
		const char *key, *json, *why;
	} cases[] = {
		{ "mtu", "\"1500\"", "mtu: \"1500\" is not a whole number from 68 to 65535" },
		{ "mtu", "1500.0", "mtu: 1500.0 is not" },
		{ "mtu", "-1", "mtu: -1 is not" },
		{ "mtu", "null", "mtu: null is not" },
		{ "mtu", "[1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500]",
				"mtu: [1500,1500,1500,1500,1500,1500,1500,1500... is not" },
		{ "enabled", "\"on\"", "enabled: \"on\" is not true or false" },
		{ "enabled", "1", "enabled: 1 is not true or false" },
		{ "mode", "432", "mode: 432 is not a file mode" },
		{ "mode", "\"0999\"", "mode: \"0999\" is not a file mode" },
		{ "owner", "0", "owner: 0 is not the name or number" },
		{ "socket", "\"a.sock\"", "socket: \"a.sock\" is not the absolute path" },
		{ "connect", "true", "connect: true is not the absolute path" },
		{ "socket",
				"\"/ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
				"dddddddddddddddddddddddddddddddddddddddddddddd\"",
				"has 108 bytes, and the path of a UNIX socket has at most 107" },
	};
	char err[512];
	json_t *value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		assert_non_null(value);
		assert_int_equal(port_option_check(option(cases[i].key), value, err, sizeof(err)),
				-EINVAL);
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("'%s' lacks '%s'", err, cases[i].why);
		json_decref(value);
	}
}

static void
test_relative_path_becomes_absolute(void **state)
{
	char err[512], directory[256], expected[300];
	json_t *value = NULL;

	(void)state;
	assert_int_equal(chdir("/tmp"), 0);
	assert_non_null(getcwd(directory, sizeof(directory)));
	assert_int_equal(port_option_from_text(
					 option("connect"), "vm.sock", &value, err, sizeof(err)),
			0);
	snprintf(expected, sizeof(expected), "%s/vm.sock", directory);
	assert_string_equal(json_string_value(value), expected);
	json_decref(value);
}

static void
test_what_goes_together(void **state)
{
	static const struct {
		const char *json, *key;
	} cases[] = {
		{ "{}", NULL },
		{ "{\"connect\":\"/a\",\"mtu\":1500,\"name\":\"p\"}", NULL },
		{ "{\"socket\":\"/a\",\"mode\":\"0600\"}", NULL },
		{ "{\"connect\":\"/a\",\"socket\":\"/b\"}", "socket" },
		{ "{\"connect\":\"/a\",\"mode\":\"0600\"}", "mode" },
		{ "{\"connect\":\"/a\",\"owner\":\"me\"}", "owner" },
		{ "{\"group\":\"us\",\"connect\":\"/a\"}", "group" },
	};
	const char *key;
	json_t *object;
	char err[256];
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		key = NULL;
		object = json_loads(cases[i].json, 0, NULL);
		ret = port_options_check_together(object, &key, err, sizeof(err));
		json_decref(object);
		assert_int_equal(ret, cases[i].key != NULL ? -EINVAL : 0);
		if (cases[i].key == NULL)
			continue;
		assert_string_equal(key, cases[i].key);
		assert_int_equal(strncmp(err, key, strlen(key)), 0);
		assert_non_null(strstr(err, "does not go with connect"));
	}
}

static void
test_schemas(void **state)
{
	static const struct {
		const char *key, *json;
	} cases[] = {
		{ "mtu", "{\"type\":\"integer\",\"minimum\":68,\"maximum\":65535,\"default\":1500}" },
		{ "enabled", "{\"type\":\"boolean\",\"default\":true}" },
		{ "mode", "{\"type\":\"string\",\"pattern\":\"^0?[0-7]{3}$\",\"default\":\"0600\"}" },
		{ "socket", "{\"type\":\"string\",\"pattern\":\"^/\",\"maxLength\":107}" },
		{ "owner", "{\"type\":\"string\"}" },
	};
	json_t *schema;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		schema = port_option_schema(option(cases[i].key));
		text = json_dumps(schema, JSON_COMPACT);
		assert_non_null(text);
		assert_string_equal(text, cases[i].json);
		free(text);
		json_decref(schema);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_wrong_words),
		cmocka_unit_test(test_wrong_json),
		cmocka_unit_test(test_relative_path_becomes_absolute),
		cmocka_unit_test(test_what_goes_together),
		cmocka_unit_test(test_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
