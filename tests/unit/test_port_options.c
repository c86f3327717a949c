/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/options/port_options.c: the same values pass, and fail, as words and as JSON. */
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

#include "options/port_options.h"

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
	assert_string_equal(port_option_nearest("ifnam", PORT_KIND_KERNEL), "ifname");
	assert_null(port_option_nearest("ifnam", PORT_KIND_ETHDEV));
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
	assert_int_equal(port_kind_find("kernel"), PORT_KIND_KERNEL);
	assert_int_equal(port_kind_find("ethdev"), PORT_KIND_ETHDEV);
	assert_string_equal(port_kind_nearest("kernl"), "kernel");
	assert_string_equal(port_kinds_text, "vhost-user|kernel|ethdev");
}

static void
test_lists_of_kinds(void **state)
{
	char buf[PORT_KINDS_TEXT_SIZE];

	(void)state;
	assert_string_equal(port_kinds_list(PORT_KIND_KERNEL, buf), "kernel");
	assert_string_equal(port_kinds_list(PORT_KIND_KERNEL | PORT_KIND_ETHDEV, buf),
			"kernel and ethdev");
	assert_string_equal(port_kinds_list(PORT_KIND_ALL, buf), "every kind");
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
		{ "offload", "off", "false" },
		{ "ifname", "vsw0", "\"vsw0\"" },
		{ "ifname", "fifteen-letters", "\"fifteen-letters\"" },
		{ "ifname", "...", "\"...\"" },
		{ "netns", "blue", "\"blue\"" },
		{ "netns", "/proc/7/ns/net", "\"/proc/7/ns/net\"" },
		{ "ip", "", "[]" },
		{ "ip", "10.0.0.254/24", "[\"10.0.0.254/24\"]" },
		{ "ip", "10.0.0.1/32,fd00::1/64", "[\"10.0.0.1/32\", \"fd00::1/64\"]" },
		{ "mac", "02:00:00:00:00:01", "\"02:00:00:00:00:01\"" },
		{ "up", "off", "false" },
		{ "backend", "vhost-net", "\"vhost-net\"" },
		{ "queues", "8", "8" },
		{ "devargs", "net_af_packet0,iface=eth0", "\"net_af_packet0,iface=eth0\"" },
		{ "promiscuous", "yes", "true" },
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
		{ "backend", "vhost",
				"backend: \"vhost\" is not one of auto|vhost-net|tap, as a string; "
				"did you mean vhost-net?" },
		{ "backend", "kni",
				"backend: \"kni\" is not one of auto|vhost-net|tap, as a string" },
		{ "netns", ".",
				"netns: \".\" is not the name or the absolute path of a network "
				"namespace, as a string" },
		{ "ip", "10.0.0.1",
				"ip: '10.0.0.1' lacks the length of its network's prefix; write for "
				"example 10.0.0.1/24" },
		{ "ip", "fd00::1",
				"ip: 'fd00::1' lacks the length of its network's prefix; write for "
				"example fd00::1/64" },
		{ "ip", "10.0.0.1/33",
				"ip: '10.0.0.1/33': the length of the prefix is not a whole number "
				"from 1 to 32" },
		{ "ip", "10.0.0.1/24,10.0.0.1/16",
				"ip: '10.0.0.1/16' is given twice; give it once" },
		{ "ip", "10.0.0.1/24,",
				"ip: '' is not an IP address with its prefix length such as "
				"10.0.0.254/24" },
		{ "ip", "0.0.0.0/8",
				"ip: '0.0.0.0/8' stands for no address; give the address of one host" },
		{ "ip", "::/64",
				"ip: '::/64' stands for no address; give the address of one host" },
		{ "ip", "224.0.0.1/4",
				"ip: '224.0.0.1/4' is a multicast address; give the address of one host" },
		{ "ip", "ff02::1/64",
				"ip: 'ff02::1/64' is a multicast address; give the address of one host" },
		{ "ip", "255.255.255.255/24",
				"ip: '255.255.255.255/24' is the broadcast address; give the address of one "
				"host" },
		{ "ip", "\xff/24", "ip: the value is not UTF-8 text" },
		{ "queues", "9", "queues: '9' is not a whole number from 1 to 8" },
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

/* Names that Linux refuses, and one that it would number. */
static void
test_wrong_interfaces(void **state)
{
	static const char *const names[] = { "", ".", "..", "sixteen-letters!", "a b", "a/b", "a:b",
		"vsw%d", "a\n", "\xc3\xa0" };
	char err[512];
	json_t *value = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(port_option_from_text(option("ifname"), names[i], &value, err,
						 sizeof(err)),
				-EINVAL);
		assert_non_null(strstr(err, "is not the name of a network interface"));
	}
}

