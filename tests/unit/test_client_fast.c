/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks client/packets/fast_path.c: the answers against known bytes, and that whatever is not plainly a
 * request for us is left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packets/fast_path.h"
#include "packets/inet.h"

/* clang-format off */
/* From port 4000 of 10.0.0.9 (fd00::9) to port 7 of 10.0.0.2 (fd00::2), three hops left: "hello". */
static const uint8_t request4[] = {
	0x02, 0, 0, 0, 0, 0xb0, 0x02, 0, 0, 0, 0, 0xa1, 0x08, 0x00,
	0x45, 0x00, 0x00, 0x21, 0x12, 0x34, 0x40, 0x00, 0x03, 0x11, 0x51, 0x8e,
	10, 0, 0, 9, 10, 0, 0, 2,
	0x0f, 0xa0, 0x00, 0x07, 0x00, 0x0d, 0x98, 0x50, 'h', 'e', 'l', 'l', 'o',
};
static const uint8_t answer4[] = {
	0x02, 0, 0, 0, 0, 0xa1, 0x02, 0, 0, 0, 0, 0xb0, 0x08, 0x00,
	0x45, 0x00, 0x00, 0x21, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x14, 0x8e,
	10, 0, 0, 2, 10, 0, 0, 9,
	0x00, 0x07, 0x0f, 0xa0, 0x00, 0x0d, 0x98, 0x50, 'h', 'e', 'l', 'l', 'o',
};
static const uint8_t request6[] = {
	0x02, 0, 0, 0, 0, 0xb0, 0x02, 0, 0, 0, 0, 0xa1, 0x86, 0xdd,
	0x60, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x11, 0x03,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0x0f, 0xa0, 0x00, 0x07, 0x00, 0x0d, 0xb2, 0x4e, 'h', 'e', 'l', 'l', 'o',
};
static const uint8_t answer6[] = {
	0x02, 0, 0, 0, 0, 0xa1, 0x02, 0, 0, 0, 0, 0xb0, 0x86, 0xdd,
	0x60, 0x00, 0x00, 0x00, 0x00, 0x0d, 0x11, 0x40,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	0x00, 0x07, 0x0f, 0xa0, 0x00, 0x0d, 0xb2, 0x4e, 'h', 'e', 'l', 'l', 'o',
};
/* clang-format on */

enum {
	IP = 14,
	UDP4 = IP + 20,
	UDP6 = IP + 40,
};

static struct inet_addr addrs[2];
static const uint16_t ports[] = { 7, 9000 };
static struct fast_path path;

static int
setup(void **state)
{
	char err[160];

	(void)state;
	path = (struct fast_path){
		.mac = { 0x02, 0, 0, 0, 0, 0xb0 },
		.addrs = addrs,
		.addr_count = 2,
		.ports = ports,
		.port_count = 2,
	};
	if (inet_parse("10.0.0.2/24", &addrs[0], err, sizeof(err)) != 0)
		return -1;
	return inet_parse("fd00::2/64", &addrs[1], err, sizeof(err));
}

static bool
takes(const uint8_t *frame, size_t size)
{
	return fast_path_takes(&path, frame, size, false);
}

/* A request whose 16 bits at an offset are others, with checksums that are right again. */
static void
change(uint8_t *frame, size_t offset, uint16_t value)
{
	struct inet_packet ip;

	frame[offset] = (uint8_t)(value >> 8);
	frame[offset + 1] = (uint8_t)value;
	if (frame[12] == 0x08) {
		frame[IP + 10] = frame[IP + 11] = 0;
		value = inet_checksum(frame + IP, (size_t)(frame[IP] & 0x0f) * 4, 0);
		frame[IP + 10] = (uint8_t)(value >> 8);
		frame[IP + 11] = (uint8_t)value;
	}
	if (!inet_read(frame, frame[12] == 0x08 ? sizeof(request4) : sizeof(request6), &ip))
		return;
	offset = (size_t)(ip.payload - frame) + 6;
	frame[offset] = frame[offset + 1] = 0;
	value = inet_transport_checksum(&ip);
	frame[offset] = (uint8_t)(value >> 8);
	frame[offset + 1] = (uint8_t)value;
}

static void
test_answers(void **state)
{
	uint8_t frame[sizeof(request6)];

	(void)state;
	assert_true(takes(request4, sizeof(request4)));
	memcpy(frame, request4, sizeof(request4));
	fast_path_turn(frame);
	assert_memory_equal(frame, answer4, sizeof(answer4));
	assert_true(takes(request6, sizeof(request6)));
	memcpy(frame, request6, sizeof(request6));
	fast_path_turn(frame);
	assert_memory_equal(frame, answer6, sizeof(answer6));
	/* The answer itself is none of our requests. */
	assert_false(takes(answer4, sizeof(answer4)));
	assert_false(takes(answer6, sizeof(answer6)));
}

/* An Ethernet driver pads what is shorter than 60 bytes. */
static void
test_padding(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	memcpy(frame, request4, sizeof(request4));
	assert_true(takes(frame, sizeof(frame)));
}

/* Each in memory of just its size, so that sanitizers see a look behind its end. */
static void
refuses_cut(const uint8_t *frame, size_t size)
{
	uint8_t *copy = malloc(size + (size == 0));

	assert_non_null(copy);
	memcpy(copy, frame, size);
	assert_false(takes(copy, size));
	free(copy);
}

