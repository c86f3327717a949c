/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * offload_split.c: what comes out is byte for byte what a sender without offloads would have sent,
 * however the frame lies in the sender's memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "offloads/offload.h"
#include "offload_frames.h"

#define FIN_PSH_ACK_CWR 0x99
#define FRAME 5 /* place in the burst */

static struct burst *from;
static struct burst *to;
static uint8_t *bytes;
static uint8_t *room;
static uint8_t *made;
static uint8_t *expected;

static int
setup(void **state)
{
	(void)state;
	from = aligned_alloc(64, sizeof(*from));
	to = aligned_alloc(64, sizeof(*to));
	memset(from, 0x5a, sizeof(*from));
	memset(to, 0xa5, sizeof(*to));
	bytes = malloc(OFFLOAD_BYTES_MAX);
	room = malloc(FRAMES_ROOM);
	made = malloc(OFFLOAD_BYTES_MAX);
	expected = malloc(OFFLOAD_BYTES_MAX);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(from);
	free(to);
	free(bytes);
	free(room);
	free(made);
	free(expected);
	return 0;
}

/* The frame of this shape, in n pieces, as a sender gives it away. */
static void
give(const struct shape *shape, uint16_t gso_size, uint32_t n, uint32_t *seed)
{
	const struct virtio_net_hdr header = frames_header(shape, gso_size);

	assert_true(shape->partial);
	frames_build(shape, bytes);
	from->offload_mask = 0;
	frames_scatter(from, FRAME, 0, bytes, frames_len(shape), n, seed, room);
	assert_true(offload_read(from, FRAME, &header, FRAME_NEEDS_ALL));
}

/* Frame i of `to` is what the shape says, with its checksum complete or still to be. */
static void
check_frame(uint32_t i, struct shape shape, bool partial)
{
	const struct frame *frame = &to->frames[i];
	const struct frame_offload *offload = &to->offloads[i];
	uint32_t len = frames_len(&shape), head_len;
	const uint8_t *head = burst_head(to, i, &head_len);

	shape.partial = partial;
	frames_build(&shape, expected);
	assert_int_equal(frame->len, len);
	assert_int_equal(frames_gather(to, i, made), len);
	assert_memory_equal(made, expected, len);
	assert_memory_equal(frame->head, expected, len < 64 ? len : 64);
	assert_int_equal(burst_needs(to, i), partial ? FRAME_NEEDS_CSUM : 0);
	assert_memory_equal(head, expected, head_len);
	if (!partial)
		return;
	assert_int_equal(offload->copied, len < 256 ? len : 256);
	assert_int_equal(offload->csum_start, frames_transport(&shape));
	assert_int_equal(offload->csum_offset, shape.udp ? 6 : 16);
	assert_int_equal(offload->gso_size, 0);
}

/* What holds for all bursts that are made, and that nothing lies where nothing may. */
static void
check_burst(void)
{
	uint32_t longest = 0, segments = 0;

	assert_uint_in_range(to->n, 1, BURST_MAX);
	assert_null(to->mbufs);
	for (uint32_t i = 0; i < to->n; i++) {
		if (to->frames[i].len > longest)
			longest = to->frames[i].len;
		assert_ptr_equal(to->frames[i].segments, to->segments + segments);
		for (uint32_t k = 0; k < to->frames[i].n_segments; k++)
			assert_true(to->frames[i].segments[k].len > 0);
		segments += to->frames[i].n_segments;
	}
	assert_int_equal(to->longest, longest);
	assert_uint_in_range(segments, to->n, BURST_SEGMENTS_MAX);
	if (to->n < BURST_MAX)
		assert_true(to->offload_mask >> to->n == 0);
}

/* All segments, over as many calls as it takes; returns how many calls. */
static uint32_t
check_all(const struct shape *shape, uint16_t gso_size, uint8_t takes)
{
	bool partial = (takes & FRAME_NEEDS_CSUM) != 0;
	uint32_t n = (shape->payload + gso_size - 1) / gso_size, done = 0, calls = 0;

	do {
		assert_int_equal(offload_split(from, FRAME, takes, done, to), n);
		check_burst();
		for (uint32_t i = 0; i < to->n; i++)
			check_frame(i, frames_segment(shape, gso_size, done + i), partial);
		done += to->n;
		calls++;
	} while (done < n);
	assert_int_equal(done, n);
	return calls;
}

