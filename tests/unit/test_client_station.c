/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/packets/inet.c, station.c and probe.c: what ping asks, respond answers; a packet that is
 * damaged or for somebody else is not. Known bytes stand for both being wrong in the same way.
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

#include "packets/inet.h"
#include "packets/probe.h"
#include "packets/station.h"
#include "packets/wire.h"

static const uint8_t alice[6] = { 0x02, 0, 0, 0, 0, 0xa1 };
static const uint8_t bob[6] = { 0x02, 0, 0, 0, 0, 0xb0 };
static const uint8_t nobody[6] = { 0x02, 0, 0, 0, 0, 0x99 };

static struct inet_addr
addr(const char *text)
{
	struct inet_addr a;
	char err[160];

	if (inet_parse(text, &a, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return a;
}

/* alice asks bob, whose addresses are bob_addrs. */
static struct inet_addr bob_addrs[3];
static struct station bob_station;

static int
setup(void **state)
{
	(void)state;
	bob_addrs[0] = addr("10.0.0.2/24");
	bob_addrs[1] = addr("fd00::2/64");
	bob_addrs[2] = addr("192.168.7.7");
	bob_station = (struct station){ .addrs = bob_addrs, .addr_count = 3 };
	memcpy(bob_station.mac, bob, 6);
	return 0;
}

static struct probe
probe_of(const char *from, const char *to)
{
	struct probe p = { .addr = addr(from), .peer = addr(to), .id = 0xbeef };

	memcpy(p.mac, alice, 6);
	memcpy(p.peer_mac, bob, 6);
	return p;
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = { "", "/", "10.0.0", "10.0.0.256", "10.0.0.1/33",
		"fd00::/129", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/8x", "fd00:::1", "x",
		"1.2.3.4:5", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
	struct inet_addr a;
	char text[INET_TEXT_SIZE], err[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (inet_parse(bad[i], &a, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' is taken for an address", bad[i]);
	a = addr("10.1.2.3/8");
	assert_int_equal(a.version, 4);
	assert_int_equal(a.prefix, 8);
	assert_string_equal(inet_format(&a, text), "10.1.2.3");
	a = addr("FD00:0::1");
	assert_int_equal(a.prefix, 128);
	assert_string_equal(inet_format(&a, text), "fd00::1");
}

static void
test_neighbours(void **state)
{
	static const struct {
		const char *own, *other;
		bool neighbour;
	} cases[] = { { "10.0.0.1/24", "10.0.0.255", true }, { "10.0.0.1/24", "10.0.1.1", false },
		{ "10.0.0.1/20", "10.0.15.1", true }, { "10.0.0.1/20", "10.0.16.1", false },
		{ "10.0.0.1", "10.0.0.1", true }, { "10.0.0.1", "10.0.0.2", false },
		{ "10.0.0.1/0", "192.168.0.1", true }, { "10.0.0.1/0", "fd00::1", false },
		{ "fd00::1/64", "fd00::ffff:1", true }, { "fd00::1/64", "fd00:0:0:1::1", false } };
	struct inet_addr own, other;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		own = addr(cases[i].own);
		other = addr(cases[i].other);
		if (inet_is_neighbour(&own, &other) != cases[i].neighbour)
			fail_msg("%s and %s", cases[i].own, cases[i].other);
	}
}

static void
test_made_addresses(void **state)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
	uint8_t group[16], group_mac[6];
	struct inet_addr a;
	char text[INET_TEXT_SIZE];

	(void)state;
	inet_link_local(mac, &a);
	assert_string_equal(inet_format(&a, text), "fe80::5054:ff:fe12:3456");
	inet_solicited_group(a.bytes, group, group_mac);
	memcpy(a.bytes, group, 16);
	assert_string_equal(inet_format(&a, text), "ff02::1:ff12:3456");
	assert_memory_equal(group_mac, "\x33\x33\xff\x12\x34\x56", 6);
}

/* The example of RFC 1071, section 3, and one of an odd length. */
static void
test_checksum(void **state)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(inet_sum(data, sizeof(data), 0), 0xddf2);
	assert_int_equal(inet_checksum(data, sizeof(data), 0), 0x220d);
	assert_int_equal(inet_checksum(data, 7, 0), (uint16_t)~0xdcfb);
}

static void
test_arp(void **state)
{
	static const uint8_t request[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0xa1,
		8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0xa1, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0,
		10, 0, 0, 2 };
	static const uint8_t answer[] = { 2, 0, 0, 0, 0, 0xa1, 2, 0, 0, 0, 0, 0xb0, 8, 6, 0, 1, 8,
		0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 0xb0, 10, 0, 0, 2, 2, 0, 0, 0, 0, 0xa1, 10, 0, 0, 9 };
	struct probe p = probe_of("10.0.0.9", "10.0.0.2");
	uint8_t frame[PROBE_RESOLVE_SIZE], reply[STATION_REPLY_MIN];
	size_t size = probe_write_resolve(&p, frame), reply_size = 0;

	(void)state;
	assert_int_equal(size, sizeof(request));
	assert_memory_equal(frame, request, size);
	assert_int_equal(
			station_answer(&bob_station, frame, size, reply, &reply_size), STATION_ARP);
	assert_int_equal(reply_size, sizeof(answer));
	assert_memory_equal(reply, answer, reply_size);
	memset(p.peer_mac, 0, 6);
	assert_true(probe_read_resolve(&p, reply, reply_size));
	assert_memory_equal(p.peer_mac, bob, 6);
	/* Neither a cut frame, nor our own question, nor somebody else's answer. */
	assert_false(probe_read_resolve(&p, reply, reply_size - 1));
	assert_false(probe_read_resolve(&p, frame, size));
	reply[31]++;
	assert_false(probe_read_resolve(&p, reply, reply_size));
	assert_int_equal(station_answer(&bob_station, frame, size - 1, reply, &reply_size),
			STATION_IGNORED);
	frame[41]++;
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_IGNORED);
	frame[41]--;
	frame[21] = 2; /* an answer is no question */
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_IGNORED);
	memcpy(reply, answer, sizeof(answer));
	reply[21] = 1; /* and a question no answer */
	assert_false(probe_read_resolve(&p, reply, sizeof(answer)));
}

static void
test_neighbour(void **state)
{
	struct probe p = probe_of("fd00::9", "fd00::2");
	uint8_t frame[PROBE_RESOLVE_SIZE], reply[STATION_REPLY_MIN];
	size_t size = probe_write_resolve(&p, frame), reply_size = 0;

	(void)state;
	assert_memory_equal(frame, "\x33\x33\xff\x00\x00\x02", 6);
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_NEIGHBOUR);
	assert_memory_equal(reply, alice, 6);
	assert_int_equal(reply[14 + 40 + 4], 0x60); /* solicited, override */
	memset(p.peer_mac, 0, 6);
	assert_true(probe_read_resolve(&p, reply, reply_size));
	assert_memory_equal(p.peer_mac, bob, 6);
	reply[reply_size - 1]++;
	assert_false(probe_read_resolve(&p, reply, reply_size));
	/* From beyond a router, it does not count. */
	frame[14 + 7]--;
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_IGNORED);
	frame[14 + 7]++;
	frame[size - 1]++;
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_MALFORMED);
}