static void
test_wrong_addresses_of_stations(void **state)
{
	static const char *const macs[] = { "", "02:00", "00:00:00:00:00:00", "01:00:5e:00:00:01",
		"ff:ff:ff:ff:ff:ff" };
	char err[512];
	json_t *value = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(macs); i++) {
		assert_int_equal(port_option_from_text(
						 option("mac"), macs[i], &value, err, sizeof(err)),
				-EINVAL);
		assert_non_null(strstr(err, "is not the MAC address of one station"));
	}
}

/* As many addresses as there is room for, and one more. */
static void
test_most_addresses(void **state)
{
	struct prefix prefixes[PORT_ADDRESSES_MAX];
	json_t *list = json_array();
	char text[32], err[256];
	uint32_t n, i;

	(void)state;
	for (i = 1; i <= PORT_ADDRESSES_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u/24", i);
		json_array_append_new(list, json_string(text));
	}
	assert_int_equal(port_option_check(option("ip"), list, err, sizeof(err)), 0);
	assert_int_equal(port_option_addresses(list, prefixes, &n, err, sizeof(err)), 0);
	assert_int_equal(n, PORT_ADDRESSES_MAX);
	assert_int_equal(prefixes[15].address[3], 16);
	json_array_append_new(list, json_string("10.0.0.17/24"));
	assert_int_equal(port_option_check(option("ip"), list, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "ip: an interface has at most 16 addresses here; give fewer");
	json_decref(list);
}

static void
test_addresses_as_one_text(void **state)
{
	json_t *value = json_string("10.0.0.1/24,fd00::1/64");
	struct prefix prefixes[PORT_ADDRESSES_MAX];
	char err[256], text[PREFIX_TEXT_SIZE];
	uint32_t n;

	(void)state;
	assert_int_equal(port_option_check(option("ip"), value, err, sizeof(err)), 0);
	assert_int_equal(port_option_addresses(value, prefixes, &n, err, sizeof(err)), 0);
	assert_int_equal(n, 2);
	assert_string_equal(prefix_format(&prefixes[0], text), "10.0.0.1/24");
	assert_string_equal(prefix_format(&prefixes[1], text), "fd00::1/64");
	json_decref(value);
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
		{ "ip", "7", "ip: 7 is not an array of addresses such as [\"10.0.0.254/24\"]" },
		{ "ip", "[7]", "ip: element 0 is no string" },
		{ "ip", "[\"fd00::1/64\", \"fd00:0::1/64\"]", "ip: 'fd00:0::1/64' is given twice" },
		{ "mac", "7", "mac: 7 is not the MAC address of one station" },
		{ "netns", "\"a/b\"", "netns: \"a/b\" is not the name or the absolute path" },
		{ "devargs", "\"\"", "devargs: \"\" is not a text of 1 to 511 bytes" },
		{ "devargs", "\"a\\nb\"", "is not a text of 1 to 511 bytes on one line" },
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
		unsigned int kind;
		const char *json, *key, *why;
	} cases[] = {
		{ PORT_KIND_VHOST_USER, "{}", NULL, NULL },
		{ PORT_KIND_VHOST_USER, "{\"connect\":\"/a\",\"mtu\":1500,\"name\":\"p\"}", NULL,
				NULL },
		{ PORT_KIND_VHOST_USER, "{\"socket\":\"/a\",\"mode\":\"0600\"}", NULL, NULL },
		{ PORT_KIND_VHOST_USER, "{\"connect\":\"/a\",\"socket\":\"/b\"}", "socket",
				"does not go with connect" },
		{ PORT_KIND_VHOST_USER, "{\"connect\":\"/a\",\"mode\":\"0600\"}", "mode",
				"does not go with connect" },
		{ PORT_KIND_VHOST_USER, "{\"connect\":\"/a\",\"owner\":\"me\"}", "owner",
				"does not go with connect" },
		{ PORT_KIND_VHOST_USER, "{\"group\":\"us\",\"connect\":\"/a\"}", "group",
				"does not go with connect" },
		{ PORT_KIND_VHOST_USER, "{\"ifname\":\"a\"}", "ifname",
				"is an option of ports of type kernel, and this one's type is vhost-user" },
		{ PORT_KIND_VHOST_USER, "{\"up\":true}", "up",
				"is an option of ports of type kernel and ethdev" },
		{ PORT_KIND_KERNEL, "{\"ip\":[],\"netns\":\"b\",\"queues\":2}", NULL, NULL },
		{ PORT_KIND_KERNEL, "{\"mode\":\"0600\"}", "mode",
				"is an option of ports of type vhost-user, and this one's type is kernel" },
		{ PORT_KIND_KERNEL, "{\"devargs\":\"x\"}", "devargs",
				"is an option of ports of type ethdev" },
		{ PORT_KIND_ETHDEV, "{\"devargs\":\"x\",\"promiscuous\":false}", NULL, NULL },
		{ PORT_KIND_ETHDEV, "{\"mtu\":1500}", "devargs",
				"is missing, and a port of type ethdev needs it" },
	};
	const char *key;
	json_t *object;
	char err[512];
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		key = NULL;
		object = json_loads(cases[i].json, 0, NULL);
		ret = port_options_check_together(object, cases[i].kind, &key, err, sizeof(err));
		json_decref(object);
		assert_int_equal(ret, cases[i].key != NULL ? -EINVAL : 0);
		if (cases[i].key == NULL)
			continue;
		assert_string_equal(key, cases[i].key);
		assert_int_equal(strncmp(err, key, strlen(key)), 0);
		if (strstr(err, cases[i].why) == NULL)
			fail_msg("'%s' lacks '%s'", err, cases[i].why);
	}
}

