/* SPDX-License-Identifier: BSD-3-Clause */
/* vring_source.c: what is taken from a transmitq, and how it goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring_driver.h"

#define RING 128

static struct driver driver;
static struct vring_sink sink;
static struct vring_source source;
static struct burst *burst;

static int
setup(void **state)
{
	(void)state;
	driver_init(&driver, VRING_TRANSMITQ, RING);
	vring_sink_init(&sink, 0);
	vring_source_init(&source, 0, &sink);
	vring_source_publish(&source, &driver.vring);
	burst = aligned_alloc(64, sizeof(*burst));
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

static uint32_t
take(void)
{
	return source.base.ops->take(&source.base, burst);
}

static void
complete(void)
{
	source.base.ops->complete(&source.base);
}

/* Bytes `from` to `to` of header and frame, somewhere in guest memory. */
static uint64_t
write_piece(uint32_t from, uint32_t to)
{
	uint64_t addr = driver_buffer(&driver, to - from + 100);

	for (uint32_t i = from; i < to; i++)
		driver_host(&driver, addr)[i - from] = i < VNET_HDR_LEN ? 0xff : i - VNET_HDR_LEN;
	return addr;
}

/*
 * A chain at `head` that holds header and frame, cut after `cut` bytes (0: one descriptor) into
 * two pieces that are not neighbours.
 */
static void
offer(uint16_t head, uint32_t frame_len, uint32_t cut)
{
	uint32_t len = VNET_HDR_LEN + frame_len;

	if (cut == 0) {
		driver_set_desc(&driver, head, write_piece(0, len), len, 0, 0);
	} else {
		driver_set_desc(&driver, head, write_piece(0, cut), cut, VRING_DESC_F_NEXT,
				head + 1);
		driver_set_desc(&driver, head + 1, write_piece(cut, len), len - cut, 0, 0);
	}
	driver_offer(&driver, head);
}

static void
check_frame(uint32_t i, uint32_t len)
{
	const struct frame *frame = &burst->frames[i];
	uint32_t at = 0;

	assert_int_equal(frame->len, len);
	for (uint32_t b = 0; b < len && b < FRAME_HEAD_LEN; b++)
		assert_int_equal(frame->head[b], (uint8_t)b);
	for (uint32_t s = 0; s < frame->n_segments; s++)
		for (uint32_t b = 0; b < frame->segments[s].len; b++)
			assert_int_equal(frame->segments[s].data[b], (uint8_t)at++);
	assert_int_equal(at, len);
}

static void
test_nothing(void **state)
{
	(void)state;
	assert_int_equal(take(), 0);
	vring_source_publish(&source, NULL);
	assert_int_equal(take(), 0);
}

static void
test_layouts(void **state)
{
	const uint32_t lengths[] = { 14, 60, 63, 64, 65, 127, 1514 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const uint32_t cuts[] = { 0, 1, 5, 11, 12, 13, 20, 25 };

		driver.next_buffer = GUEST_BUFFERS;
		for (size_t c = 0; c < sizeof(cuts) / sizeof(cuts[0]); c++)
			offer(c * 2, lengths[i], cuts[c]);
		assert_int_equal(take(), 8);
		assert_int_equal(burst->n, 8);
		assert_int_equal(burst->longest, lengths[i]);
		for (uint32_t f = 0; f < burst->n; f++)
			check_frame(f, lengths[i]);
		complete();
	}
}

static void
test_buffer_over_a_region_border(void **state)
{
	(void)state;
	offer(0, 200, 0);
	driver_split_memory(&driver, driver.desc[0].addr + 40);
	assert_int_equal(take(), 1);
	assert_int_equal(burst->frames[0].n_segments, 2);
	check_frame(0, 200);
}

