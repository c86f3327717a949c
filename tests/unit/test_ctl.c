/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the parts of vswitchctl that need no switch: tables, replies, commands, rates. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../ctl/commands/command.h"
#include "../../ctl/commands/params.h"
#include "../../ctl/show/print.h"
#include "../../ctl/follow/rates.h"
#include "../../ctl/show/table.h"
#include "../../ctl/show/view.h"
#include "options/port_options.h"

static const struct table_column columns[] = { { "NAME", false }, { "FRAMES", true },
	{ "STATE", false } };

static char *
print(struct table *t, size_t indent)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(table_print(t, out, indent), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void
test_columns_are_aligned(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, columns, 3);
	table_cell(&t, "p%d", 0);
	table_cell(&t, "%d", 1234567);
	table_cell(&t, "up");
	table_note(&t, "first");
	table_note(&t, "second");
	table_cell(&t, "gr\xc3\xbcn-er");
	table_cell(&t, "%d", 7);
	table_cell(&t, "%s", "");
	text = print(&t, 1);
	assert_string_equal(text,
			" NAME      FRAMES  STATE\n"
			" p0       1234567  up\n"
			"     first\n"
			"     second\n"
			" gr\xc3\xbcn-er        7  -\n");
	free(text);
}

static void
test_title_is_wider_than_cells(void **state)
{
	struct table t;
	char *text;

	(void)state;
	table_init(&t, columns, 3);
	table_note(&t, "no row yet");
	table_cell(&t, "a");
	table_cell(&t, "1");
	table_cell(&t, "up");
	text = print(&t, 0);
	assert_string_equal(text, "NAME  FRAMES  STATE\na          1  up\n");
	free(text);
}

/* A stranger's program name must not move the cursor or forge a line. */
static void
test_control_characters_are_cleaned(void **state)
{
	json_t *reply = json_pack("{s:[s,s],s:{s:s}}", "a", "x\x1b[2J\ny",
			"\xc2\x9b"
			"31m \xc3\xbc \x7f",
			"b", "c", "plain");

	(void)state;
	assert_non_null(reply);
	view_clean(reply);
	assert_string_equal(json_string_value(json_array_get(json_object_get(reply, "a"), 0)),
			"x?[2J?y");
	assert_string_equal(json_string_value(json_array_get(json_object_get(reply, "a"), 1)),
			"??31m \xc3\xbc ?");
	assert_string_equal(view_text(json_object_get(reply, "b"), "c"), "plain");
	json_decref(reply);
}

static void
test_members_of_another_version(void **state)
{
	json_t *port = json_pack("{s:i,s:n,s:b}", "name", 3, "peer", "enabled", 1);
	char buf[64];

	(void)state;
	assert_string_equal(view_text(port, "name"), "-");
	assert_string_equal(view_text(NULL, "name"), "-");
	assert_int_equal(view_integer(port, "absent"), 0);
	assert_true(view_number(NULL, "rates") == 0);
	assert_string_equal(view_peer(port, buf, sizeof(buf)), "-");
	assert_string_equal(view_value(json_object_get(port, "enabled"), buf, sizeof(buf)), "on");
	assert_string_equal(view_value(NULL, buf, sizeof(buf)), "-");
	json_decref(port);
}

/* 1 or 0: an option of this name with or without a value; -1: no such option of the command. */
static int
takes_value(const struct command *command, const char *name)
{
	size_t i;

	for (i = 0; i < command->option_count; i++)
		if (strcmp(command->options[i].name, name) == 0)
			return command->options[i].type != OPTION_FLAG;
	return -1;
}

/*
 * The command's word is found before its options are known, so an option must be a flag, or take a
 * value, in every command that has it; a port's option takes a value.
 */
static void
test_options_agree_between_commands(void **state)
{
	const struct option_spec *spec;
	size_t i, j, k;
	int other;

	(void)state;
	for (i = 0; i < commands_count; i++) {
		for (j = 0; j < commands[i].option_count; j++) {
			spec = &commands[i].options[j];
			assert_null(port_option_find(spec->name));
			for (k = 0; k < commands_count; k++) {
				other = takes_value(&commands[k], spec->name);
				if (other >= 0 && other != (spec->type != OPTION_FLAG))
					fail_msg("--%s of %s and of %s", spec->name,
							commands[i].name, commands[k].name);
			}
		}
	}
}

static void
test_commands_are_whole(void **state)
{
	const struct command *command;
	size_t i, j;

	(void)state;
	for (i = 0; i < commands_count; i++) {
		command = &commands[i];
		assert_non_null(command->help);
		assert_true(command->min_words <= command->max_words);
		/* words come with a description, and the method may be the first of them */
		assert_int_equal(command->words != NULL, command->max_words > 0);
		assert_true(command->method != NULL || command->min_words > 0);
		assert_true(command->max_words == 0 || command->build != NULL ||
				command->select != NULL);
		for (j = 0; j < i; j++)
			assert_string_not_equal(command->name, commands[j].name);
	}
}

