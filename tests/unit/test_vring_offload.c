/* SPDX-License-Identifier: BSD-3-Clause */
/* vring_source.c and vring_sink.c: virtio-net headers that ask for something (VIRTIO 1.1, 5.1.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <cmocka.h>

#include "ring_driver.h"

#define RING 128
#define HEADERS 54 /* Ethernet, IPv4, TCP */
#define TCP_AT 34

static struct driver sender, receiver;
static struct vring_source source;
static struct vring_sink sink;
static struct burst *burst;

static int
setup(void **state)
{
	(void)state;
	driver_init(&sender, VRING_TRANSMITQ, RING);
	driver_init(&receiver, VRING_RECEIVEQ, RING);
	sender.vring.needs = receiver.vring.needs = FRAME_NEEDS_ALL;
	vring_sink_init(&sink, 0);
	vring_source_init(&source, 0, &sink);
	vring_source_publish(&source, &sender.vring);
	vring_sink_publish(&sink, &receiver.vring);
	burst = aligned_alloc(64, sizeof(*burst));
	memset(burst, 0xff, sizeof(*burst));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(burst);
	driver_free(&sender);
	driver_free(&receiver);
	return 0;
}

static const struct virtio_net_hdr nothing;

static struct virtio_net_hdr
checksum_header(void)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = TCP_AT, .csum_offset = 16
	};
}

static struct virtio_net_hdr
segments_header(uint16_t gso_size)
{
	struct virtio_net_hdr header = checksum_header();

	header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	header.gso_size = gso_size;
	header.hdr_len = HEADERS;
	return header;
}

static uint8_t
byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static void
build_frame(uint8_t *frame, uint32_t len)
{
	uint16_t ip_len = (uint16_t)(len - 14);

	for (uint32_t i = 0; i < len; i++)
		frame[i] = byte_at(i);
	frame[12] = 0x08;
	frame[13] = 0;
	frame[14] = 0x45;
	frame[16] = ip_len >> 8;
	frame[17] = (uint8_t)ip_len;
	frame[20] = frame[21] = 0;
	frame[23] = 6;
	frame[TCP_AT + 12] = 0x50;
}

/* Header and frame in pieces of `piece` bytes (0: one). */
static void
offer(uint16_t head, const struct virtio_net_hdr *header, uint32_t frame_len, uint32_t piece)
{
	static uint8_t bytes[VNET_HDR_LEN + 65549];
	uint32_t len = VNET_HDR_LEN + frame_len;
	uint16_t i = head;

	memset(bytes, 0, VNET_HDR_LEN);
	memcpy(bytes, header, sizeof(*header));
	build_frame(bytes + VNET_HDR_LEN, frame_len);
	for (uint32_t at = 0; at < len; at += piece, i++) {
		uint64_t addr;

		piece = piece == 0 ? len : len - at < piece ? len - at : piece;
		addr = driver_buffer(&sender, piece + 64);
		memcpy(driver_host(&sender, addr), bytes + at, piece);
		driver_set_desc(&sender, i, addr, piece, at + piece < len ? VRING_DESC_F_NEXT : 0,
				(uint16_t)(i + 1));
	}
	driver_offer(&sender, head);
}

static uint32_t
take(void)
{
	return source.base.ops->take(&source.base, burst);
}

static void
test_header_in_any_layout(void **state)
{
	const uint32_t pieces[] = { 0, 5, 12, 13, 100, 700 };
	struct virtio_net_hdr header = segments_header(500);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		/* Descriptors run out with the smallest pieces only when the frame is long. */
		uint32_t len = pieces[i] == 5 || pieces[i] == 12 || pieces[i] == 13 ? 555 : 3000;

		sender.next_buffer = GUEST_BUFFERS;
		offer(0, &header, len, pieces[i]);
		assert_int_equal(take(), 1);
		assert_int_equal(burst->n, 1);
		assert_int_equal(burst->offload_mask, 1);
		assert_int_equal(burst->offloads[0].needs, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4);
		assert_int_equal(burst->offloads[0].gso_size, 500);
		assert_int_equal(burst->offloads[0].header_len, HEADERS);
		assert_int_equal(burst->longest, HEADERS + 500);
		source.base.ops->complete(&source.base);
	}
}

static void
test_plain_frames_carry_nothing(void **state)
{
	(void)state;
	offer(0, &nothing, 100, 0);
	offer(1, &nothing, 100, 60);
	assert_int_equal(take(), 2);
	assert_int_equal(burst->offload_mask, 0);
	assert_int_equal(burst->longest, 100);
	assert_null(burst->mbufs);
}