/* Somebody who has no address yet asks whether bob's is taken: everybody must hear the answer. */
static void
test_neighbour_of_nobody(void **state)
{
	struct probe p = probe_of("::", "fd00::2");
	uint8_t frame[PROBE_RESOLVE_SIZE], reply[STATION_REPLY_MIN];
	size_t size = probe_write_resolve(&p, frame), reply_size = 0;

	(void)state;
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_NEIGHBOUR);
	assert_memory_equal(reply, "\x33\x33\x00\x00\x00\x01", 6);
	assert_int_equal(reply[14 + 24], 0xff);
	assert_int_equal(reply[14 + 40 + 4], 0x20);
	assert_true(probe_read_resolve(&p, reply, reply_size));
}

static void
check_echo(const char *from, const char *to, size_t size, enum station_result wanted)
{
	static uint8_t frame[WIRE_FRAME_MAX], reply[WIRE_FRAME_MAX];
	struct probe p = probe_of(from, to);
	struct probe_reply r;
	size_t reply_size = 0;

	probe_write_echo(&p, 0x1234, frame, size);
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size), wanted);
	assert_int_equal(reply_size, size);
	assert_memory_equal(reply, alice, 6);
	assert_memory_equal(reply + 6, bob, 6);
	assert_true(probe_read_echo(&p, reply, size, &r));
	assert_int_equal(r.sequence, 0x1234);
	assert_int_equal(r.hop_limit, 64);
	assert_int_equal(r.message_size, size - probe_echo_min(p.peer.version) + 8);
	assert_false(r.damaged);
	assert_false(probe_read_echo(&p, frame, size, &r));
	if (r.message_size > 8) {
		reply[size - 1] ^= 1;
		assert_true(probe_read_echo(&p, reply, size, &r));
		assert_true(r.damaged);
	}
	p.id++;
	assert_false(probe_read_echo(&p, reply, size, &r));
	/* The request itself damaged. */
	frame[size - 1] ^= 1;
	assert_int_equal(station_answer(&bob_station, frame, size, reply, &reply_size),
			STATION_MALFORMED);
}

