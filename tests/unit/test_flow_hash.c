/* SPDX-License-Identifier: BSD-3-Clause */
/* flow_hash.c: what belongs together has one number, what does not seldom has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "switching/flow_hash.h"

#define HEAD 64
#define MACS 12

static void
put_16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

/* A frame of TCP over IPv4, after `tags` VLAN tags. Returns where IP begins. */
static uint32_t
build_ipv4(uint8_t *head, uint32_t tags, uint8_t protocol, uint16_t from)
{
	uint32_t at = MACS;

	memset(head, 0x11, HEAD);
	for (uint32_t i = 0; i < tags; i++, at += 4) {
		put_16(head + at, i + 1 < tags ? 0x88a8 : 0x8100);
		put_16(head + at + 2, (uint16_t)(5 + i));
	}
	put_16(head + at, 0x0800);
	at += 2;
	memset(head + at, 0, 12);
	head[at] = 0x45;
	head[at + 6] = 0x40; /* do not fragment */
	head[at + 9] = protocol;
	memset(head + at + 12, 0x0a, 4);
	memset(head + at + 16, 0x0b, 4);
	put_16(head + at + 20, from);
	put_16(head + at + 22, 80);
	return at;
}

static void
build_ipv6(uint8_t *head, uint8_t next, uint16_t from)
{
	memset(head, 0x22, HEAD);
	put_16(head + MACS, 0x86dd);
	head[MACS + 2] = 0x60;
	head[MACS + 2 + 6] = next;
	memset(head + 22, 0xfd, 16);
	memset(head + 38, 0xfe, 16);
	put_16(head + 54, from);
}

static void
test_one_flow_one_number(void **state)
{
	uint8_t a[HEAD], b[HEAD];
	uint32_t at;

	(void)state;
	at = build_ipv4(a, 0, 6, 1000);
	memcpy(b, a, HEAD);
	b[at + 4] = 9;	/* identification */
	b[at + 8] = 63; /* time to live */
	memset(b + at + 24, 0x77, HEAD - at - 24);
	memset(b, 0x99, MACS);
	assert_int_equal(flow_hash(a, HEAD), flow_hash(b, HEAD));
}

static void
test_ports_and_addresses_count(void **state)
{
	uint8_t a[HEAD], b[HEAD];

	(void)state;
	for (uint8_t protocol = 0; protocol < 255; protocol++) {
		bool has_ports = protocol == 6 || protocol == 17 || protocol == 132;

		build_ipv4(a, 0, protocol, 1000);
		build_ipv4(b, 0, protocol, 1001);
		assert_int_equal(flow_hash(a, HEAD) != flow_hash(b, HEAD), has_ports);
		build_ipv6(a, protocol, 1000);
		build_ipv6(b, protocol, 1001);
		assert_int_equal(flow_hash(a, HEAD) != flow_hash(b, HEAD), has_ports);
		b[40] ^= 1;
		b[55] = a[55];
		assert_int_not_equal(flow_hash(a, HEAD), flow_hash(b, HEAD));
	}
}

static void
test_vlan_tags_are_passed_over(void **state)
{
	uint8_t plain[HEAD], tagged[HEAD];

	(void)state;
	build_ipv4(plain, 0, 17, 1000);
	for (uint32_t tags = 1; tags <= 2; tags++) {
		build_ipv4(tagged, tags, 17, 1000);
		assert_int_equal(flow_hash(plain, HEAD), flow_hash(tagged, HEAD));
	}
}

/* All fragments of a packet, of which only the first has ports. */
static void
test_fragments_stay_together(void **state)
{
	static const uint16_t fragment_fields[] = { 0x2000, 0x2010, 0x0020, 0x0001 };
	uint8_t head[HEAD];
	uint32_t first = 0;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t at = build_ipv4(head, 0, 17, (uint16_t)(1000 + i)), hash;

		put_16(head + at + 6, fragment_fields[i]);
		hash = flow_hash(head, HEAD);
		if (i == 0)
			first = hash;
		assert_int_equal(hash, first);
	}
}

static void
test_other_frames_by_mac(void **state)
{
	uint8_t a[HEAD], b[HEAD];

	(void)state;
	memset(a, 0x33, HEAD);
	memset(b, 0x33, HEAD);
	b[20] = 1;
	assert_int_equal(flow_hash(a, HEAD), flow_hash(b, HEAD));
	b[5] = 1;
	assert_int_not_equal(flow_hash(a, HEAD), flow_hash(b, HEAD));
}

/* Flows that differ in one port alone fill four queues evenly. */
static void
test_flows_spread(void **state)
{
	uint32_t counts[4] = { 0 };
	uint8_t head[HEAD];

	(void)state;
	for (uint16_t from = 0; from < 1000; from++) {
		build_ipv4(head, 0, 6, from);
		counts[flow_hash(head, HEAD) % 4]++;
	}
	for (uint32_t i = 0; i < 4; i++)
		assert_uint_in_range(counts[i], 200, 300);
}

/* Nothing beyond the given bytes is looked at: under AddressSanitizer, or by what comes out. */
static void
test_short_heads(void **state)
{
	uint8_t head[HEAD];

	(void)state;
	for (uint32_t kind = 0; kind < 4; kind++) {
		for (uint32_t len = 14; len < HEAD; len++) {
			uint8_t *cut = malloc(len), *other = malloc(len);

			if (kind == 3)
				build_ipv6(head, 6, 1000);
			else
				build_ipv4(head, kind, 6, 1000);
			memcpy(cut, head, len);
			memcpy(other, head, len);
			assert_int_equal(flow_hash(cut, len), flow_hash(other, len));
			free(cut);
			free(other);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_flow_one_number),
		cmocka_unit_test(test_ports_and_addresses_count),
		cmocka_unit_test(test_vlan_tags_are_passed_over),
		cmocka_unit_test(test_fragments_stay_together),
		cmocka_unit_test(test_other_frames_by_mac),
		cmocka_unit_test(test_flows_spread),
		cmocka_unit_test(test_short_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