static void
expect_setting(const char *word, int expected, const char *json)
{
	const char *const words[] = { "p0" };
	const struct options none = { 0 };
	const struct invocation call = { .options = &none,
		.words = words,
		.word_count = 1,
		.settings = &word,
		.setting_count = 1 };
	json_t *params = json_object();
	char err[256], *text;

	assert_int_equal(params_set_port(&call, &params, err, sizeof(err)), expected);
	text = expected == 0 ? json_dumps(params, JSON_COMPACT) : strdup(err);
	assert_string_equal(text, json);
	free(text);
	json_decref(params);
}

static json_t *
counters(int rx_frames, int rx_bytes, int tx_frames, int tx_bytes, int full, int bad)
{
	json_t *stats = json_pack("{s:i, s:i, s:i, s:i, s:{s:i, s:i}}", "rx_frames", rx_frames,
			"rx_bytes", rx_bytes, "tx_frames", tx_frames, "tx_bytes", tx_bytes, "drops",
			"ring-full", full, "bad-chain", bad);

	assert_non_null(stats);
	return stats;
}

static void
expect_rates(const json_t *earlier, const json_t *later, const char *const *names, size_t count,
		const char *expected)
{
	json_t *rates = rates_between(earlier, later, 0.5, names, count);
	char *text = json_dumps(rates, JSON_COMPACT | JSON_REAL_PRECISION(6));

	assert_string_equal(text, expected);
	free(text);
	json_decref(rates);
}

#define UNKNOWN                                                                                    \
	"{\"rx_fps\":null,\"rx_bps\":null,\"tx_fps\":null,\"tx_bps\":null,\"drop_fps\":null}"

/* b is cleared, and only its drops tell; c is new; d has gone. */
static void
test_rates_of_ports(void **state)
{
	static const char *const names[] = { "e", "a" };
	json_t *earlier = json_pack("{s:o, s:o, s:o}", "a", counters(10, 640, 5, 1000, 1, 1), "b",
			counters(0, 0, 0, 0, 3, 0), "d", counters(1, 1, 1, 1, 1, 1));
	json_t *later = json_pack("{s:o, s:o, s:o}", "a", counters(14, 896, 5, 1000, 2, 3), "b",
			counters(9, 576, 0, 0, 2, 0), "c", counters(7, 7, 7, 7, 7, 7));
	const char *rates_of_a = "{\"a\":{\"rx_fps\":8.0,\"rx_bps\":4096.0,\"tx_fps\":0.0,"
				 "\"tx_bps\":0.0,\"drop_fps\":6.0}";
	char all[512], one[256];

	(void)state;
	snprintf(all, sizeof(all), "%s,\"b\":%s,\"c\":%s}", rates_of_a, UNKNOWN, UNKNOWN);
	snprintf(one, sizeof(one), "%s}", rates_of_a);
	expect_rates(earlier, later, NULL, 0, all);
	expect_rates(earlier, later, names, 2, one);
	json_decref(earlier);
	json_decref(later);
}

static void
test_rates_in_a_table(void **state)
{
	json_t *rates = json_pack("{s:{s:f, s:f, s:f, s:f, s:n}}", "p0", "rx_fps", 1.5e6, "rx_bps",
			768e6, "tx_fps", 0.0, "tx_bps", 12345.0, "drop_fps");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	assert_int_equal(rates_print(out, rates), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
			"PORT  RX FRAMES/S  RX BITS/S  TX FRAMES/S  TX BITS/S  DROPS/S\n"
			"p0          1.50M       768M            0      12.3k        -\n");
	free(text);
	json_decref(rates);
}

#define INTERFACE                                                                                       \
	"\"device\":{\"backend\":\"tap\",\"why\":\"asked for\",\"ifname\":\"vsw0\",\"netns\":\"blue\"," \
	"\"mac\":\"02:00:00:00:00:0a\",\"mtu\":1400,\"queues\":2,\"link\":\"up\",\"interrupts\":true,"  \
	"\"speed_mbps\":null,\"takes\":[\"csum\",\"tso4\"],\"gives\":[],\"vhost_pids\":[7,8]}"

#define DEVICE                                                                                            \
	"\"device\":{\"backend\":\"net_pcap\",\"why\":null,\"ifname\":null,\"netns\":null,"               \
	"\"mac\":\"02:00:00:00:00:0b\",\"mtu\":1500,\"queues\":1,\"link\":\"down\",\"interrupts\":false," \
	"\"speed_mbps\":10000,\"takes\":[],\"gives\":[],\"vhost_pids\":[]}"

