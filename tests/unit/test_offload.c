/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload.c: every honest sender's virtio-net header is understood, every lie is refused, and a
 * receiver is told what the sender said.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "offloads/offload.h"
#include "offload_frames.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define FRAME (BURST_MAX - 1) /* behind its headers the burst ends */
#define NO_BYTE UINT32_MAX
#define NO_FIELD SIZE_MAX
#define FIELD(name) offsetof(struct virtio_net_hdr, name)

#define TSO4 (FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4)
#define TSO6 (FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO6)

static struct burst *burst;
static uint8_t *bytes;
static uint8_t *room;

static int
setup(void **state)
{
	(void)state;
	burst = aligned_alloc(64, sizeof(*burst));
	memset(burst, 0x5a, sizeof(*burst));
	burst->offload_mask = 0;
	bytes = malloc(OFFLOAD_BYTES_MAX);
	room = malloc(FRAMES_ROOM);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(burst);
	free(bytes);
	free(room);
	return 0;
}

/* FRAME is what stands in `bytes`, in n pieces. */
static bool
read_pieces(uint32_t len, const struct virtio_net_hdr *header, uint8_t allowed, uint32_t n)
{
	uint32_t seed = 99;

	burst->offload_mask = 0;
	frames_scatter(burst, FRAME, 0, bytes, len, n, &seed, room);
	return offload_read(burst, FRAME, header, allowed);
}

static bool
read_it(uint32_t len, const struct virtio_net_hdr *header)
{
	return read_pieces(len, header, FRAME_NEEDS_ALL, 1);
}

static void
test_nothing_is_asked(void **state)
{
	static const uint8_t flags[] = { 0, VIRTIO_NET_HDR_F_DATA_VALID, VIRTIO_NET_HDR_F_RSC_INFO,
		0xfe };
	const struct shape shape = { .payload = 100 };
	struct virtio_net_hdr written;

	(void)state;
	frames_build(&shape, bytes);
	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct virtio_net_hdr header = { .flags = flags[i],
			.hdr_len = 0xffff,
			.gso_size = 0xffff,
			.csum_start = 0xffff,
			.csum_offset = 0xffff };

		assert_true(read_pieces(frames_len(&shape), &header, 0, 1));
		assert_true(burst->offload_mask == 0);
		assert_int_equal(burst->frames[FRAME].head[0], 0x5a);
		offload_write(burst, FRAME, &written);
		header = (struct virtio_net_hdr){ 0 };
		assert_memory_equal(&written, &header, sizeof(header));
	}
}

/* What the header of a frame to be cut has to become, and what of it a receiver is told. */
static void
check_gso(const struct shape *shape, const struct virtio_net_hdr *header, uint8_t needs)
{
	const struct frame_offload *offload = &burst->offloads[FRAME];
	uint32_t len = frames_len(shape), copied = len < 256 ? len : 256;
	struct virtio_net_hdr written, expected = *header;

	assert_true(burst->offload_mask == 1ull << FRAME);
	assert_int_equal(offload->needs, needs);
	assert_int_equal(offload->copied, copied);
	assert_int_equal(offload->csum_start, frames_transport(shape));
	assert_int_equal(offload->csum_offset, 16);
	assert_int_equal(offload->gso_size, header->gso_size);
	assert_int_equal(offload->header_len, frames_header_len(shape));
	assert_memory_equal(burst->headers[FRAME], bytes, copied);
	assert_memory_equal(burst->frames[FRAME].head, bytes, 64);
	expected.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	expected.hdr_len = (uint16_t)frames_header_len(shape);
	offload_write(burst, FRAME, &written);
	assert_memory_equal(&written, &expected, sizeof(written));
}

static const struct shape honest_shapes[] = {
	{ .payload = 60000 },
	{ .payload = 2000, .tcp_options = 12 },
	{ .payload = 2000, .tcp_options = 40, .ip_options = 40, .tags = 2 },
	{ .payload = 2000, .tags = 1, .tcp_options = 12 },
	{ .payload = 120 },
	{ .ipv6 = true, .payload = 60000 },
	{ .ipv6 = true, .payload = 2000, .tcp_options = 12, .tags = 1 },
	{ .ipv6 = true, .payload = 2000, .tcp_options = 12, .ip_options = 8 },
	{ .ipv6 = true, .payload = 2000, .tcp_options = 40, .ip_options = 136, .tags = 1 },
};