static void
test_legacy_header(void **state)
{
	(void)state;
	driver.vring.header_len = VNET_HDR_LEN_LEGACY;
	offer(0, 100, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(burst->frames[0].len, 102);
	assert_int_equal(burst->frames[0].head[2], 0);
	assert_int_equal(burst->frames[0].head[3], 1);
}

static void
test_order_and_completion(void **state)
{
	struct vring_used_elem elem;

	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		offer((i * 37) % RING, 60, 0);
	assert_int_equal(take(), BURST_MAX);
	assert_false(driver_next_used(&driver, &elem));
	complete();
	assert_int_equal(take(), 100 - BURST_MAX);
	complete();
	assert_int_equal(take(), 0);
	for (uint16_t i = 0; i < 100; i++) {
		assert_true(driver_next_used(&driver, &elem));
		assert_int_equal(elem.id, (i * 37) % RING);
		assert_int_equal(elem.len, 0);
	}
	assert_false(driver_next_used(&driver, &elem));
	assert_int_equal(source.base.counters.frames, 100);
	assert_int_equal(source.base.counters.bytes, 6000);
}

static void
test_bad_chains_go_back(void **state)
{
	struct vring_used_elem elem;

	(void)state;
	offer(0, 60, 0);
	driver_set_desc(&driver, 2, 0x10, 100, 0, 0);
	driver_offer(&driver, 2);
	driver_set_desc(&driver, 3, driver_buffer(&driver, 8), 8, 0, 0); /* below the header */
	driver_offer(&driver, 3);
	offer(4, 60, 0);
	assert_int_equal(take(), 4);
	assert_int_equal(burst->n, 2);
	check_frame(1, 60);
	complete();
	while (driver_next_used(&driver, &elem))
		assert_int_equal(elem.len, 0);
	assert_int_equal(driver.seen_used, 4);
	assert_int_equal(source.base.counters.drops[DROP_BAD_CHAIN], 2);
	assert_int_equal(source.base.counters.copies_due, 2);
	assert_int_equal(source.base.counters.frames, 4);
	assert_int_equal(vring_health_defect(&driver.health), VRING_SOUND);
}

static void
test_header_only_is_an_empty_frame(void **state)
{
	(void)state;
	offer(0, 0, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(burst->n, 1);
	assert_int_equal(burst->frames[0].len, 0);
}

/* A chain of `n` indirect buffers at `head`. */
static void
offer_indirect(uint16_t head, uint16_t n)
{
	uint64_t table = driver_buffer(&driver, 16 * n), addr = driver_buffer(&driver, 16);
	struct vring_desc *entries = (struct vring_desc *)(void *)driver_host(&driver, table);

	for (uint16_t i = 0; i < n; i++)
		entries[i] = (struct vring_desc){ .addr = addr,
			.len = 2,
			.flags = i + 1 < n ? VRING_DESC_F_NEXT : 0,
			.next = i + 1 };
	driver_set_desc(&driver, head, table, 16 * n, VRING_DESC_F_INDIRECT, 0);
	driver_offer(&driver, head);
}

static void
test_segments_end_a_burst(void **state)
{
	(void)state;
	/* Eight chains of 120 fit in the 1,024 segments of a burst, a ninth does not. */
	for (uint16_t c = 0; c < 9; c++)
		offer_indirect(c, 120);
	assert_int_equal(take(), 8);
	complete();
	assert_int_equal(take(), 1);
	assert_int_equal(burst->n, 1);
	assert_int_equal(source.base.counters.drops[DROP_BAD_CHAIN], 0);
}

static void
test_burst_that_is_exactly_full(void **state)
{
	(void)state;
	for (uint16_t c = 0; c < 8; c++)
		offer_indirect(c, BURST_SEGMENTS_MAX / 8);
	offer(8, 60, 0);
	assert_int_equal(take(), 8);
	complete();
	assert_int_equal(take(), 1);
	check_frame(0, 60);
}

/* `n` frames of `len` bytes, all in the same memory, in one or two buffers each, from `head` on. */
static uint16_t
offer_large(uint16_t head, uint32_t n, uint32_t len, bool cut)
{
	const uint32_t first = cut ? VNET_HDR_LEN : 0;

	for (uint32_t i = 0; i < n; i++, head += 1 + cut) {
		if (cut)
			driver_set_desc(&driver, head, GUEST_BUFFERS, first, VRING_DESC_F_NEXT,
					head + 1);
		driver_set_desc(&driver, head + cut, GUEST_BUFFERS + first,
				VNET_HDR_LEN + len - first, 0, 0);
		driver_offer(&driver, head);
	}
	return head;
}

static uint16_t
offer_bad(uint16_t head)
{
	driver_set_desc(&driver, head, GUEST_BUFFERS, 100, VRING_DESC_F_WRITE, 0);
	driver_offer(&driver, head);
	return head + 1;
}

/*
 * What is beyond the limit of a burst is the next one's: frames in order, and each bad chain, before
 * the limit and after it, once.
 */
static void
test_bytes_end_a_burst(void **state)
{
	(void)state;
	for (uint32_t cut = 0; cut < 2; cut++) {
		const struct counters *counters = &source.base.counters;
		uint64_t frames = counters->frames, bytes = counters->bytes;
		uint64_t bad = counters->drops[DROP_BAD_CHAIN];
		struct vring_used_elem elem;
		uint16_t head = offer_bad(0);

		head = offer_large(head, 10, 60000, cut);
		head = offer_bad(head);
		head = offer_large(head, 1, 60000, cut); /* 11 of them are 660,000 bytes */
		head = offer_bad(head);
		head = offer_large(head, 1, 60001, cut);
		offer_large(head, 10, 60000, cut);
		assert_int_equal(take(), 13);
		assert_int_equal(burst->n, 11);
		assert_int_equal(burst->longest, 60000);
		assert_int_equal(counters->drops[DROP_BAD_CHAIN] - bad, 2);
		assert_int_equal(counters->frames - frames, 13);
		assert_int_equal(counters->bytes - bytes, 660000);
		complete();
		for (uint32_t i = 0; i < 13; i++)
			assert_true(driver_next_used(&driver, &elem));
		assert_false(driver_next_used(&driver, &elem));
		assert_int_equal(take(), 12);
		assert_int_equal(burst->n, 11);
		assert_int_equal(burst->longest, 60001);
		assert_int_equal(burst->frames[0].len, 60001);
		assert_int_equal(counters->drops[DROP_BAD_CHAIN] - bad, 3);
		complete();
		while (driver_next_used(&driver, &elem))
			assert_int_equal(elem.len, 0);
		assert_int_equal(take(), 0);
	}
}

/* Loops, of which each costs as many descriptors as a burst has segments: one is a turn. */
static void
test_descriptors_end_a_turn(void **state)
{
	(void)state;
	driver_set_desc(&driver, 0, GUEST_BUFFERS, 1, VRING_DESC_F_NEXT, 1);
	driver_set_desc(&driver, 1, GUEST_BUFFERS, 1, VRING_DESC_F_NEXT, 0);
	for (uint32_t i = 0; i < 3; i++)
		driver_offer(&driver, 0);
	offer(2, 100, 0);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(take(), 1);
		assert_int_equal(burst->n, 0);
		assert_int_equal(source.base.counters.drops[DROP_BAD_CHAIN], i);
		complete();
	}
	assert_int_equal(take(), 1);
	assert_int_equal(burst->n, 1);
	complete();
}

static void
test_avail_jump_breaks_the_ring(void **state)
{
	(void)state;
	driver.avail->idx = RING + 1;
	assert_int_equal(take(), 0);
	assert_int_equal(vring_health_defect(&driver.health), VRING_AVAIL_JUMP);
	assert_int_equal(vring_health_index(&driver.health), VRING_TRANSMITQ);
	driver.avail->idx = 1;
	assert_int_equal(take(), 0);
	vring_break(&driver.vring, VRING_BAD_HEAD); /* the first defect stays */
	assert_int_equal(vring_health_defect(&driver.health), VRING_AVAIL_JUMP);
}

static void
test_bad_head_breaks_the_ring(void **state)
{
	(void)state;
	offer(0, 60, 0);
	driver_offer(&driver, RING);
	assert_int_equal(take(), 1);
	assert_int_equal(vring_health_defect(&driver.health), VRING_BAD_HEAD);
	complete();
	assert_int_equal(take(), 0);
}

static void
test_index_wraps(void **state)
{
	struct vring_used_elem elem;

	(void)state;
	source.cursor = (struct vring_cursor){ .avail = 65530, .used = 65530 };
	driver.avail_idx = 65530;
	driver.seen_used = 65530;
	driver.used->idx = 65530;
	for (uint16_t i = 0; i < 12; i++)
		offer(i, 60, 0);
	assert_int_equal(take(), 12);
	complete();
	for (uint16_t i = 0; i < 12; i++) {
		assert_true(driver_next_used(&driver, &elem));
		assert_int_equal(elem.id, i);
	}
	assert_int_equal(driver.used->idx, 6);
}

static void
test_kicks(void **state)
{
	(void)state;
	assert_true(source.base.ops->arm(&source.base));
	assert_int_equal(driver.used->flags, 0);
	source.base.ops->disarm(&source.base);
	assert_int_equal(driver.used->flags, VRING_USED_F_NO_NOTIFY);
	offer(0, 60, 0);
	assert_false(source.base.ops->arm(&source.base));
}

static uint64_t
calls(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) < 0 ? 0 : n;
}

