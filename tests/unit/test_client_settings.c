/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/settings/settings.c: options stand before or after the role, and what is wrong is named with
 * what would be right.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "settings/settings.h"

static struct settings s;
static char err[512];

#define ARGS_MAX 160

/* Reads a command line of words that single spaces separate. */
static int
read_line(const char *line)
{
	static char copy[1100];
	char *argv[ARGS_MAX] = { "vuser-client" }, *rest = NULL, *word;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < ARGS_MAX);
		argv[argc++] = word;
	}
	return settings_read(argc, argv, &s, err, sizeof(err));
}

static void
assert_reads(const char *line)
{
	if (read_line(line) != 0)
		fail_msg("'%s': %s", line, err);
}

/* The message must hold each of two texts. */
static void
assert_refuses(const char *line, const char *what, const char *hint)
{
	if (read_line(line) != -EINVAL)
		fail_msg("'%s' is taken", line);
	if (strstr(err, what) == NULL || strstr(err, hint) == NULL)
		fail_msg("'%s': the message '%s' lacks '%s' or '%s'", line, err, what, hint);
}

static void
test_order_is_free(void **state)
{
	static const char *const lines[] = {
		"--path a.sock --ip 10.0.0.1/24 --json respond",
		"respond --json --path a.sock --ip 10.0.0.1/24",
		"--ip=10.0.0.1/24 respond -p a.sock --json",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_reads(lines[i]);
		assert_int_equal(s.role, ROLE_RESPOND);
		assert_string_equal(s.role_name, "respond");
		assert_int_equal(s.path_count, 1);
		assert_string_equal(s.paths[0], "a.sock");
		assert_int_equal(s.addr_count, 1);
		assert_int_equal(s.addrs[0].prefix, 24);
		assert_true(s.json);
	}
}

static void
test_defaults(void **state)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	(void)state;
	assert_reads("-p a send");
	assert_true(s.rate == 1000 && s.size == 64 && s.flows == 1 && s.count == 0 && s.time == 0);
	assert_memory_equal(s.destination, broadcast, 6);
	assert_true(s.mergeable && s.in_order && !s.mergeable_asked && !s.in_order_asked);
	assert_true(!s.server && !s.huge && !s.json && s.wait == 0 && s.queue_size == 1024);
	assert_reads("-p a ping 10.0.0.1");
	assert_true(s.size == 98 && s.interval == 1 && s.timeout == 1 && s.count == 0);
	assert_reads("-p a ping fd00::1");
	assert_int_equal(s.size, 118);
	assert_reads("-p a --server receive");
	assert_true(s.wait < 0);
	assert_reads("-p a -p b bench");
	assert_true(s.rate == 0 && s.size == 64 && !s.imix && s.trial == 5 && s.time == 0);
	assert_true(!s.both && !s.no_loss);
	assert_reads("-p a -p b bench --no-loss");
	assert_true(s.trial == 1 && s.no_loss);
}

static void
test_sizes_of_frames(void **state)
{
	(void)state;
	assert_reads("-p a send -s imix");
	assert_true(s.imix && s.size == 1514);
	assert_true(settings_frame_size(&s, 0) == 60 && settings_frame_size(&s, 13) == 590);
	assert_int_equal(settings_frame_bytes(&s, 12), 7 * 60 + 4 * 590 + 1514);
	assert_reads("-p a -p b bench -s 100 --both -t 0.5 --rate max");
	assert_true(!s.imix && s.both && s.trial == 0.5 && s.rate == 0);
	assert_int_equal(settings_frame_size(&s, 13), 100);
	assert_int_equal(settings_frame_bytes(&s, 13), 1300);
	assert_reads("-p a -p b bench -s 42 --rate 2.5k");
	assert_true(s.size == 42 && s.rate == 2500);
}

static void
test_random_macs_differ(void **state)
{
	uint8_t first[6];
	size_t i;

	(void)state;
	assert_reads("-p a -p b -p c -p d -p e -p f -p g -p h -p i -p j echo");
	memcpy(first, s.macs[0], 6);
	for (i = 0; i < s.path_count; i++) {
		assert_int_equal(s.macs[i][0] & 3, 2);
		assert_true(i == 0 || memcmp(first, s.macs[i], 6) != 0);
	}
	assert_reads("-p a echo");
	assert_memory_not_equal(first, s.macs[0], 6);
}