/*
 * Linux: the linear part, with or without a VLAN tag and TCP's options. DPDK: the headers. Whatever
 * others say there, it is a hint; so is what VIRTIO 1.2, 5.1.6.2 gives no meaning without the other
 * field that it belongs to.
 */
static void
test_honest_senders(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(honest_shapes); i++) {
		struct shape shape = honest_shapes[i];
		uint32_t exact = frames_header_len(&shape), tag = shape.tags > 0 ? 4 : 0;
		const uint32_t hdr_lens[] = { 0, exact, exact - tag, exact - shape.tcp_options,
			exact - shape.tcp_options - 2 - tag, exact + 1, frames_len(&shape),
			frames_len(&shape) + 1, 1, 14, 20, 0xffff };
		uint8_t needs = shape.ipv6 ? TSO6 : TSO4;

		shape.partial = true;
		frames_build(&shape, bytes);
		for (uint32_t k = 0; k < ARRAY_SIZE(hdr_lens); k++) {
			struct virtio_net_hdr header = frames_header(
					&shape, shape.payload > 2000 ? 1448 : 100);

			header.hdr_len = (uint16_t)hdr_lens[k];
			assert_true(read_it(frames_len(&shape), &header));
			check_gso(&shape, &header, needs);
			header.flags |= VIRTIO_NET_HDR_F_DATA_VALID;
			header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
			assert_true(read_it(frames_len(&shape), &header));
			check_gso(&shape, &header, needs | FRAME_NEEDS_ECN);
		}
	}
}

/* One byte of the frame or one field of the header is another than it ought to be. */
struct lie {
	const char *name;
	uint32_t at; /* in the frame, which has no VLAN tag; NO_BYTE: none */
	uint8_t byte;
	size_t field; /* of the virtio-net header; NO_FIELD: none */
	uint16_t value;
};

static const struct lie lies4[] = {
	{ "EtherType of IPv6", 12, 0x86, NO_FIELD, 0 },
	{ "EtherType of ARP", 13, 0x06, NO_FIELD, 0 },
	{ "IP version 6", 14, 0x65, NO_FIELD, 0 },
	{ "IP header too short", 14, 0x44, NO_FIELD, 0 },
	{ "IP header longer than that", 14, 0x46, NO_FIELD, 0 },
	{ "total length too long", 17, 0xff, NO_FIELD, 0 },
	{ "total length too short", 17, 0x00, NO_FIELD, 0 },
	{ "more fragments", 20, 0x20, NO_FIELD, 0 },
	{ "a later fragment", 21, 0x01, NO_FIELD, 0 },
	{ "UDP", 23, 17, NO_FIELD, 0 },
	{ "no protocol", 23, 0, NO_FIELD, 0 },
	{ "TCP header too short", 46, 0x40, NO_FIELD, 0 },
	{ "csum_start before TCP", NO_BYTE, 0, FIELD(csum_start), 33 },
	{ "csum_start behind TCP's beginning", NO_BYTE, 0, FIELD(csum_start), 35 },
	{ "csum_start in the Ethernet header", NO_BYTE, 0, FIELD(csum_start), 0 },
	{ "csum_start far behind", NO_BYTE, 0, FIELD(csum_start), 0xffff },
	{ "csum_offset of UDP", NO_BYTE, 0, FIELD(csum_offset), 6 },
	{ "csum_offset far behind", NO_BYTE, 0, FIELD(csum_offset), 0xffff },
	{ "gso_size 0", NO_BYTE, 0, FIELD(gso_size), 0 },
	{ "more segments than may be", NO_BYTE, 0, FIELD(gso_size), 1 },
	{ "IPv6 by gso_type", NO_BYTE, 0, FIELD(gso_type), VIRTIO_NET_HDR_GSO_TCPV6 },
	{ "UDP fragmentation", NO_BYTE, 0, FIELD(gso_type), VIRTIO_NET_HDR_GSO_UDP },
	{ "UDP segmentation", NO_BYTE, 0, FIELD(gso_type), 5 },
	{ "unknown gso_type", NO_BYTE, 0, FIELD(gso_type), 2 },
	{ "ECN without segments", NO_BYTE, 0, FIELD(gso_type), VIRTIO_NET_HDR_GSO_ECN },
	{ "no NEEDS_CSUM", NO_BYTE, 0, FIELD(flags), 0 },
	{ "DATA_VALID for NEEDS_CSUM", NO_BYTE, 0, FIELD(flags), VIRTIO_NET_HDR_F_DATA_VALID },
};