static void
test_ipv4(void **state)
{
	const struct shape shape = { .payload = 3001,
		.partial = true,
		.flags = FIN_PSH_ACK_CWR,
		.id = 0xffff,
		.sequence = 0xfffffc00,
		.tcp_options = 12 };
	uint32_t seed = 1;

	(void)state;
	give(&shape, 1000, 1, &seed);
	assert_int_equal(check_all(&shape, 1000, 0), 1);
	assert_int_equal(check_all(&shape, 1000, FRAME_NEEDS_CSUM), 1);
}

static void
test_ipv6(void **state)
{
	const struct shape shape = { .payload = 3000,
		.partial = true,
		.flags = FIN_PSH_ACK_CWR,
		.sequence = 0xfffffc00,
		.ipv6 = true,
		.ip_options = 40 };
	uint32_t seed = 1;

	(void)state;
	give(&shape, 1000, 1, &seed);
	assert_int_equal(check_all(&shape, 1000, 0), 1);
	assert_int_equal(check_all(&shape, 1000, FRAME_NEEDS_CSUM), 1);
}

/* A receiver that takes segments but not these, or not what segments stand on. */
static void
test_receivers_that_take_something(void **state)
{
	const struct shape shape = { .payload = 3000, .partial = true, .flags = 0x90 };
	struct virtio_net_hdr header = frames_header(&shape, 1000);
	uint32_t seed = 1;

	(void)state;
	give(&shape, 1000, 3, &seed);
	header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	assert_true(offload_read(from, FRAME, &header, FRAME_NEEDS_ALL));
	check_all(&shape, 1000, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4 | FRAME_NEEDS_TSO6);
	check_all(&shape, 1000, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO6 | FRAME_NEEDS_ECN);
	check_all(&shape, 1000, FRAME_NEEDS_TSO4 | FRAME_NEEDS_ECN);
}

static struct shape
random_shape(uint32_t *seed)
{
	struct shape shape = {
		.ipv6 = frames_random(seed) % 2,
		.tags = frames_random(seed) % 3,
		.tcp_options = frames_random(seed) % 11 * 4,
		.flags = (uint8_t)frames_random(seed),
		.id = (uint16_t)frames_random(seed),
		.sequence = frames_random(seed),
		.payload_from = frames_random(seed),
		.partial = true,
	};

	shape.ip_options = shape.ipv6 ? frames_random(seed) % 15 * 8 : frames_random(seed) % 11 * 4;
	return shape;
}

static void
test_random_segments(void **state)
{
	uint32_t seed = 20;

	(void)state;
	for (uint32_t round = 0; round < 400; round++) {
		struct shape shape = random_shape(&seed);
		uint32_t most = round % 8 == 0 ? 65553 - frames_header_len(&shape) : 6000;
		uint32_t longest = round % 5 == 0 ? 300 : 3000, pieces;
		uint16_t gso_size = (uint16_t)((round % 8 == 0 ? 205 : 48) +
				frames_random(&seed) % longest);

		if (!shape.ipv6 && most > 60000)
			most = 60000;
		shape.payload = gso_size + 1 + frames_random(&seed) % (most - gso_size);
		pieces = frames_len(&shape) < OFFLOAD_SEGMENTS_MAX ? frames_len(&shape)
								   : OFFLOAD_SEGMENTS_MAX;
		if (round % 2 != 0)
			pieces = pieces < 40 ? pieces : 40;
		give(&shape, gso_size, 1 + frames_random(&seed) % pieces, &seed);
		check_all(&shape, gso_size, frames_random(&seed) % 2 ? FRAME_NEEDS_CSUM : 0);
	}
}

static void
test_random_checksums(void **state)
{
	uint32_t seed = 21;

	(void)state;
	for (uint32_t round = 0; round < 400; round++) {
		struct shape shape = random_shape(&seed);
		uint32_t len, pieces;

		shape.udp = frames_random(&seed) % 2;
		if (shape.ipv6 && round % 3 != 0) /* far behind what was copied, too */
			shape.ip_options = frames_random(&seed) % 260 * 8;
		shape.payload = frames_random(&seed) % (round % 8 == 0 ? 60000 : 3000);
		len = frames_len(&shape);
		pieces = 1 + frames_random(&seed) % (round % 2 ? 10 : OFFLOAD_SEGMENTS_FAR);
		give(&shape, 0, pieces < len ? pieces : len, &seed);
		assert_int_equal(offload_split(from, FRAME, 0, 0, to), 1);
		check_burst();
		assert_int_equal(to->n, 1);
		check_frame(0, shape, false);
	}
}