static void
test_values(void **state)
{
	(void)state;
	assert_reads("-p a -p b --mac 02:00:00:00:00:07 receive -c 5 -t 2.5 --idle 0.5 --join");
	assert_memory_equal(s.macs[0], "\x02\x00\x00\x00\x00\x07", 6);
	assert_true(s.count == 5 && s.time == 2.5 && s.idle == 0.5 && s.join);
	assert_reads("-p a send --rate 1.5M -s 9018 --flows 3 -d 02:00:00:00:00:01");
	assert_true(s.rate == 1.5e6 && s.size == 9018 && s.flows == 3);
	assert_reads("-p a send --rate max --no-check -s 14");
	assert_true(s.rate == 0 && s.no_check && s.size == 14);
	assert_reads("-p a --mrg-rxbuf on --in-order off echo --promiscuous");
	assert_true(s.mergeable_asked && !s.in_order && !s.in_order_asked && s.promiscuous);
	assert_reads("ping 10.0.0.1 -p a -c3 -i 0 -W 0.2 --ip 10.0.0.2/24 --ip fd00::2/64");
	assert_true(s.count == 3 && s.interval == 0 && s.timeout == 0.2);
	assert_int_equal(s.target.bytes[3], 1);
}

static void
test_eal_arguments(void **state)
{
	(void)state;
	assert_reads("-p a receive -- -m 512 --path x");
	assert_int_equal(s.path_count, 1);
	assert_int_equal(s.eal_arg_count, 4);
	assert_string_equal(s.eal_args[0], "-m");
}

static void
test_roles_are_refused(void **state)
{
	(void)state;
	assert_refuses("-p a", "a role is missing", "respond");
	assert_refuses("-p a respnd", "'respnd'", "did you mean respond?");
	assert_refuses("-p a ping", "ping needs the address", "ADDR");
	assert_refuses("-p a ping host", "'host' is not an address", "10.0.0.1/24");
	assert_refuses("-p a receive more", "'more' is too much", "'receive'");
	assert_refuses("-p a --rate 5 receive", "--rate is for send", "not for receive");
	assert_refuses("-p a --size 64 echo", "send", "ping");
	assert_refuses("-p a --ip 10.0.0.1 echo", "--ip is for respond and ping", "echo");
}

static void
test_ports_are_refused(void **state)
{
	char line[200];

	(void)state;
	assert_refuses("receive", "--path SOCKET is missing", "switch");
	assert_refuses("--pth a receive", "--pth", "did you mean --path?");
	assert_refuses("-p a -p a receive", "--path a", "twice");
	assert_refuses("-p a -p b send", "send has one port", "once");
	assert_refuses("-p a,b receive", "a,b", "symbolic link");
	snprintf(line, sizeof(line), "receive -p %0108d", 0);
	assert_refuses(line, "107", "000");
	assert_refuses("-p a --mac 02:00 receive", "--mac", "02:00");
	assert_refuses("-p a --mac 01:00:00:00:00:01 receive", "--mac 01:", "even");
	assert_refuses("-p a --mac 00:00:00:00:00:00 receive", "--mac 00:", "02:00:00:00:00:01");
	assert_refuses("-p a --mac 02:00:00:00:00:01 --mac 02:00:00:00:00:02 receive", "more --mac",
			"--path");
	assert_refuses("-p a --queue-size 100 receive", "100", "power of two");
	assert_refuses("-p a --queue-size 16 receive", "--queue-size", "from 32");
	assert_refuses("-p a respond", "needs an address", "--ip");
	assert_refuses("-p a --ip 10.0.0.1/40 respond", "--ip", "40");
}

static void
test_values_are_refused(void **state)
{
	(void)state;
	assert_refuses("-p a send -s 45", "46", "--no-check");
	assert_refuses("-p a send -s 13 --no-check", "--size", "14");
	assert_refuses("-p a send --rate fast", "--rate", "max");
	assert_refuses("-p a send --dst-mac x", "--dst-mac", "x");
	assert_refuses("-p a ping 10.0.0.1 -s 41", "42", "41");
	assert_refuses("-p a ping fd00::1 -s 61", "62", "IPv6");
	assert_refuses("-p a ping fd00::1 --ip 10.0.0.1", "IPv6", "none");
	assert_refuses("-p a ping 10.0.0.1 -W -1", "--timeout", "-1");
	assert_refuses("-p a ping 10.0.0.1 -s imix", "'imix'", "42");
	assert_refuses("-p a send -s imx", "'imx'", "did you mean imix?");
	assert_refuses("-p a send -s 99999", "99999", "or imix");
}

