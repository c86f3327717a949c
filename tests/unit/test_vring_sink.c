/* SPDX-License-Identifier: BSD-3-Clause */
/* vring_sink.c: where frames land in a receiveq, and what is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rings/chain.h"
#include "base/copy.h"
#include "ring_driver.h"

#define RING 128
#define W VRING_DESC_F_WRITE

static struct driver driver;
static struct vring_sink sink;
static struct burst *burst;
static uint32_t n_segments; /* of the burst's that frames have */
static uint8_t payload[65536];
static uint8_t list[BURST_MAX];

static int
setup(void **state)
{
	(void)state;
	driver_init(&driver, VRING_RECEIVEQ, RING);
	vring_sink_init(&sink, 0);
	vring_sink_publish(&sink, &driver.vring);
	burst = aligned_alloc(64, sizeof(*burst));
	burst->n = 0;
	burst->offload_mask = 0;
	n_segments = 0;
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + i / 256;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(burst);
	driver_free(&driver);
	return 0;
}

/* A frame of payload[0 .. len - 1], its memory in pieces of `piece` bytes. */
static void
add_frame(uint32_t len, uint32_t piece)
{
	struct frame *frame = &burst->frames[burst->n];

	list[burst->n] = burst->n;
	burst->n++;
	frame->len = len;
	frame->segments = &burst->segments[n_segments];
	frame->n_segments = 0;
	memcpy(frame->head, payload, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
	for (uint32_t at = 0; at < len; at += piece) {
		struct frame_segment *segment = &burst->segments[n_segments++];

		segment->data = payload + at;
		segment->len = len - at < piece ? len - at : piece;
		frame->n_segments++;
	}
}

static const void *
place(void)
{
	sink.base.followed = 0; /* a turn of its own */
	return sink.base.ops->place(&sink.base, burst, list, burst->n);
}

/* Receive buffers of `len` bytes, one descriptor each, made available. */
static void
offer_buffers(uint32_t n, uint32_t len)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t head = driver.avail_idx % RING;

		driver_set_desc(&driver, head, driver_buffer(&driver, len), len, W, 0);
		driver_offer(&driver, head);
	}
}

/* Gathers the next frame out of used buffers, as a driver does; returns its length or -1. */
static int
receive(uint8_t *out)
{
	struct vring_used_elem elem;
	uint32_t n_buffers = 1, len = 0, header = driver.vring.header_len;

	for (uint32_t i = 0; i < n_buffers; i++) {
		const struct vring_desc *desc;

		if (!driver_next_used(&driver, &elem))
			return -1;
		for (desc = &driver.desc[elem.id];; desc = &driver.desc[desc->next]) {
			uint32_t n = elem.len < desc->len ? elem.len : desc->len;

			memcpy(out + len, driver_host(&driver, desc->addr), n);
			len += n;
			elem.len -= n;
			if ((desc->flags & VRING_DESC_F_NEXT) == 0 || elem.len == 0)
				break;
		}
		if (i == 0 && header == VNET_HDR_LEN)
			n_buffers = out[VNET_HDR_NUM_BUFFERS] | out[VNET_HDR_NUM_BUFFERS + 1] << 8;
	}
	memmove(out, out + header, len - header);
	return len - header;
}

static void
expect_frame(uint32_t len)
{
	static uint8_t out[70000];

	assert_int_equal(receive(out), len);
	assert_memory_equal(out, payload, len);
}

static uint64_t
drops(enum drop_reason reason)
{
	return sink.base.counters.drops[reason];
}

/* Several calls of one turn have the descriptors of one turn between them. */
static void
test_calls_of_a_turn_share_its_descriptors(void **state)
{
	(void)state;
	offer_buffers(8, 2048);
	add_frame(60, 60);
	assert_non_null(place());
	assert_int_equal(sink.base.followed, 1);
	assert_non_null(sink.base.ops->place(&sink.base, burst, list, 1));
	assert_int_equal(sink.base.followed, 2);
	sink.base.followed = CHAIN_PLACE_MAX;
	assert_null(sink.base.ops->place(&sink.base, burst, list, 1));
	assert_int_equal(sink.base.counters.drops[DROP_RING_FULL], 1);
	assert_non_null(place());
}

