/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/text/text.c, nearest.c and paths.c: values are read strictly and shown well. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "text/nearest.h"
#include "system/paths.h"
#include "text/text.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void
test_integers(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "0x10", "1k", "ten", "-", "-3",
		"101", "99999999999999999999", "1.0" };
	int64_t value = 42;
	char err[128];
	size_t i;

	(void)state;
	assert_int_equal(text_parse_integer("0", -2, 100, &value, err, sizeof(err)), 0);
	assert_int_equal(value, 0);
	assert_int_equal(text_parse_integer("-2", -2, 100, &value, err, sizeof(err)), 0);
	assert_int_equal(value, -2);
	assert_int_equal(text_parse_integer("100", -2, 100, &value, err, sizeof(err)), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_parse_integer(bad[i], -2, 100, &value, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for %d", bad[i], (int)value);
	assert_int_equal(value, 100);
	assert_string_equal(err, "'1.0' is not a whole number from -2 to 100");
	assert_int_equal(text_parse_integer("9223372036854775808", 0, INT64_MAX, &value, err,
					 sizeof(err)),
			-EINVAL);
	text_parse_integer("x", 1, INT64_MAX, &value, err, sizeof(err));
	assert_string_equal(err, "'x' is not a whole number of 1 or more");
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *text;
		double value;
	} good[] = { { "0", 0 }, { "1.5", 1.5 }, { "2k", 2e3 }, { "2K", 2e3 }, { "1.25M", 1.25e6 },
		{ "1G", 1e9 } };
	static const char *const bad[] = { "", "k", ".5", "1.5.2", "1e3", "inf", "nan", "0x1p3",
		"1m", "1kk", "1 k", "-1", "1.1G" };
	double value = 0;
	char err[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(text_parse_number(good[i].text, 0, 1e9, &value, err, sizeof(err)),
				0);
		assert_true(value == good[i].value);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_parse_number(bad[i], 0, 1e9, &value, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for %f", bad[i], value);
	assert_string_equal(err, "'1.1G' is not a number from 0 to 1.00G (k, M and G may follow)");
}

static void
test_bools(void **state)
{
	static const char *const yes[] = { "on", "true", "yes", "1" },
				 *const no[] = { "off", "false", "no", "0" };
	char err[128];
	bool value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		assert_int_equal(text_parse_bool(yes[i], &value, err, sizeof(err)), 0);
		assert_true(value);
		assert_int_equal(text_parse_bool(no[i], &value, err, sizeof(err)), 0);
		assert_false(value);
	}
	assert_int_equal(text_parse_bool("2", &value, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "'2' is neither on nor off");
	assert_int_equal(text_parse_bool("", &value, err, sizeof(err)), -EINVAL);
}

static void
test_modes(void **state)
{
	static const char *const bad[] = { "", "66", "0", "1660", "00660", "0668", "rw-", "0660 ",
		"-660" };
	mode_t mode = 0;
	char err[128];
	size_t i;

	(void)state;
	assert_int_equal(text_parse_mode("0660", &mode, err, sizeof(err)), 0);
	assert_int_equal(mode, 0660);
	assert_int_equal(text_parse_mode("777", &mode, err, sizeof(err)), 0);
	assert_int_equal(mode, 0777);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_parse_mode(bad[i], &mode, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for %o", bad[i], mode);
}

static void
test_macs(void **state)
{
	static const uint8_t expected[6] = { 0x02, 0xAB, 0x00, 0xff, 0x10, 0x9a };
	static const char *const good[] = { "02:ab:00:ff:10:9a", "02-AB-00-FF-10-9A" };
	static const char *const bad[] = {
		"",
		"02:ab:00:ff:10",
		"02:ab:00:ff:10:9a:",
		"02:ab:00:ff:10:9g",
		"2:ab:00:ff:10:9a ",
		"02:ab:00:ff-10:9a",
		"02ab00ff109a",
		"02.ab.00.ff.10.9a",
		"02:ab:00:ff:10:+1",
		":2:ab:00:ff:10:9a",
	};
	uint8_t mac[6] = { 0 };
	char err[128], buf[TEXT_MAC_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		memset(mac, 0, sizeof(mac));
		assert_int_equal(text_parse_mac(good[i], mac, err, sizeof(err)), 0);
		assert_memory_equal(mac, expected, sizeof(mac));
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_parse_mac(bad[i], mac, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for a MAC address", bad[i]);
	assert_memory_equal(mac, expected, sizeof(mac));
	assert_string_equal(text_format_mac(mac, buf), good[0]);
}

static void
test_port_names(void **state)
{
	static const char *const good[] = { "p", "0", "a.b-c_D", "controls", "Control" };
	static const char *const bad[] = { "", ".", "-p", "_p", "a b", "a/b", "a\n", "p\xc3\xbc",
		"control" };
	char name[TEXT_NAME_MAX + 2] = { 0 }, err[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(text_check_port_name(good[i], err, sizeof(err)), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (text_check_port_name(bad[i], err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for a name", bad[i]);
	assert_non_null(strstr(err, "control.sock"));
	memset(name, 'n', TEXT_NAME_MAX);
	assert_int_equal(text_check_port_name(name, err, sizeof(err)), 0);
	name[TEXT_NAME_MAX] = 'n';
	assert_int_equal(text_check_port_name(name, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "64 characters"));
}

static void
test_format_numbers(void **state)
{
	static const struct {
		double value;
		const char *unit, *text;
	} cases[] = {
		{ 0, NULL, "0" },
		{ 7, NULL, "7" },
		{ 999, NULL, "999" },
		{ 999.4, NULL, "999" },
		{ 999.6, NULL, "1.00k" },
		{ 1000, NULL, "1.00k" },
		{ 12345, NULL, "12.3k" },
		{ 99960, NULL, "100k" },
		{ 9996, NULL, "10.0k" },
		{ 999499, NULL, "999k" },
		{ 999500, NULL, "1.00M" },
		{ 1.488e7, "fps", "14.9 Mfps" },
		{ 640, "bit/s", "640 bit/s" },
		{ 9.87e9, "bit/s", "9.87 Gbit/s" },
		{ 0.25, "fps", "0.25 fps" },
		{ 12.34, NULL, "12.3" },
		{ 0, "fps", "0 fps" },
		{ 3e18, NULL, "3.00E" },
		{ 1e22, NULL, "10000E" },
		{ -1500, NULL, "-1.50k" },
	};
	char buf[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
				text_format_number(cases[i].value, cases[i].unit, buf, sizeof(buf)),
				cases[i].text);
}

static void
test_format_durations(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ -1, "0 s" },
		{ 0.00035, "350 us" },
		{ 0.0125, "12.5 ms" },
		{ 0.00099999, "1 ms" },
		{ 0.9996, "1.0 s" },
		{ 3.44, "3.4 s" },
		{ 59.94, "59.9 s" },
		{ 59.96, "1 min" },
		{ 303, "5 min 3 s" },
		{ 3599.4, "59 min 59 s" },
		{ 3600, "1 h" },
		{ 7500, "2 h 5 min" },
		{ 86399, "23 h 59 min" },
		{ 86400, "1 d" },
		{ 273600, "3 d 4 h" },
	};
	char buf[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_format_duration(cases[i].seconds, buf, sizeof(buf)),
				cases[i].text);
}

static void
test_distances(void **state)
{
	char longest[65] = { 0 }, longer[66] = { 0 };

	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("mtu", "mtu"), 0);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("abc", ""), 3);
	assert_int_equal(nearest_distance("mtuu", "mtu"), 1);
	assert_int_equal(nearest_distance("mut", "mtu"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("ca", "abc"), 3);
	assert_int_equal(nearest_distance("abcdef", "badcfe"), 3);
	memset(longest, 'a', 64);
	memset(longer, 'a', 65);
	assert_int_equal(nearest_distance(longest, longest), 0);
	assert_true(nearest_distance(longer, longest) == SIZE_MAX);
	assert_true(nearest_distance(longest, longer) == SIZE_MAX);
}

static void
test_nearest_names(void **state)
{
	static const char *const names[] = { "mtu", "mac-limit", "socket", "add-port", "add-fdb",
		"a-b-c-d", "status" };
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "mtuu", "mtu" },
		{ "MTU", "mtu" },
		{ "mac_limit", "mac-limit" },
		{ "mac-limti", "mac-limit" },
		{ "sock", "socket" },
		{ "stat", "status" },
		{ "addport", "add-port" },
		{ "add-prot", "add-port" },
		{ "port", NULL },
		{ "x", NULL },
		{ "mt", "mtu" },
		{ "xyz", NULL },
		{ "so", NULL },
		{ "A_B_C_D", "a-b-c-d" },
		{ "", NULL },
	};
	struct nearest near;
	char hint[64];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		nearest_init(&near, cases[i].word);
		for (j = 0; j < ARRAY_SIZE(names); j++)
			nearest_offer(&near, names[j]);
		if (cases[i].nearest == NULL && near.best != NULL)
			fail_msg("%s is near %s", cases[i].word, near.best);
		if (cases[i].nearest != NULL && near.best == NULL)
			fail_msg("%s is near nothing", cases[i].word);
		if (cases[i].nearest != NULL)
			assert_string_equal(near.best, cases[i].nearest);
	}
	assert_string_equal(nearest_hint(&near, hint, sizeof(hint)), "");
	nearest_init(&near, "mtuu");
	nearest_offer(&near, "mtu");
	assert_string_equal(nearest_hint(&near, hint, sizeof(hint)), "; did you mean mtu?");
}

static void
test_socket_paths(void **state)
{
	char dir[PATHS_SIZE], path[PATHS_SIZE], err[512], longest[PATHS_SOCKET_MAX + 2] = { 0 };

	(void)state;
	assert_int_equal(paths_socket_dir("/x/y", dir, err, sizeof(err)), 0);
	assert_int_equal(paths_control(NULL, dir, path, err, sizeof(err)), 0);
	assert_string_equal(path, "/x/y/control.sock");
	assert_int_equal(paths_control(NULL, "/x/y/", path, err, sizeof(err)), 0);
	assert_string_equal(path, "/x/y/control.sock");
	assert_int_equal(paths_control("c.sock", NULL, path, err, sizeof(err)), 0);
	assert_string_equal(path, "c.sock");
	assert_int_equal(paths_port("/x", "p0", path, err, sizeof(err)), 0);
	assert_string_equal(path, "/x/p0.sock");
	assert_int_equal(paths_socket_dir("", dir, err, sizeof(err)), -EINVAL);
	memset(longest, 'd', PATHS_SOCKET_MAX);
	assert_int_equal(paths_check_socket(longest, err, sizeof(err)), 0);
	assert_int_equal(paths_port(longest, "p0", path, err, sizeof(err)), -ENAMETOOLONG);
	assert_non_null(strstr(err, "ddd/p0.sock has 115 bytes"));
	longest[PATHS_SOCKET_MAX] = 'd';
	assert_int_equal(paths_check_socket(longest, err, sizeof(err)), -ENAMETOOLONG);
	assert_int_equal(paths_control(longest, NULL, path, err, sizeof(err)), -ENAMETOOLONG);
}

/* Root has its own place; others are told to say where when the session gives none. */
static void
test_default_directory(void **state)
{
	char dir[PATHS_SIZE], err[512];
	bool is_root = geteuid() == 0;

	(void)state;
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
	assert_int_equal(paths_socket_dir(NULL, dir, err, sizeof(err)), 0);
	assert_string_equal(dir, is_root ? "/run/vswitch" : "/run/user/7/vswitch");
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(paths_socket_dir(NULL, dir, err, sizeof(err)), is_root ? 0 : -EINVAL);
	if (!is_root)
		assert_non_null(strstr(err, "--socket-dir DIR"));
}

/* A client of an ordinary user takes his own switch's directory, and the host's only where that is open. */
static void
test_client_directory(void **state)
{
	char own[] = "/tmp/vswitch-paths-XXXXXX", dir[PATHS_SIZE], path[PATHS_SIZE], err[512];
	bool is_host_open = eaccess("/run/vswitch/control.sock", W_OK) == 0;

	(void)state;
	assert_int_equal(paths_client_dir("/x/y", dir, err, sizeof(err)), 0);
	assert_string_equal(dir, "/x/y");
	if (geteuid() == 0) {
		assert_int_equal(paths_client_dir(NULL, dir, err, sizeof(err)), 0);
		assert_string_equal(dir, "/run/vswitch");
		return;
	}
	assert_non_null(mkdtemp(own));
	assert_int_equal(setenv("XDG_RUNTIME_DIR", own, 1), 0);
	snprintf(path, sizeof(path), "%s/vswitch", own);
	assert_int_equal(paths_client_dir(NULL, dir, err, sizeof(err)), 0);
	assert_string_equal(dir, is_host_open ? "/run/vswitch" : path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(paths_client_dir(NULL, dir, err, sizeof(err)), 0);
	assert_string_equal(dir, path);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(own), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bools),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_port_names),
		cmocka_unit_test(test_format_numbers),
		cmocka_unit_test(test_format_durations),
		cmocka_unit_test(test_distances),
		cmocka_unit_test(test_nearest_names),
		cmocka_unit_test(test_socket_paths),
		cmocka_unit_test(test_default_directory),
		cmocka_unit_test(test_client_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