static void
test_echo(void **state)
{
	static const size_t sizes[] = { 42, 43, 98, 1514, 9018, 65549 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_echo("10.0.0.9", "10.0.0.2", sizes[i], STATION_ECHO);
		if (sizes[i] >= 62)
			check_echo("fd00::9", "fd00::2", sizes[i], STATION_ECHO6);
	}
	check_echo("10.0.0.9", "192.168.7.7", 98, STATION_ECHO);
}

static enum station_result
ask_bob(const uint8_t *frame, size_t size)
{
	uint8_t reply[256];
	size_t reply_size = 0;
	enum station_result result = station_answer(&bob_station, frame, size, reply, &reply_size);

	if (result == STATION_IGNORED || result == STATION_MALFORMED)
		assert_int_equal(reply_size, 0);
	return result;
}

static void
test_echo_for_others(void **state)
{
	struct probe p = probe_of("10.0.0.9", "10.0.0.3");
	uint8_t frame[98];

	(void)state;
	probe_write_echo(&p, 1, frame, sizeof(frame));
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
	p = probe_of("10.0.0.9", "10.0.0.2");
	memcpy(p.peer_mac, nobody, 6);
	probe_write_echo(&p, 1, frame, sizeof(frame));
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
}

/* Every way of cutting or lying about lengths: never read beyond the frame (ASan watches). */
static void
test_bad_lengths(void **state)
{
	struct probe p4 = probe_of("10.0.0.9", "10.0.0.2"), p6 = probe_of("fd00::9", "fd00::2");
	uint8_t frame[118], *exact;
	struct probe_reply r;
	size_t size, i;

	(void)state;
	for (i = 0; i < 2; i++)
		for (size = 0; size < sizeof(frame); size++) {
			probe_write_echo(i == 0 ? &p4 : &p6, 1, frame, sizeof(frame));
			exact = malloc(size + 1);
			memcpy(exact, frame, size);
			assert_int_equal(ask_bob(exact, size), STATION_IGNORED);
			assert_false(probe_read_echo(i == 0 ? &p4 : &p6, exact, size, &r));
			assert_false(probe_read_resolve(i == 0 ? &p4 : &p6, exact, size));
			free(exact);
		}
	probe_write_echo(&p4, 1, frame, sizeof(frame));
	frame[14] = 0x4f; /* a header of 60 bytes, whose checksum is wrong */
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
	frame[14] = 0x44;
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
}