/* A change need not repeat what a port cannot be without. */
static void
test_what_a_port_that_is_there_has(void **state)
{
	json_t *object = json_pack("{s:i}", "mtu", 1500);
	const char *key = NULL;
	char err[512];

	(void)state;
	assert_int_equal(port_options_check_kind(object, PORT_KIND_ETHDEV, &key, err, sizeof(err)),
			0);
	json_object_set_new(object, "mode", json_string("0600"));
	assert_int_equal(port_options_check_kind(object, PORT_KIND_ETHDEV, &key, err, sizeof(err)),
			-EINVAL);
	assert_string_equal(key, "mode");
	json_decref(object);
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
		{ "ifname", "{\"type\":\"string\",\"pattern\":\"^[^\\\\s/:%]{1,15}$\"}" },
		{ "backend",
				"{\"type\":\"string\",\"enum\":[\"auto\",\"vhost-net\",\"tap\"],"
				"\"default\":\"auto\"}" },
		{ "ip",
				"{\"type\":[\"array\",\"string\"],\"maxItems\":16,"
				"\"items\":{\"type\":\"string\"}}" },
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
		cmocka_unit_test(test_lists_of_kinds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_wrong_words),
		cmocka_unit_test(test_wrong_interfaces),
		cmocka_unit_test(test_wrong_addresses_of_stations),
		cmocka_unit_test(test_most_addresses),
		cmocka_unit_test(test_addresses_as_one_text),
		cmocka_unit_test(test_wrong_json),
		cmocka_unit_test(test_relative_path_becomes_absolute),
		cmocka_unit_test(test_what_goes_together),
		cmocka_unit_test(test_what_a_port_that_is_there_has),
		cmocka_unit_test(test_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