/* Half of the most buffers that there were at once is kept for frames meant for the receiver. */
static void
test_spare_is_what_is_above_half(void **state)
{
	(void)state;
	assert_int_equal(sink.base.ops->spare(&sink.base), 0);
	offer_buffers(8, 2048);
	assert_int_equal(sink.base.ops->spare(&sink.base), 4);
	for (int i = 0; i < 3; i++)
		add_frame(60, 60);
	place();
	assert_int_equal(sink.base.ops->spare(&sink.base), 1);
	place();
	assert_int_equal(sink.base.ops->spare(&sink.base), 0);
	offer_buffers(6, 2048);
	assert_int_equal(sink.base.ops->spare(&sink.base), 4);
	vring_sink_publish(&sink, NULL);
	assert_int_equal(sink.base.ops->spare(&sink.base), UINT32_MAX);
}

static void
test_sizes(void **state)
{
	const uint32_t lengths[] = { 14, 15, 17, 31, 33, 60, 63, 64, 65, 66, 80, 127, 128, 129,
		1514 };
	const uint32_t n = sizeof(lengths) / sizeof(lengths[0]);
	uint64_t bytes = 0;

	(void)state;
	offer_buffers(n, 2048);
	for (uint32_t i = 0; i < n; i++) {
		add_frame(lengths[i], 65536);
		bytes += lengths[i];
	}
	assert_ptr_equal(place(), &driver.vring);
	for (uint32_t i = 0; i < n; i++)
		expect_frame(lengths[i]);
	assert_int_equal(sink.base.counters.frames, n);
	assert_int_equal(sink.base.counters.bytes, bytes);
}

static void
test_any_layout_to_any_layout(void **state)
{
	const uint32_t pieces[] = { 1, 7, 64, 100, 1514 };
	const uint32_t cuts[] = { 1, 9, 10, 12, 13, 75, 76, 77, 500 };

	(void)state;
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		for (size_t c = 0; c < sizeof(cuts) / sizeof(cuts[0]); c++) {
			uint64_t addr;

			driver.next_buffer = GUEST_BUFFERS;
			addr = driver_buffer(&driver, 2048);
			driver_set_desc(&driver, 0, addr, cuts[c], W | VRING_DESC_F_NEXT, 1);
			driver_set_desc(&driver, 1, addr + 1000, 1000, W | VRING_DESC_F_NEXT, 2);
			driver_set_desc(&driver, 2, addr + cuts[c], 48, W, 0);
			driver_offer(&driver, 0);
			burst->n = n_segments = 0;
			add_frame(1000, pieces[p]);
			assert_non_null(place());
			expect_frame(1000);
		}
	}
}

static void
test_legacy_header(void **state)
{
	(void)state;
	driver.vring.header_len = VNET_HDR_LEN_LEGACY;
	driver.vring.mergeable = false;
	offer_buffers(2, 600);
	add_frame(200, 65536);
	add_frame(300, 65536);
	assert_non_null(place());
	expect_frame(200);
	expect_frame(300);
}

static void
test_mergeable(void **state)
{
	(void)state;
	offer_buffers(60, 256);
	add_frame(9018, 65536);
	add_frame(60, 65536);
	add_frame(500, 65536);
	assert_non_null(place());
	expect_frame(9018);
	expect_frame(60);
	expect_frame(500);
	assert_int_equal(driver.used->idx, 36 + 1 + 2);
}

static void
test_frame_does_not_fit_what_is_left(void **state)
{
	(void)state;
	offer_buffers(5, 256);
	add_frame(500, 65536);
	add_frame(900, 65536);
	add_frame(60, 65536);
	assert_non_null(place());
	expect_frame(500);
	assert_int_equal(receive(payload), -1);
	assert_int_equal(drops(DROP_RING_FULL), 2);
	offer_buffers(1, 256); /* the buffers that the undone frame had are still there */
	burst->n = n_segments = 0;
	add_frame(900, 65536);
	assert_non_null(place());
	expect_frame(900);
}

static void
test_too_big_for_a_buffer(void **state)
{
	(void)state;
	driver.vring.mergeable = false;
	offer_buffers(2, 512);
	add_frame(500, 65536);
	add_frame(501, 65536);
	add_frame(60, 65536);
	assert_non_null(place());
	expect_frame(500);
	expect_frame(60);
	assert_int_equal(drops(DROP_TOO_BIG), 1);
	assert_int_equal(drops(DROP_RING_FULL), 0);
}