/* Whoever has negotiated nothing is not asked: the header's bytes mean nothing. */
static void
test_header_of_who_negotiated_nothing(void **state)
{
	struct virtio_net_hdr header = segments_header(0);

	(void)state;
	sender.vring.needs = 0;
	offer(0, &header, 100, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(burst->n, 1);
	assert_int_equal(burst->offload_mask, 0);
}

/* A header that lies costs its frame, and the others keep their order and their headers. */
static void
test_lies_among_good_ones(void **state)
{
	struct virtio_net_hdr good = checksum_header(), bad = segments_header(0);
	struct virtio_net_hdr unsummed = segments_header(500);

	(void)state;
	unsummed.flags = 0;
	offer(0, &bad, 100, 0);
	offer(1, &good, 101, 0);
	offer(2, &unsummed, 1000, 0);
	offer(3, &nothing, 103, 0);
	offer(4, &good, 104, 0);
	assert_int_equal(take(), 5);
	assert_int_equal(burst->n, 3);
	assert_int_equal(burst->offload_mask, 1 | 1 << 2);
	assert_int_equal(burst->frames[0].len, 101);
	assert_int_equal(burst->frames[1].len, 103);
	assert_int_equal(burst->frames[2].len, 104);
	assert_int_equal(burst->headers[2][17], 104 - 14);
	assert_int_equal(source.base.counters.drops[DROP_BAD_OFFLOAD], 2);
	assert_int_equal(source.base.counters.frames, 5);
	assert_int_equal(source.base.counters.copies_due, 2);
	assert_int_equal(source.base.counters.bytes, 101 + 103 + 104);
}

/*
 * Frames of 23 segments: nine are the last that a burst takes. What is beyond it is read in the next
 * turn, and counted then: a lie, a bad chain.
 */
static void
test_segments_end_a_burst(void **state)
{
	struct virtio_net_hdr header = segments_header(131), lie = segments_header(0);
	const uint64_t *drops = source.base.counters.drops;

	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		offer(i, i == 3 || i == 10 || i == 13 ? &lie : &header, HEADERS + 3000, 0);
	sender.desc[5].flags = sender.desc[11].flags = sender.desc[14].flags = VRING_DESC_F_WRITE;
	assert_int_equal(take(), 13);
	assert_int_equal(burst->n, 9);
	assert_int_equal(burst->offload_mask, 0x1ff);
	assert_int_equal(drops[DROP_BAD_OFFLOAD], 2);
	assert_int_equal(drops[DROP_BAD_CHAIN], 2);
	assert_int_equal(source.base.counters.frames, 13);
	assert_int_equal(source.base.counters.bytes, 9 * (HEADERS + 3000));
	source.base.ops->complete(&source.base);
	assert_int_equal(sender.used->idx, 13);
	assert_int_equal(take(), 7);
	assert_int_equal(burst->n, 5);
	assert_int_equal(drops[DROP_BAD_OFFLOAD], 3);
	assert_int_equal(drops[DROP_BAD_CHAIN], 3);
	source.base.ops->complete(&source.base);
	assert_int_equal(sender.used->idx, 20);
}

/* One frame may be more than that alone. */
static void
test_frame_of_most_segments(void **state)
{
	struct virtio_net_hdr header = segments_header(1);

	(void)state;
	offer(0, &header, HEADERS + 320, 0);
	offer(1, &header, HEADERS + 320, 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(take(), 1);
		assert_int_equal(burst->n, 1);
		source.base.ops->complete(&source.base);
	}
}

static void
test_more_than_was_negotiated(void **state)
{
	struct virtio_net_hdr header = segments_header(500);

	(void)state;
	sender.vring.needs = FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO6;
	offer(0, &header, 2000, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(burst->n, 0);
	assert_int_equal(source.base.counters.drops[DROP_BAD_OFFLOAD], 1);
}

static void
offer_buffers(uint32_t n, uint32_t len)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t head = receiver.avail_idx % RING;

		driver_set_desc(&receiver, head, driver_buffer(&receiver, len), len,
				VRING_DESC_F_WRITE, 0);
		driver_offer(&receiver, head);
	}
}