static const struct lie lies6[] = {
	{ "EtherType of IPv4", 12, 0x08, NO_FIELD, 0 },
	{ "IP version 4", 14, 0x45, NO_FIELD, 0 },
	{ "payload length too long", 19, 0xff, NO_FIELD, 0 },
	{ "payload length too short", 19, 0x00, NO_FIELD, 0 },
	{ "UDP", 20, 17, NO_FIELD, 0 },
	{ "a fragment", 20, 44, NO_FIELD, 0 },
	{ "an extension header that is TCP's", 20, 60, NO_FIELD, 0 },
	{ "TCP header too short", 66, 0x40, NO_FIELD, 0 },
	{ "csum_start of IPv4", NO_BYTE, 0, FIELD(csum_start), 34 },
	{ "IPv4 by gso_type", NO_BYTE, 0, FIELD(gso_type), VIRTIO_NET_HDR_GSO_TCPV4 },
};

static void
check_lies(const struct lie *lies, uint32_t n, const struct shape *shape)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct lie *lie = &lies[i];
		struct virtio_net_hdr header = frames_header(shape, 1000);
		bool wide = lie->field >= FIELD(hdr_len);

		frames_build(shape, bytes);
		assert_true(read_it(frames_len(shape), &header));
		if (lie->at != NO_BYTE)
			bytes[lie->at] = lie->byte;
		if (lie->field != NO_FIELD)
			memcpy((uint8_t *)&header + lie->field, &lie->value, wide ? 2 : 1);
		if (read_it(frames_len(shape), &header))
			fail_msg("believed: %s", lie->name);
		assert_true(burst->offload_mask == 0);
	}
}

static void
test_lies(void **state)
{
	const struct shape ipv4 = { .payload = 2000, .partial = true };
	const struct shape ipv6 = { .payload = 2000, .partial = true, .ipv6 = true };

	(void)state;
	check_lies(lies4, ARRAY_SIZE(lies4), &ipv4);
	check_lies(lies6, ARRAY_SIZE(lies6), &ipv6);
}

static void
test_most_segments(void **state)
{
	struct shape shape = { .payload = 40 * OFFLOAD_CUTS_MAX, .partial = true };
	const struct virtio_net_hdr header = frames_header(&shape, 40);

	(void)state;
	frames_build(&shape, bytes);
	assert_true(read_it(frames_len(&shape), &header));
	shape.payload++;
	frames_build(&shape, bytes);
	assert_false(read_it(frames_len(&shape), &header));
}

static void
test_third_tag_is_no_tag(void **state)
{
	const struct shape shape = { .payload = 2000, .partial = true, .tags = 3 };
	const struct virtio_net_hdr header = frames_header(&shape, 1000);

	(void)state;
	frames_build(&shape, bytes);
	assert_false(read_it(frames_len(&shape), &header));
}

/* Lies that agree with each other. */
static void
test_headers_that_cannot_be(void **state)
{
	const struct shape ipv4 = { .payload = 2000, .partial = true };
	const struct shape ipv6 = {
		.payload = 2000, .partial = true, .ipv6 = true, .ip_options = 8
	};
	struct virtio_net_hdr header = frames_header(&ipv4, 1000);

	(void)state;
	/* An IPv4 header of 16 bytes, and TCP in its last four. */
	frames_build(&ipv4, bytes);
	bytes[14] = 0x44;
	bytes[30 + 12] = 0x50;
	header.csum_start = 30;
	assert_false(read_it(frames_len(&ipv4), &header));
	/* The one extension header is, with the same bytes, one for a fragment. */
	header = frames_header(&ipv6, 1000);
	frames_build(&ipv6, bytes);
	for (uint32_t next = 0; next < 256; next++) {
		bytes[20] = (uint8_t)next;
		assert_int_equal(read_it(frames_len(&ipv6), &header),
				next == 0 || next == 43 || next == 60);
	}
}