/* The next used element is of length 0, and `reason` has counted n drops. */
static void
expect_returned(enum drop_reason reason, uint64_t n)
{
	struct vring_used_elem elem;

	assert_true(driver_next_used(&driver, &elem));
	assert_int_equal(elem.len, 0);
	assert_int_equal(drops(reason), n);
}

/* A buffer that holds no frame at all goes back; one that is too small for this frame alone stays. */
static void
test_buffer_for_no_frame(void **state)
{
	const uint32_t headers[] = { VNET_HDR_LEN, VNET_HDR_LEN_LEGACY };

	(void)state;
	driver.vring.mergeable = false;
	for (uint32_t i = 0; i < 2; i++) {
		driver.vring.header_len = headers[i];
		offer_buffers(1, headers[i] + 13);
		offer_buffers(1, headers[i] + 14);
		burst->n = n_segments = 0;
		add_frame(15, 65536);
		add_frame(15, 65536);
		add_frame(14, 65536);
		assert_non_null(place());
		expect_returned(DROP_BAD_CHAIN, i + 1);
		expect_frame(14);
		assert_int_equal(drops(DROP_TOO_BIG), i + 1);
	}
	assert_int_equal(drops(DROP_RING_FULL), 0);
}

/* VIRTIO 1.1, 5.1.6.3.1: also with mergeable buffers each holds a header. */
static void
test_mergeable_buffer_below_a_header(void **state)
{
	(void)state;
	offer_buffers(1, 11);
	offer_buffers(7, 12);
	add_frame(60, 65536);
	add_frame(60, 65536);
	assert_non_null(place());
	expect_returned(DROP_BAD_CHAIN, 1);
	expect_frame(60);
	assert_int_equal(driver.used->idx, 1 + 6);
	/* Of the last one of a frame the switch has read only that it is enough. */
	offer_buffers(1, 12);
	offer_buffers(1, 4);
	burst->n = n_segments = 0;
	add_frame(16, 65536);
	assert_non_null(place());
	expect_frame(16);
}

/*
 * A buffer of a hundred descriptors that every frame is too big for, each a little less: all look
 * at it anew, until the turn has read enough. What is left finds no buffer; the next turn does.
 */
static void
test_descriptors_end_a_turn(void **state)
{
	uint64_t addr = driver_buffer(&driver, 100);

	(void)state;
	driver.vring.mergeable = false;
	for (uint16_t i = 0; i < 100; i++)
		driver_set_desc(&driver, i, addr + i, 1, W | (i < 99 ? VRING_DESC_F_NEXT : 0),
				i + 1);
	driver_offer(&driver, 0);
	for (uint32_t i = 0; i < BURST_MAX; i++)
		add_frame(500 - i, 65536);
	assert_null(place());
	assert_int_equal(drops(DROP_TOO_BIG), 41); /* the last of them begins at 4,000 */
	assert_int_equal(drops(DROP_RING_FULL), BURST_MAX - 41);
	burst->n = n_segments = 0;
	add_frame(88, 65536);
	assert_non_null(place());
	expect_frame(88);
}

/* A buffer of 100 bytes in two descriptors. */
static void
offer_pair(uint16_t head)
{
	driver_set_desc(&driver, head, driver_buffer(&driver, 50), 50, W | VRING_DESC_F_NEXT,
			head + 1);
	driver_set_desc(&driver, head + 1, driver_buffer(&driver, 1000), 50, W, 0);
	driver_offer(&driver, head);
}

/*
 * A frame that is no smaller than one that found no room is not tried: seen by a driver that, against
 * the rules, changes its buffer meanwhile. What is new in the ring is tried, if it can help.
 */
static void
test_nothing_is_tried_in_vain(void **state)
{
	(void)state;
	for (uint16_t head = 0; head < 8; head += 4) {
		uint64_t too_big = drops(DROP_TOO_BIG), full = drops(DROP_RING_FULL);
		bool mergeable = head > 0;

		driver.vring.mergeable = mergeable;
		offer_pair(head);
		burst->n = n_segments = 0;
		add_frame(300, 65536);
		assert_null(place());
		driver.desc[head + 1].len = 1000;
		assert_null(place());
		assert_int_equal(drops(DROP_TOO_BIG) - too_big, mergeable ? 0 : 2);
		assert_int_equal(drops(DROP_RING_FULL) - full, mergeable ? 2 : 0);
		offer_pair(head + 2);
		if (!mergeable) {
			assert_null(place()); /* the first buffer is still the next one */
			vring_sink_publish(&sink, &driver.vring); /* a ring that starts is new */
		}
		assert_non_null(place());
		expect_frame(300);
		burst->n = n_segments = 0;
		add_frame(60, 65536);
		assert_non_null(place());
		expect_frame(60);
	}
}