/* What a printer makes of this JSON; free() it. */
static char *
printed(int (*printer)(FILE *out, const struct invocation *call, const json_t *result),
		const char *json)
{
	const struct invocation call = { 0 };
	json_t *result = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(result);
	assert_non_null(out);
	assert_int_equal(printer(out, &call, result), 0);
	assert_int_equal(fclose(out), 0);
	json_decref(result);
	return text;
}

static void
expect_words(char *text, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("'%s' is not in:\n%s", words[i], text);
	free(text);
}

static void
test_interface_of_a_port(void **state)
{
	static const char *const words[] = {
		"\ndevice      vsw0 in blue (tap)\n",
		"\nbackend     tap: asked for\n",
		"\nkernel      vhost threads 7,8\n",
		"\nlink        up, 02:00:00:00:00:0a, mtu 1400, 2 queues; frames wake the switch\n",
		"\noffloads    to it csum,tso4; from it none\n",
		"\noptions     mtu=1400 ip=10.0.0.1/24,fd00::1/64 up=on\n",
		"\nfor it      2 checksums computed; 1 frames cut into 45 segments\n",
	};
	char *text = printed(print_port,
			"{\"name\":\"h\",\"type\":\"kernel\",\"id\":0,\"state\":\"up\",\"state_text\":\"up\","
			"\"mtu\":1400,\"ip\":[\"10.0.0.1/24\",\"fd00::1/64\"],\"up\":true,\"mac\":null,"
			"\"stats\":{\"offload\":{\"checksummed\":2,\"segmented\":1,\"segments\":45}}," INTERFACE
			"}");

	(void)state;
	assert_null(strstr(text, "\nsocket"));
	assert_null(strstr(text, "\npeer"));
	expect_words(text, words, PRINT_COUNT(words));
}

static void
test_device_of_a_port(void **state)
{
	static const char *const words[] = {
		"\ndevice      net_pcap\n",
		"\nlink        down, 10000 Mbit/s, 02:00:00:00:00:0b, mtu 1500, 1 queue; looked at\n",
		"\noptions     mtu=1500\n",
	};
	char *text = printed(print_port,
			"{\"name\":\"n\",\"type\":\"ethdev\",\"mtu\":1500,\"ip\":[]," DEVICE "}");

	(void)state;
	assert_null(strstr(text, "\nfor it"));
	assert_null(strstr(text, "\nbackend"));
	expect_words(text, words, PRINT_COUNT(words));
}

static void
test_interfaces_and_devices_in_tables(void **state)
{
	static const char *const places[] = { "SOCKET OR DEVICE\n", "  vsw0 in blue (tap)\n",
		"  net_pcap\n", "  /x/p.sock\n" };
	static const char ports[] = "[{\"name\":\"h\"," INTERFACE "},{\"name\":\"n\"," DEVICE
				    "},{\"name\":\"p\",\"device\":null,\"socket\":\"/x/p.sock\"}]";
	static const char *const peers[] = { "h     -      vsw0 ", "n     -      net_pcap ",
		"p     -      - " };
	char status[2048];

	(void)state;
	expect_words(printed(print_ports, ports), places, PRINT_COUNT(places));
	snprintf(status, sizeof(status), "{\"ports\":%s}", ports);
	expect_words(printed(print_status, status), peers, PRINT_COUNT(peers));
}

static void
test_settings_of_a_port(void **state)
{
	(void)state;
	expect_setting("mtu=9000", 0, "{\"name\":\"p0\",\"mtu\":9000}");
	expect_setting("enabled=off", 0, "{\"name\":\"p0\",\"enabled\":false}");
	expect_setting("mtu", -EINVAL, "'mtu' is not of the form key=value");
	expect_setting("=3", -EINVAL, "'=3' is not of the form key=value");
	expect_setting("mut=3", -EINVAL, "a port has no option 'mut'; did you mean mtu?");
	expect_setting("name=q", -EINVAL, "a port has no option 'name'");
	expect_setting("ip=", 0, "{\"name\":\"p0\",\"ip\":[]}");
	expect_setting("ip=10.0.0.1/8,fd00::1/64", 0,
			"{\"name\":\"p0\",\"ip\":[\"10.0.0.1/8\",\"fd00::1/64\"]}");
	expect_setting("mtu=", -EINVAL, "mtu: '' is not a whole number from 68 to 65535");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_aligned),
		cmocka_unit_test(test_title_is_wider_than_cells),
		cmocka_unit_test(test_control_characters_are_cleaned),
		cmocka_unit_test(test_members_of_another_version),
		cmocka_unit_test(test_options_agree_between_commands),
		cmocka_unit_test(test_commands_are_whole),
		cmocka_unit_test(test_rates_of_ports),
		cmocka_unit_test(test_rates_in_a_table),
		cmocka_unit_test(test_interface_of_a_port),
		cmocka_unit_test(test_device_of_a_port),
		cmocka_unit_test(test_interfaces_and_devices_in_tables),
		cmocka_unit_test(test_settings_of_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