static void
test_bench_is_refused(void **state)
{
	(void)state;
	assert_refuses("-p a bench", "two ports, not 1", "--path FROM --path TO");
	assert_refuses("-p a -p b -p c bench", "two ports, not 3", "--path FROM");
	assert_refuses("-p a -p b bench --rate 0", "--rate", "or max");
	assert_refuses("-p a -p b bench --size huge", "'huge'", "or imix");
	assert_refuses("-p a -p b bench --size 41", "42", "41");
	assert_refuses("-p a -p b bench --time 0", "--time", "give 1");
	assert_refuses("-p a -p b bench --rate 5 --no-loss", "--no-loss", "leave out --rate");
	assert_refuses("-p a -p b bench --count 5", "--count", "not for bench");
	assert_refuses("-p a receive --both", "--both is for bench", "receive");
	assert_refuses("-p a -p b bnch", "'bnch'", "did you mean bench?");
}

static void
test_kernel(void **state)
{
	(void)state;
	assert_reads("-p a kernel");
	assert_string_equal(s.ifname, "app0");
	assert_true(s.role == ROLE_KERNEL && s.netns == NULL && s.addr_count == 0);
	assert_true(s.backend == SETTINGS_BACKEND_AUTO && s.fast_udp_count == 0);
	assert_reads("-p a --ip 10.0.0.1/24 --ip fd00::1/64 kernel --ifname dp1 --fast-udp 7 "
		     "--fast-udp 65535 --netns blue --backend tap --mtu 1400");
	assert_string_equal(s.ifname, "dp1");
	assert_string_equal(s.netns, "blue");
	assert_true(s.backend == SETTINGS_BACKEND_TAP && s.addr_count == 2 && s.mtu == 1400);
	assert_true(s.fast_udp_count == 2 && s.fast_udp[0] == 7 && s.fast_udp[1] == 65535);
	assert_reads("-p a kernel --backend vhost-net");
	assert_int_equal(s.backend, SETTINGS_BACKEND_VHOST_NET);
}

static void
test_kernel_is_refused(void **state)
{
	char line[1100];
	size_t length, i;

	(void)state;
	assert_refuses("-p a kernel --fast-udp 7", "--fast-udp", "--ip");
	assert_refuses("-p a --ip 10.0.0.1 kernel --fast-udp 0", "--fast-udp", "1");
	assert_refuses("-p a --ip 10.0.0.1 kernel --fast-udp 65536", "65536", "65535");
	assert_refuses("-p a kernel --backend vhost", "--backend", "vhost-net");
	assert_refuses("-p a kernel --ifname sixteenlettersxx", "--ifname", "sixteenlettersxx");
	assert_refuses("-p a kernel --ifname a/b", "--ifname", "a/b");
	assert_refuses("-p a kernel --ifname a,b", "--ifname a,b", ",");
	assert_refuses("-p a -p b kernel", "kernel has one port", "once");
	assert_refuses("-p a kernel --count 3", "--count", "not for kernel");
	assert_refuses("-p a --ip 10.0.0.1/8 --ip 10.0.0.1/24 kernel", "--ip 10.0.0.1", "twice");
	assert_refuses("-p a receive --ifname x", "--ifname is for kernel", "receive");
	assert_refuses("-p a --ip 10.0.0.1 respond --netns x", "--netns is for kernel", "respond");
	length = (size_t)snprintf(line, sizeof(line), "-p a --ip 10.0.0.1 kernel");
	for (i = 0; i <= SETTINGS_FAST_MAX; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, " --fast-udp 7");
	assert_refuses(line, "--fast-udp", "64 times");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_free),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_sizes_of_frames),
		cmocka_unit_test(test_random_macs_differ),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_eal_arguments),
		cmocka_unit_test(test_roles_are_refused),
		cmocka_unit_test(test_ports_are_refused),
		cmocka_unit_test(test_values_are_refused),
		cmocka_unit_test(test_bench_is_refused),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_kernel_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