/* What is known of a chain ends with it: 65,536 chains later another one has its number. */
static void
test_what_is_known_ends(void **state)
{
	(void)state;
	driver.vring.mergeable = false;
	offer_pair(0);
	add_frame(300, 65536);
	assert_null(place());
	burst->n = n_segments = 0;
	add_frame(60, 65536);
	assert_non_null(place());
	driver_set_desc(&driver, 4, driver_buffer(&driver, 200), 200, W, 0);
	for (uint32_t i = 1; i < 65536; i++) {
		driver_offer(&driver, 4);
		assert_non_null(place());
	}
	driver.desc[1].len = 1000;
	driver_offer(&driver, 0);
	burst->n = n_segments = 0;
	add_frame(300, 65536);
	assert_non_null(place());
}

/* Mergeable buffers of one descriptor each, and small: what a turn reads is delivered. */
static void
test_small_buffers_end_a_turn(void **state)
{
	(void)state;
	driver_free(&driver);
	driver_init(&driver, VRING_RECEIVEQ, 8192);
	for (uint16_t i = 0; i < 8192; i++) {
		driver_set_desc(&driver, i, GUEST_BUFFERS + 256 + 12 * i, 12, W, 0);
		driver_offer(&driver, i);
	}
	for (uint32_t i = 0; i < BURST_MAX; i++)
		add_frame(1188, 65536); /* a hundred buffers */
	assert_non_null(place());
	assert_int_equal(sink.base.counters.frames, 40);
	assert_int_equal(drops(DROP_RING_FULL), BURST_MAX - 40);
	assert_int_equal(driver.used->idx, 4000);
	/* The next turn finds the room for which the last one had no time. */
	burst->n = n_segments = 0;
	add_frame(1188, 65536);
	assert_non_null(place());
	assert_int_equal(driver.used->idx, 4100);
}

/*
 * Nothing is written but header, frame and used elements, and the used lengths say how much it was;
 * whatever was in the switch's own memory before.
 */
static void
test_canaries(void **state)
{
	const uint32_t lengths[] = { 14, 15, 31, 60, 63, 64, 65, 127, 128, 129, 1000, 1514 };
	const uint32_t layouts[][2] = { { 2048, 0 }, { 12, 2048 }, { 10, 2048 }, { 20, 1600 } };

	(void)state;
	for (uint32_t n = 0; n < sizeof(lengths) / sizeof(lengths[0]) * 8; n++) {
		const uint32_t *layout = layouts[n / 2 % 4], len = lengths[n / 8];
		uint64_t first = GUEST_BUFFERS + 64, second = first + layout[0] + 64;
		struct vring_used_elem elem;
		uint32_t written, here;

		driver.vring.header_len = n % 2 ? VNET_HDR_LEN_LEGACY : VNET_HDR_LEN;
		memset(driver_host(&driver, GUEST_BUFFERS), 0xca, 8192);
		driver_set_desc(&driver, 0, first, layout[0], W | (layout[1] > 0), 1);
		driver_set_desc(&driver, 1, second, layout[1], W, 0);
		driver_offer(&driver, 0);
		burst->n = n_segments = 0;
		add_frame(len, 65536);
		memset(burst->frames[0].head + (len < 64 ? len : 64), 0xee,
				len < 64 ? 64 - len : 0);
		assert_non_null(place());
		assert_true(driver_next_used(&driver, &elem));
		written = driver.vring.header_len + len;
		assert_int_equal(elem.len, written);
		here = written < layout[0] ? written : layout[0];
		for (uint32_t at = 0; at < 8192; at++) {
			uint32_t in_first = at - 64, in_second = at - 64 - layout[0] - 64;

			if (in_first < here || in_second < written - here)
				continue;
			assert_int_equal(driver_host(&driver, GUEST_BUFFERS)[at], 0xca);
		}
	}
}