static void
test_extension_header_leaves_what_was_copied(void **state)
{
	struct shape shape = { .payload = 2000, .partial = true, .ipv6 = true, .ip_options = 16 };
	struct virtio_net_hdr header = frames_header(&shape, 1000);

	(void)state;
	frames_build(&shape, bytes);
	assert_true(read_it(frames_len(&shape), &header));
	bytes[14 + 40 + 8 + 1] = 255;
	assert_false(read_it(frames_len(&shape), &header));
	bytes[14 + 40 + 8] = 60;
	assert_false(read_it(frames_len(&shape), &header));
	/* 254 bytes of headers are read; 258 are too many, 262 have TCP itself behind the end. */
	shape = (struct shape){
		.payload = 2000, .ipv6 = true, .ip_options = 136, .tags = 2, .tcp_options = 36
	};
	for (uint32_t more = 0; more < 3; more++) {
		shape.tcp_options = more == 2 ? 0 : 36 + 4 * more;
		shape.ip_options = more == 2 ? 184 : 136;
		header = frames_header(&shape, 1000);
		frames_build(&shape, bytes);
		assert_int_equal(read_it(frames_len(&shape), &header), more == 0);
	}
}

/* A byte short of the headers, of payload, of all. */
static void
test_frame_ends_early(void **state)
{
	struct shape shape = { .payload = 1, .partial = true };
	struct virtio_net_hdr header = frames_header(&shape, 1000);

	(void)state;
	frames_build(&shape, bytes);
	header.hdr_len = 0;
	assert_true(read_it(55, &header));
	for (uint32_t len = 1; len < 55; len++) {
		bytes[17] = (uint8_t)(len - 14);
		assert_false(read_it(len, &header));
	}
	shape = (struct shape){ .payload = 1, .partial = true, .ipv6 = true, .tcp_options = 8 };
	header = frames_header(&shape, 1000);
	frames_build(&shape, bytes);
	assert_true(read_it(83, &header));
	header.hdr_len = 0;
	for (uint32_t len = 1; len < 83; len++) {
		bytes[19] = (uint8_t)(len - 54);
		assert_false(read_it(len, &header));
	}
}

static void
test_no_frame_is_too_long(void **state)
{
	struct shape shape = { .ipv6 = true, .partial = true, .payload = FRAME_LEN_MAX - 74 };
	struct virtio_net_hdr header = frames_header(&shape, 1400);

	(void)state;
	frames_build(&shape, bytes);
	assert_true(read_it(FRAME_LEN_MAX, &header));
	shape.payload++;
	frames_build(&shape, bytes);
	assert_false(read_it(FRAME_LEN_MAX + 1, &header));
}

static void
test_only_what_is_allowed(void **state)
{
	(void)state;
	for (uint32_t what = 0; what < 5; what++) {
		const struct shape shape = { .payload = 2000, .ipv6 = what > 2, .partial = true };
		struct virtio_net_hdr header = frames_header(&shape, what == 0 ? 0 : 1000);
		uint8_t needs = shape.ipv6 ? TSO6 : TSO4;

		if (what == 0)
			needs = FRAME_NEEDS_CSUM;
		if (what == 2 || what == 4) {
			header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
			needs |= FRAME_NEEDS_ECN;
		}
		frames_build(&shape, bytes);
		for (uint32_t allowed = 0; allowed <= FRAME_NEEDS_ALL; allowed++) {
			bool good = (needs & ~allowed) == 0;

			assert_int_equal(read_pieces(frames_len(&shape), &header, (uint8_t)allowed,
							 1),
					good);
			assert_int_equal(burst_needs(burst, FRAME), good ? needs : 0);
		}
	}
}

/* Payload that fits into a segment: nothing is to be cut, for whatever receiver. */
static void
test_one_segment_is_none(void **state)
{
	const struct shape shape = { .payload = 1000, .partial = true };
	struct virtio_net_hdr header = frames_header(&shape, 1000);
	struct virtio_net_hdr written, expected = frames_header(&shape, 0);

	(void)state;
	frames_build(&shape, bytes);
	assert_true(read_it(frames_len(&shape), &header));
	assert_int_equal(burst_needs(burst, FRAME), FRAME_NEEDS_CSUM);
	assert_int_equal(burst_wire_len(burst, FRAME), frames_len(&shape));
	offload_write(burst, FRAME, &written);
	assert_memory_equal(&written, &expected, sizeof(written));
	assert_false(read_pieces(frames_len(&shape), &header, FRAME_NEEDS_CSUM, 1));
	header.gso_size = 999;
	assert_true(read_it(frames_len(&shape), &header));
	assert_int_equal(burst_needs(burst, FRAME), TSO4);
	assert_int_equal(burst_wire_len(burst, FRAME), 54 + 999);
}