/* A solicitation that ends before its target. */
static void
test_short_solicitation(void **state)
{
	struct probe p = probe_of("fd00::9", "fd00::2");
	uint8_t frame[PROBE_RESOLVE_SIZE], *exact;
	size_t size = 14 + 40 + 12;

	(void)state;
	probe_write_resolve(&p, frame);
	wire_put16(frame + 14 + 4, 12);
	exact = malloc(size);
	memcpy(exact, frame, size);
	assert_int_equal(ask_bob(exact, size), STATION_IGNORED);
	free(exact);
	wire_put16(frame + 14 + 4, 23);
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
}

static void
test_bad_header_checksum(void **state)
{
	struct probe p = probe_of("10.0.0.9", "10.0.0.2");
	uint8_t frame[98];

	(void)state;
	probe_write_echo(&p, 1, frame, sizeof(frame));
	frame[22]--; /* time to live */
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
}

/* Computed by hand: an echo request from fd00::9 to fd00::2. */
static void
test_known_icmpv6(void **state)
{
	static const uint8_t message[] = { 128, 0, 0, 0, 0xbe, 0xef, 0, 1, 'a', 'b', 'c' };
	struct inet_addr from = addr("fd00::9"), to = addr("fd00::2");

	(void)state;
	assert_int_equal(inet_icmpv6_checksum(from.bytes, to.bytes, message, sizeof(message)),
			0x25a);
}

/* Checksums that are right do not excuse data or a kind that are wrong. */
static void
test_wrong_reply(void **state)
{
	struct probe p = probe_of("10.0.0.9", "10.0.0.2");
	uint8_t frame[98], reply[98], *icmp = reply + 34;
	struct probe_reply r;
	size_t size;

	(void)state;
	probe_write_echo(&p, 1, frame, sizeof(frame));
	station_answer(&bob_station, frame, sizeof(frame), reply, &size);
	assert_true(probe_read_echo(&p, reply, size, &r));
	icmp[20]++;
	wire_put16(icmp + 2, 0);
	wire_put16(icmp + 2, inet_checksum(icmp, size - 34, 0));
	assert_true(probe_read_echo(&p, reply, size, &r));
	assert_true(r.damaged);
	icmp[0] = 13;
	assert_false(probe_read_echo(&p, reply, size, &r));
}

static void
test_fragments_are_ignored(void **state)
{
	struct probe p = probe_of("10.0.0.9", "10.0.0.2");
	uint8_t frame[98];

	(void)state;
	probe_write_echo(&p, 1, frame, sizeof(frame));
	frame[20] = 0x20;
	wire_put16(frame + 24, 0);
	wire_put16(frame + 24, inet_checksum(frame + 14, 20, 0));
	assert_int_equal(ask_bob(frame, sizeof(frame)), STATION_IGNORED);
}

/* A short packet in a frame that was padded to 60 bytes: the padding is not part of it. */
static void
test_padding_is_left_out(void **state)
{
	struct probe p = probe_of("10.0.0.9", "10.0.0.2");
	uint8_t frame[60], reply[STATION_REPLY_MIN];
	size_t reply_size = 0;

	(void)state;
	memset(frame, 0xee, sizeof(frame));
	probe_write_echo(&p, 1, frame, 44);
	assert_int_equal(station_answer(&bob_station, frame, sizeof(frame), reply, &reply_size),
			STATION_ECHO);
	assert_int_equal(reply_size, 44);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_made_addresses),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_neighbour),
		cmocka_unit_test(test_neighbour_of_nobody),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_for_others),
		cmocka_unit_test(test_bad_lengths),
		cmocka_unit_test(test_short_solicitation),
		cmocka_unit_test(test_bad_header_checksum),
		cmocka_unit_test(test_known_icmpv6),
		cmocka_unit_test(test_wrong_reply),
		cmocka_unit_test(test_fragments_are_ignored),
		cmocka_unit_test(test_padding_is_left_out),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