static void
test_buffer_over_a_region_border(void **state)
{
	(void)state;
	offer_buffers(1, 2048);
	driver_split_memory(&driver, driver.desc[0].addr + 500);
	memset(driver_host(&driver, driver.desc[0].addr), 0xee, 2048);
	driver.vring.mem.regions[1].host -= 8192; /* the second region is elsewhere here */
	add_frame(1000, 65536);
	assert_non_null(place());
	assert_int_equal(driver_host(&driver, driver.desc[0].addr + 499)[0], payload[499 - 12]);
	assert_int_equal(driver_host(&driver, driver.desc[0].addr + 500)[0], 0xee);
	assert_memory_equal(driver_host(&driver, driver.desc[0].addr + 500) - 8192,
			payload + 500 - 12, 512);
}

static void
test_no_ring_no_buffers(void **state)
{
	(void)state;
	add_frame(60, 65536);
	assert_null(place());
	assert_int_equal(drops(DROP_RING_FULL), 1);
	vring_sink_publish(&sink, NULL);
	assert_null(place());
	assert_int_equal(drops(DROP_NOT_READY), 1);
	vring_sink_publish(&sink, &driver.vring);
	driver.health.word = VRING_MEMORY_GONE;
	assert_null(place());
	assert_int_equal(drops(DROP_NOT_READY), 2);
}

static void
test_bad_buffer_costs_its_frame(void **state)
{
	struct vring_used_elem elem;

	(void)state;
	offer_buffers(1, 256);
	driver_set_desc(&driver, 1, 0x10, 256, W, 0); /* no memory */
	driver_offer(&driver, 1);
	driver_set_desc(&driver, 2, driver_buffer(&driver, 256), 256, 0, 0); /* not writable */
	driver_offer(&driver, 2);
	offer_buffers(1, 256);
	for (int i = 0; i < 4; i++)
		add_frame(60, 65536);
	assert_non_null(place());
	expect_frame(60);
	for (uint32_t id = 1; id <= 2; id++) {
		assert_true(driver_next_used(&driver, &elem));
		assert_int_equal(elem.id, id);
		assert_int_equal(elem.len, 0);
	}
	expect_frame(60);
	assert_int_equal(drops(DROP_BAD_CHAIN), 2);
	assert_int_equal(sink.base.counters.frames, 2);
}

static void
test_bad_buffer_inside_a_frame(void **state)
{
	struct vring_used_elem elem;

	(void)state;
	offer_buffers(2, 256);
	driver_set_desc(&driver, 2, 0x10, 256, W, 0);
	driver_offer(&driver, 2);
	offer_buffers(4, 256);
	add_frame(900, 65536);
	add_frame(900, 65536);
	assert_non_null(place());
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(driver_next_used(&driver, &elem));
		assert_int_equal(elem.len, 0);
	}
	expect_frame(900);
	assert_int_equal(drops(DROP_BAD_CHAIN), 1);
}

static void
test_bad_head(void **state)
{
	(void)state;
	offer_buffers(1, 256);
	driver_offer(&driver, RING + 1);
	driver.desc[RING + 1] = driver.desc[0]; /* beyond the table, and as good as one in it */
	add_frame(60, 65536);
	add_frame(60, 65536);
	assert_non_null(place());
	expect_frame(60);
	assert_int_equal(vring_health_defect(&driver.health), VRING_BAD_HEAD);
	assert_int_equal(drops(DROP_RING_FULL), 1);
}

static void
test_no_buffer_is_used_twice(void **state)
{
	(void)state;
	offer_buffers(1, 256);
	add_frame(60, 65536);
	add_frame(60, 65536); /* the next place of the avail ring names the same chain */
	assert_non_null(place());
	assert_int_equal(driver.used->idx, 1);
	assert_int_equal(drops(DROP_RING_FULL), 1);
}

static void
test_buffer_longer_than_its_memory(void **state)
{
	(void)state;
	driver_set_desc(&driver, 0, driver_buffer(&driver, 256), UINT32_MAX, W, 0);
	driver_offer(&driver, 0);
	add_frame(60, 65536);
	assert_non_null(place());
	assert_int_equal(drops(DROP_BAD_CHAIN), 1);
}

static void
test_avail_jump(void **state)
{
	(void)state;
	driver.avail->idx = RING + 1;
	add_frame(60, 65536);
	assert_null(place());
	assert_int_equal(vring_health_defect(&driver.health), VRING_AVAIL_JUMP);
}