static void
test_cut_frames(void **state)
{
	uint8_t frame[sizeof(request4)];
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(request4); size++)
		refuses_cut(request4, size);
	for (size = 0; size < sizeof(request6); size++)
		refuses_cut(request6, size);
	/* Packets that end within the UDP header, and say so. */
	memcpy(frame, request4, sizeof(frame));
	for (size = UDP4; size < UDP4 + 8; size++) {
		change(frame, IP + 2, (uint16_t)(size - IP));
		refuses_cut(frame, size);
	}
}

/* Each bit of headers and data counts: the addresses, or the checksums, no longer fit. */
static void
test_damaged_frames(void **state)
{
	uint8_t frame[sizeof(request6)];
	size_t bit;

	(void)state;
	memcpy(frame, request4, sizeof(request4));
	for (bit = (size_t)IP * 8; bit < sizeof(request4) * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(takes(frame, sizeof(request4)));
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	memcpy(frame, request6, sizeof(request6));
	for (bit = (size_t)UDP6 * 8; bit < sizeof(request6) * 8; bit++) {
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(takes(frame, sizeof(request6)));
		frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* A checksum that the device has found right, or that is not complete yet, is not looked at. */
static void
test_verified(void **state)
{
	uint8_t frame[sizeof(request4)];

	(void)state;
	memcpy(frame, request4, sizeof(frame));
	frame[UDP4 + 6]++;
	assert_false(fast_path_takes(&path, frame, sizeof(frame), false));
	assert_true(fast_path_takes(&path, frame, sizeof(frame), true));
}

static void
test_no_checksum(void **state)
{
	uint8_t frame[sizeof(request6)];

	(void)state;
	memcpy(frame, request4, sizeof(request4));
	frame[UDP4 + 6] = frame[UDP4 + 7] = 0;
	assert_true(takes(frame, sizeof(request4)));
	memcpy(frame, request6, sizeof(request6));
	frame[UDP6 + 6] = frame[UDP6 + 7] = 0;
	assert_false(takes(frame, sizeof(request6)));
}

/* All of these have right checksums, so nothing else refuses them. */
static void
test_left_to_the_kernel(void **state)
{
	static const struct {
		size_t offset;
		uint16_t value;
		const char *what;
	} cases[] = {
		{ 0, 0xffff, "another station's, or a group's" },
		{ 6, 0x0300, "sender is a group" },
		{ IP + 6, 0x2000, "first fragment" },
		{ IP + 6, 0x0001, "later fragment" },
		{ IP + 8, 0x0306, "TCP" },
		{ IP + 12, 0xe000, "source is a group" },
		{ IP + 12, 0xffff, "source is broadcast" },
		{ IP + 14, 0x0002, "source is ourselves" },
		{ IP + 18, 0x0003, "another address" },
		{ UDP4, 0x0000, "source port 0" },
		{ UDP4, 0x0007, "source port is one that we answer at" },
		{ UDP4, 9000, "source port is another that we answer at" },
		{ UDP4 + 2, 0x0008, "another port" },
		{ UDP4 + 4, 0x000c, "shorter than the packet" },
		{ UDP4 + 4, 0x000e, "longer than the packet" },
	};
	uint8_t frame[sizeof(request4)];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(frame, request4, sizeof(frame));
		change(frame, cases[i].offset, cases[i].value);
		if (takes(frame, sizeof(frame)))
			fail_msg("taken: %s", cases[i].what);
	}
	memcpy(frame, request4, sizeof(frame));
	change(frame, UDP4, 0x0fa1);
	assert_true(takes(frame, sizeof(frame)));
	change(frame, UDP4 + 2, 9000);
	assert_true(takes(frame, sizeof(frame)));
}

static void
test_source_of_nobody(void **state)
{
	uint8_t frame[sizeof(request6)];

	(void)state;
	memcpy(frame, request4, sizeof(request4));
	memset(frame + IP + 12, 0, 4);
	change(frame, UDP4, 4000);
	assert_false(takes(frame, sizeof(request4)));
	memcpy(frame, request6, sizeof(request6));
	memset(frame + IP + 8, 0, 16);
	change(frame, UDP6, 4000);
	assert_false(takes(frame, sizeof(request6)));
	memcpy(frame, request6, sizeof(request6));
	change(frame, IP + 8, 0xff02);
	assert_false(takes(frame, sizeof(request6)));
}

/* Four bytes of options more, and right in all else. */
static void
test_options(void **state)
{
	uint8_t frame[sizeof(request4) + 4] = { 0 };
	uint16_t sum;

	(void)state;
	memcpy(frame, request4, UDP4);
	memcpy(frame + UDP4 + 4, request4 + UDP4, sizeof(request4) - UDP4);
	frame[UDP4] = frame[UDP4 + 1] = frame[UDP4 + 2] = 1;
	frame[IP] = 0x46;
	frame[IP + 3] += 4;
	frame[IP + 10] = frame[IP + 11] = 0;
	sum = inet_checksum(frame + IP, 24, 0);
	frame[IP + 10] = (uint8_t)(sum >> 8);
	frame[IP + 11] = (uint8_t)sum;
	assert_false(takes(frame, sizeof(frame)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_cut_frames),
		cmocka_unit_test(test_damaged_frames),
		cmocka_unit_test(test_verified),
		cmocka_unit_test(test_no_checksum),
		cmocka_unit_test(test_left_to_the_kernel),
		cmocka_unit_test(test_source_of_nobody),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