struct sum_place {
	uint32_t len;
	uint16_t start;
	uint16_t offset;
	bool good;
};

/* Where a checksum may be in a frame of any protocol. */
static void
test_places_of_a_checksum(void **state)
{
	static const struct sum_place places[] = {
		{ 60, 34, 6, true },
		{ 60, 14, 0, true },
		{ 60, 13, 6, false },
		{ 60, 0, 16, false },
		{ 60, 34, 24, true },
		{ 60, 34, 25, false },
		{ 60, 58, 0, true },
		{ 60, 59, 0, false },
		{ 60, 60, 0, false },
		{ 60, 34, 0xffff, false },
		{ 60, 0xffff, 0xffff, false },
		{ 60, 0xfff0, 0x20, false },
		{ 14, 14, 0, false },
		{ 16, 14, 0, true },
		{ 2, 14, 0, false },
		{ 9000, 34, 16, true },
		{ 9000, 250, 4, true },
		{ 9000, 250, 5, true },
		{ 9000, 255, 0, true },
		{ 9000, 8990, 8, true },
		{ 9000, 8990, 9, false },
		{ 9000, 9000, 0, false },
		{ 65553, 65535, 16, true },
		{ 65553, 65535, 17, false },
		{ 65553, 34, 6, true },
	};

	(void)state;
	memset(bytes, 0x33, OFFLOAD_BYTES_MAX);
	for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct sum_place *place = &places[i];
		const struct virtio_net_hdr header = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.hdr_len = 0xffff,
			.gso_size = 0xffff,
			.csum_start = place->start,
			.csum_offset = place->offset };

		if (read_pieces(place->len, &header, FRAME_NEEDS_CSUM, 1) != place->good)
			fail_msg("%u + %u of %u", place->start, place->offset, place->len);
		if (!place->good)
			continue;
		assert_int_equal(burst->offloads[FRAME].needs, FRAME_NEEDS_CSUM);
		assert_int_equal(burst->offloads[FRAME].csum_start, place->start);
		assert_int_equal(burst->offloads[FRAME].csum_offset, place->offset);
		assert_int_equal(burst->offloads[FRAME].gso_size, 0);
		assert_int_equal(
				burst->offloads[FRAME].copied, place->len < 256 ? place->len : 256);
	}
}

/* However the frame lies: the copy is of its first bytes, and gaps between pieces are not in it. */
static void
test_ragged_headers(void **state)
{
	const struct shape shape = { .payload = 3000, .partial = true, .tcp_options = 12 };
	const struct virtio_net_hdr header = frames_header(&shape, 1000);

	(void)state;
	frames_build(&shape, bytes);
	for (uint32_t n = 1; n <= OFFLOAD_SEGMENTS_MAX; n += 1 + n / 3) {
		assert_true(read_pieces(frames_len(&shape), &header, FRAME_NEEDS_ALL, n));
		check_gso(&shape, &header, TSO4);
	}
	assert_true(read_pieces(
			frames_len(&shape), &header, FRAME_NEEDS_ALL, OFFLOAD_SEGMENTS_MAX));
	assert_false(read_pieces(
			frames_len(&shape), &header, FRAME_NEEDS_ALL, OFFLOAD_SEGMENTS_MAX + 1));
}

/* What was checked stays, whatever the sender writes afterwards. */
static void
test_sender_changes_its_mind(void **state)
{
	const struct shape shape = { .payload = 3000, .partial = true };
	const struct virtio_net_hdr header = frames_header(&shape, 1000);

	(void)state;
	frames_build(&shape, bytes);
	assert_true(read_it(frames_len(&shape), &header));
	memset(room, 0xff, FRAMES_ROOM);
	check_gso(&shape, &header, TSO4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_asked),
		cmocka_unit_test(test_honest_senders),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_most_segments),
		cmocka_unit_test(test_third_tag_is_no_tag),
		cmocka_unit_test(test_headers_that_cannot_be),
		cmocka_unit_test(test_extension_header_leaves_what_was_copied),
		cmocka_unit_test(test_frame_ends_early),
		cmocka_unit_test(test_no_frame_is_too_long),
		cmocka_unit_test(test_only_what_is_allowed),
		cmocka_unit_test(test_one_segment_is_none),
		cmocka_unit_test(test_places_of_a_checksum),
		cmocka_unit_test(test_ragged_headers),
		cmocka_unit_test(test_sender_changes_its_mind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