static void
test_more_segments_than_a_round_has(void **state)
{
	const uint32_t n = 120;

	(void)state;
	driver_free(&driver);
	driver_init(&driver, VRING_RECEIVEQ, 4096);
	driver.next_buffer = GUEST_BUFFERS;
	for (uint32_t i = 0; i < n * 17; i++) {
		driver_set_desc(&driver, i, driver_buffer(&driver, 60), 60, W, 0);
		driver_offer(&driver, i);
	}
	for (uint32_t i = 0; i < BURST_MAX; i++)
		add_frame(1000, 65536); /* 17 buffers each; 60 frames fill a round */
	assert_non_null(place());
	for (uint32_t i = 0; i < BURST_MAX; i++)
		expect_frame(1000);
}

static void
test_round_that_is_exactly_full(void **state)
{
	(void)state;
	driver_free(&driver);
	driver_init(&driver, VRING_RECEIVEQ, 2048);
	for (uint32_t i = 0; i < BURST_SEGMENTS_MAX + 1; i++) {
		uint32_t len = i < BURST_SEGMENTS_MAX ? 16 : 2048;

		driver_set_desc(&driver, i, driver_buffer(&driver, len), len, W, 0);
		driver_offer(&driver, i);
	}
	for (uint32_t i = 0; i < BURST_SEGMENTS_MAX / 64; i++)
		add_frame(64 * 16 - VNET_HDR_LEN, 65536);
	add_frame(1000, 65536);
	assert_non_null(place());
	for (uint32_t i = 0; i < BURST_SEGMENTS_MAX / 64; i++)
		expect_frame(64 * 16 - VNET_HDR_LEN);
	expect_frame(1000);
}

static void
test_frame_of_too_many_segments(void **state)
{
	(void)state;
	driver_free(&driver);
	driver_init(&driver, VRING_RECEIVEQ, 4096);
	for (uint32_t i = 0; i < 4096; i++) {
		driver_set_desc(&driver, i, driver_buffer(&driver, 16), 16, W, 0);
		driver_offer(&driver, i);
	}
	add_frame(60, 65536);
	add_frame(16 * BURST_SEGMENTS_MAX, 65536);
	add_frame(60, 65536);
	assert_non_null(place());
	expect_frame(60);
	expect_frame(60);
	assert_int_equal(drops(DROP_TOO_BIG), 1);
}

static void
check_copy(uint32_t offset, uint32_t len)
{
	static uint8_t out[12288] __attribute__((aligned(64)));
	uint8_t *dst = out + offset;

	memset(dst - 1, 0xee, len + 2);
	copy_payload(dst, payload + 5, len);
	assert_memory_equal(dst, payload + 5, len);
	assert_int_equal(dst[-1], 0xee);
	assert_int_equal(dst[len], 0xee);
}

/* Every width that this CPU has, every alignment, every length around a few vectors. */
static void
test_copies(void **state)
{
	(void)state;
	for (int width = COPY_SSE2; width <= COPY_AVX512; width++) {
		if (!copy_select((enum copy_width)width))
			continue;
		for (uint32_t offset = 1; offset <= 64; offset++) {
			for (uint32_t len = 0; len < 330; len++)
				check_copy(offset, len);
			check_copy(offset, 1450);
			check_copy(offset, 8950);
		}
	}
	copy_init();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_calls_of_a_turn_share_its_descriptors),
		TEST(test_spare_is_what_is_above_half),
		TEST(test_sizes),
		TEST(test_any_layout_to_any_layout),
		TEST(test_legacy_header),
		TEST(test_mergeable),
		TEST(test_frame_does_not_fit_what_is_left),
		TEST(test_too_big_for_a_buffer),
		TEST(test_buffer_for_no_frame),
		TEST(test_mergeable_buffer_below_a_header),
		TEST(test_descriptors_end_a_turn),
		TEST(test_nothing_is_tried_in_vain),
		TEST(test_what_is_known_ends),
		TEST(test_small_buffers_end_a_turn),
		TEST(test_canaries),
		TEST(test_buffer_over_a_region_border),
		TEST(test_no_ring_no_buffers),
		TEST(test_bad_buffer_costs_its_frame),
		TEST(test_bad_buffer_inside_a_frame),
		TEST(test_bad_head),
		TEST(test_no_buffer_is_used_twice),
		TEST(test_buffer_longer_than_its_memory),
		TEST(test_avail_jump),
		TEST(test_more_segments_than_a_round_has),
		TEST(test_round_that_is_exactly_full),
		TEST(test_frame_of_too_many_segments),
		TEST(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