/* Header and frame out of the next used buffers; returns their bytes. */
static uint32_t
receive(uint8_t *out)
{
	struct vring_used_elem elem;
	uint32_t len = 0, n = 1;

	for (uint32_t i = 0; i < n; i++) {
		assert_true(driver_next_used(&receiver, &elem));
		memcpy(out + len, driver_host(&receiver, receiver.desc[elem.id].addr), elem.len);
		len += elem.len;
		if (i == 0 && receiver.vring.header_len == VNET_HDR_LEN)
			n = out[VNET_HDR_NUM_BUFFERS] | out[VNET_HDR_NUM_BUFFERS + 1] << 8;
	}
	return len;
}

static void
expect(const struct virtio_net_hdr *header, uint32_t frame_len)
{
	static uint8_t out[70000], frame[70000];
	uint32_t header_len = receiver.vring.header_len;

	build_frame(frame, frame_len);
	assert_int_equal(receive(out), header_len + frame_len);
	assert_memory_equal(out + header_len, frame, frame_len);
	if (header == NULL)
		header = &nothing;
	assert_int_equal(out[0], header->flags);
	assert_int_equal(out[1], header->gso_type);
	assert_memory_equal(out + 4, &header->gso_size, 6);
}

static void
place_all(void)
{
	uint8_t list[BURST_MAX];

	for (uint32_t i = 0; i < burst->n; i++)
		list[i] = (uint8_t)i;
	sink.base.followed = 0; /* a turn of its own */
	assert_non_null(sink.base.ops->place(&sink.base, burst, list, burst->n));
	source.base.ops->complete(&source.base);
}

static void
test_header_reaches_the_receiver(void **state)
{
	const uint32_t header_lens[] = { VNET_HDR_LEN, VNET_HDR_LEN_LEGACY };
	struct virtio_net_hdr sum = checksum_header(), cut = segments_header(1000);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		receiver.vring.header_len = header_lens[i];
		offer(0, &nothing, 60, 0);
		offer(1, &sum, 100, 0);
		offer(2, &cut, 3000, 0);
		offer(3, &nothing, 1514, 0);
		offer_buffers(4, 4096);
		assert_int_equal(take(), 4);
		place_all();
		expect(NULL, 60);
		expect(&sum, 100);
		expect(&cut, 3000);
		expect(NULL, 1514);
	}
}

/* 64 KiB in the mergeable buffers that a Linux guest makes available. */
static void
test_largest_frame_over_many_buffers(void **state)
{
	struct virtio_net_hdr header = segments_header(1448);

	(void)state;
	offer(0, &header, 65549, 4096);
	offer_buffers(50, 1536);
	assert_int_equal(take(), 1);
	place_all();
	expect(&header, 65549);
	assert_int_equal(sink.base.counters.frames, 1);
	/* One buffer is one again. */
	header = checksum_header();
	offer(60, &header, 100, 0);
	assert_int_equal(take(), 1);
	place_all();
	expect(&header, 100);
}

/* What is switched is what is sent: headers come from the copy that was checked. */
static void
test_headers_cannot_change_after_the_check(void **state)
{
	struct virtio_net_hdr header = segments_header(1000);

	(void)state;
	offer(0, &header, 3000, 0);
	offer_buffers(1, 4096);
	assert_int_equal(take(), 1);
	memset(driver_host(&sender, sender.desc[0].addr), 0xff, VNET_HDR_LEN + HEADERS);
	place_all();
	expect(&header, 3000);
}

static void
test_what_a_sink_takes(void **state)
{
	(void)state;
	assert_int_equal(sink.base.takes, FRAME_NEEDS_ALL);
	vring_sink_set_offload(&sink, false);
	assert_int_equal(sink.base.takes, 0);
	vring_sink_set_offload(&sink, true);
	receiver.vring.needs = FRAME_NEEDS_CSUM;
	vring_sink_publish(&sink, &receiver.vring);
	assert_int_equal(sink.base.takes, FRAME_NEEDS_CSUM);
	vring_sink_publish(&sink, NULL);
	assert_int_equal(sink.base.takes, FRAME_NEEDS_ALL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_header_in_any_layout),
		TEST(test_plain_frames_carry_nothing),
		TEST(test_header_of_who_negotiated_nothing),
		TEST(test_lies_among_good_ones),
		TEST(test_segments_end_a_burst),
		TEST(test_frame_of_most_segments),
		TEST(test_more_than_was_negotiated),
		TEST(test_header_reaches_the_receiver),
		TEST(test_largest_frame_over_many_buffers),
		TEST(test_headers_cannot_change_after_the_check),
		TEST(test_what_a_sink_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