/* The most segments, in rounds of 64 frames. */
static void
test_most_segments(void **state)
{
	const struct shape shape = { .payload = 64000, .partial = true, .flags = FIN_PSH_ACK_CWR };
	uint32_t seed = 3;

	(void)state;
	give(&shape, 64000 / OFFLOAD_CUTS_MAX, 17, &seed);
	assert_int_equal(check_all(&shape, 64000 / OFFLOAD_CUTS_MAX, 0), OFFLOAD_CUTS_MAX / 64);
}

/* Lays the frame out in pieces of these sizes, apart from each other. */
static void
lay(const uint32_t *sizes, uint32_t n)
{
	uint32_t done = 0;

	for (uint32_t k = 0; k < n; k++) {
		memcpy(room + done + k, bytes + done, sizes[k]);
		from->segments[k] = (struct frame_segment){ room + done + k, sizes[k] };
		done += sizes[k];
	}
	from->frames[FRAME].n_segments = n;
	assert_int_equal(from->frames[FRAME].len, done);
}

/* One frame takes every segment that a burst has, but that which an edit would have needed. */
static void
test_all_pieces_in_one(void **state)
{
	const struct shape shape = { .payload = 3000, .partial = true };
	uint32_t sizes[OFFLOAD_SEGMENTS_MAX], seed = 4;

	(void)state;
	for (uint32_t k = 0; k < OFFLOAD_SEGMENTS_MAX; k++)
		sizes[k] = 1;
	sizes[0] = 300;
	sizes[1] = frames_len(&shape) - 300 - (OFFLOAD_SEGMENTS_MAX - 2);
	give(&shape, 0, 1, &seed);
	lay(sizes, OFFLOAD_SEGMENTS_MAX);
	assert_int_equal(offload_split(from, FRAME, 0, 0, to), 1);
	assert_int_equal(to->frames[0].n_segments, OFFLOAD_SEGMENTS_MAX + 1);
	check_burst();
	check_frame(0, shape, false);
}

/*
 * A checksum field behind the copied first bytes, at each place about their end, in pieces that are
 * cut before, in and behind it; and in as many pieces as may be.
 */
static void
test_far_checksum(void **state)
{
	uint32_t sizes[OFFLOAD_SEGMENTS_FAR], seed = 6;
	struct shape shape = { .ipv6 = true, .payload = 2000, .partial = true };

	(void)state;
	for (uint32_t options = 160; options < 240; options += 8) {
		uint32_t field = 54 + options + 16;

		shape.ip_options = options;
		for (uint32_t cut = field - 3; cut <= field + 4; cut++) {
			const uint32_t two[] = { cut, 54 + options + 20 + 2000 - cut };

			give(&shape, 0, 1, &seed);
			lay(two, 2);
			assert_int_equal(offload_split(from, FRAME, 0, 0, to), 1);
			check_burst();
			check_frame(0, shape, false);
		}
	}
	for (uint32_t k = 0; k < OFFLOAD_SEGMENTS_FAR; k++)
		sizes[k] = 1;
	sizes[0] = 400;
	sizes[1] = frames_len(&shape) - 400 - (OFFLOAD_SEGMENTS_FAR - 2);
	give(&shape, 0, 1, &seed);
	lay(sizes, OFFLOAD_SEGMENTS_FAR);
	assert_int_equal(offload_split(from, FRAME, 0, 0, to), 1);
	assert_int_equal(to->frames[0].n_segments, OFFLOAD_SEGMENTS_MAX + 1);
	check_burst();
	check_frame(0, shape, false);
}

/*
 * TCP segments that lie in a large piece, `tiny` pieces of one byte, and a small piece: tiny + 3
 * segments each, with the one for the headers. `fit` of them have room.
 */