static void
test_calls(void **state)
{
	(void)state;
	driver.vring.call_fd = eventfd(0, EFD_NONBLOCK);
	source.base.ops->disarm(&source.base); /* greets once */
	assert_int_equal(calls(driver.vring.call_fd), 1);
	source.base.ops->disarm(&source.base);
	assert_int_equal(calls(driver.vring.call_fd), 0);
	offer(0, 60, 0);
	assert_int_equal(take(), 1);
	complete();
	assert_int_equal(calls(driver.vring.call_fd), 1);
	driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	offer(1, 60, 0);
	assert_int_equal(take(), 1);
	complete();
	assert_int_equal(calls(driver.vring.call_fd), 0);
	close(driver.vring.call_fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),
		TEST(test_layouts),
		TEST(test_buffer_over_a_region_border),
		TEST(test_legacy_header),
		TEST(test_order_and_completion),
		TEST(test_bad_chains_go_back),
		TEST(test_header_only_is_an_empty_frame),
		TEST(test_segments_end_a_burst),
		TEST(test_burst_that_is_exactly_full),
		TEST(test_bytes_end_a_burst),
		TEST(test_descriptors_end_a_turn),
		TEST(test_avail_jump_breaks_the_ring),
		TEST(test_bad_head_breaks_the_ring),
		TEST(test_index_wraps),
		TEST(test_kicks),
		TEST(test_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
