/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/port_json.c: every option of the table goes from JSON to settings and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "port_json.h"
#include "port_options.h"

static const struct port_settings plain = { .mtu = 1500,
	.enabled = true,
	.mode = 0600,
	.owner = (uid_t)-1,
	.group = (gid_t)-1 };

static int
read_text(const char *text, struct port_settings *settings, const char **key, char *err,
		size_t err_size)
{
	json_t *object = json_loads(text, 0, NULL);
	int ret;

	assert_non_null(object);
	ret = port_json_read(object, settings, key, err, err_size);
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
		return "777";
	case PORT_OPTION_BOOL:
		return "false";
	case PORT_OPTION_MODE:
		return "\"0664\"";
	case PORT_OPTION_ACCOUNT:
		return "\"4000000000\"";
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
		assert_int_equal(port_json_read(object, &settings, &key, err, sizeof(err)), 0);
		assert_memory_not_equal(&settings, &plain, sizeof(plain));
		back = port_json_value(&settings, &port_options[i]);
		if (!json_equal(given, back))
			fail_msg("%s changes on the way", port_options[i].key);
		json_decref(back);
		json_decref(object);
		json_decref(given);
	}
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
	value = port_json_value(&settings, port_option_find("mode"));
	assert_true(json_is_null(value));
	value = port_json_value(&settings, port_option_find("socket"));
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
	assert_null(port_json_difference(given, &wanted, &present));
	present.mtu = 1600;
	assert_string_equal(port_json_difference(given, &wanted, &present)->key, "mtu");
	present.mtu = 1500;
	present.mac_limit = 4;
	assert_string_equal(port_json_difference(given, &wanted, &present)->key, "mac-limit");
	snprintf(present.connect, sizeof(present.connect), "/x");
	assert_string_equal(port_json_difference(given, &wanted, &present)->key, "connect");
	json_decref(given);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_option_comes_back),
		cmocka_unit_test(test_only_what_is_given_changes),
		cmocka_unit_test(test_accounts),
		cmocka_unit_test(test_port_that_connects_has_no_access),
		cmocka_unit_test(test_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