static void
check_room(uint16_t gso_size, uint32_t n, uint32_t tiny, uint32_t fit)
{
	const struct shape shape = { .payload = gso_size * n, .partial = true };
	uint32_t sizes[BURST_SEGMENTS_MAX], used = 0, seed = 5;

	for (uint32_t k = 0; k < n; k++) {
		sizes[used++] = gso_size - tiny - 20 + (k == 0 ? frames_header_len(&shape) : 0);
		for (uint32_t t = 0; t < tiny; t++)
			sizes[used++] = 1;
		sizes[used++] = 20;
	}
	give(&shape, gso_size, 1, &seed);
	lay(sizes, used);
	assert_int_equal(offload_split(from, FRAME, 0, 0, to), n);
	assert_int_equal(to->n, fit);
	assert_int_equal(check_all(&shape, gso_size, 0), 2);
}

static void
test_room_ends(void **state)
{
	(void)state;
	check_room(1800, 33, 29, 32); /* 32 * 32: behind a frame */
	check_room(1300, 46, 20, 44); /* 44 * 23: within a frame */
}

/* Payload whose sum makes the checksum 0: UDP has another word for that, TCP has not. */
static void
check_zero(bool udp, uint16_t value)
{
	const struct shape shape = { .payload = 400, .partial = true, .udp = udp };
	uint32_t transport = frames_transport(&shape), len = frames_len(&shape), seed = 6;
	const struct virtio_net_hdr header = frames_header(&shape, 0);
	const uint8_t *csum = made + transport + (udp ? 6 : 16);
	uint16_t rest;

	frames_build(&shape, bytes);
	bytes[len - 2] = bytes[len - 1] = 0;
	rest = (uint16_t)~frames_sum(bytes + transport, len - transport, 0);
	bytes[len - 2] = (uint8_t)(rest >> 8);
	bytes[len - 1] = (uint8_t)rest;
	from->offload_mask = 0;
	frames_scatter(from, FRAME, 0, bytes, len, 7, &seed, room);
	assert_true(offload_read(from, FRAME, &header, FRAME_NEEDS_ALL));
	assert_int_equal(offload_split(from, FRAME, 0, 0, to), 1);
	frames_gather(to, 0, made);
	assert_int_equal(csum[0] << 8 | csum[1], value);
}

static void
test_checksum_of_zero(void **state)
{
	(void)state;
	check_zero(true, 0xffff);
	check_zero(false, 0);
}

/* Hostile: any bytes and any header. What is believed has bounds that hold, and can be done. */
static void
check_hostile(uint32_t *seed)
{
	struct shape shape = random_shape(seed);
	uint16_t gso_size = (uint16_t)(8 + frames_random(seed) % 500);
	struct virtio_net_hdr header = frames_header(&shape, gso_size);
	uint32_t len, changes = 1 + frames_random(seed) % 3, done = 0, n, total = 0;

	shape.payload = 1 + frames_random(seed) % 4000;
	len = frames_len(&shape);
	frames_build(&shape, bytes);
	for (; changes > 0; changes--) {
		if (frames_random(seed) % 2)
			bytes[12 + frames_random(seed) % 80] = (uint8_t)frames_random(seed);
		else
			((uint8_t *)&header)[frames_random(seed) % sizeof(header)] =
					(uint8_t)frames_random(seed);
	}
	if (frames_random(seed) % 8 == 0)
		len = 1 + frames_random(seed) % len;
	n = 1 + frames_random(seed) % 30;
	from->offload_mask = 0;
	frames_scatter(from, FRAME, 0, bytes, len, n < len ? n : len, seed, room);
	if (!offload_read(from, FRAME, &header, FRAME_NEEDS_ALL) || from->offload_mask == 0)
		return;
	do {
		n = offload_split(from, FRAME, 0, done, to);
		check_burst();
		done += to->n;
		for (uint32_t i = 0; i < to->n; i++)
			total += frames_gather(to, i, made);
	} while (done < n);
	assert_int_equal(done, n);
	assert_int_equal(total, len + (n - 1) * from->offloads[FRAME].header_len);
}

static void
test_hostile(void **state)
{
	uint32_t seed = 8;

	(void)state;
	for (uint32_t round = 0; round < 20000; round++)
		check_hostile(&seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_receivers_that_take_something),
		cmocka_unit_test(test_random_segments),
		cmocka_unit_test(test_random_checksums),
		cmocka_unit_test(test_most_segments),
		cmocka_unit_test(test_far_checksum),
		cmocka_unit_test(test_all_pieces_in_one),
		cmocka_unit_test(test_room_ends),
		cmocka_unit_test(test_checksum_of_zero),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
