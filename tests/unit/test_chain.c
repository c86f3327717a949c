/* SPDX-License-Identifier: BSD-3-Clause */
/* chain.c: which chains become which segments, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rings/chain.h"
#include "ring_driver.h"

#define RING 64
#define N VRING_DESC_F_NEXT
#define W VRING_DESC_F_WRITE
#define I VRING_DESC_F_INDIRECT

static struct driver driver;
static struct frame_segment segments[BURST_SEGMENTS_MAX];
static uint64_t bytes;
static uint32_t followed;

static int
setup(void **state)
{
	(void)state;
	driver_init(&driver, 1, RING);
	bytes = 0;
	followed = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver_free(&driver);
	return 0;
}

static int
walk(uint32_t head, enum chain_access access)
{
	return chain_walk(&driver.vring, head, access, UINT64_MAX, segments, BURST_SEGMENTS_MAX,
			&bytes, &followed);
}

static void
test_single(void **state)
{
	uint64_t addr = driver_buffer(&driver, 100);

	(void)state;
	driver_set_desc(&driver, 5, addr, 100, 0, 0);
	assert_int_equal(walk(5, CHAIN_READ), 1);
	assert_int_equal(bytes, 100);
	assert_ptr_equal(segments[0].data, driver_host(&driver, addr));
	assert_int_equal(segments[0].len, 100);
}

static void
test_linked(void **state)
{
	uint64_t a = driver_buffer(&driver, 12), b = driver_buffer(&driver, 1000);

	(void)state;
	driver_set_desc(&driver, 0, a, 12, N | W, 63);
	driver_set_desc(&driver, 63, b, 1000, W, 0);
	assert_int_equal(walk(0, CHAIN_WRITE), 2);
	assert_int_equal(bytes, 1012);
	assert_ptr_equal(segments[1].data, driver_host(&driver, b));
}

/* First, in the middle, last and alone; for reading and writing; direct and indirect. */
static void
test_empty_buffers_are_bad(void **state)
{
	uint64_t a = driver_buffer(&driver, 8), table = driver_buffer(&driver, 3 * 16);

	(void)state;
	driver_set_desc(&driver, 3, table, 3 * 16, I, 0);
	for (uint16_t flag = 0; flag <= W; flag += W) {
		enum chain_access access = flag == W ? CHAIN_WRITE : CHAIN_READ;

		for (uint16_t empty = 0; empty < 3; empty++) {
			for (uint16_t i = 0; i < 3; i++)
				driver_set_desc(&driver, i, a, i == empty ? 0 : 8,
						flag | (i < 2 ? N : 0), i + 1);
			memcpy(driver_host(&driver, table), driver.desc, 3 * 16);
			assert_int_equal(walk(0, access), CHAIN_BAD);
			assert_int_equal(walk(3, access), CHAIN_BAD);
		}
		driver_set_desc(&driver, 0, a, 0, flag, 0);
		assert_int_equal(walk(0, access), CHAIN_BAD);
	}
	/* What a frame does not need is not looked at. */
	driver_set_desc(&driver, 0, a, 8, N | W, 1);
	driver_set_desc(&driver, 1, a, 0, W, 0);
	assert_int_equal(chain_walk(&driver.vring, 0, CHAIN_WRITE, 8, segments, BURST_SEGMENTS_MAX,
					 &bytes, &followed),
			1);
}

/* What a walk costs is known, however it ends. */
static void
test_descriptors_are_counted(void **state)
{
	uint64_t a = driver_buffer(&driver, 8), table = driver_buffer(&driver, 2 * 16);

	(void)state;
	for (uint16_t i = 0; i < 5; i++)
		driver_set_desc(&driver, i, a, 8, i < 4 ? N : 0, i + 1);
	assert_int_equal(walk(0, CHAIN_READ), 5);
	assert_int_equal(followed, 5);
	driver_set_desc(&driver, 3, a, 0, N, 4);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	assert_int_equal(followed, 5 + 4);
	memcpy(driver_host(&driver, table), driver.desc, 16);
	driver_set_desc(&driver, 1, table, 16, I, 0);
	memset(driver_host(&driver, table) + 12, 0, 2); /* no NEXT */
	assert_int_equal(walk(0, CHAIN_READ), 2);
	assert_int_equal(followed, 9 + 3);
	driver_set_desc(&driver, 0, a, 8, N, 0);
	followed = 0;
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	assert_int_equal(followed, BURST_SEGMENTS_MAX + 1);
}

static void
test_stops_when_covered(void **state)
{
	uint64_t a = driver_buffer(&driver, 200);

	(void)state;
	driver_set_desc(&driver, 0, a, 100, N | W, 1);
	driver_set_desc(&driver, 1, 0xdead0000, 100, W, 0);
	assert_int_equal(chain_walk(&driver.vring, 0, CHAIN_WRITE, 100, segments,
					 BURST_SEGMENTS_MAX, &bytes, &followed),
			1);
	memcpy(driver_host(&driver, a), driver.desc, 2 * sizeof(struct vring_desc));
	driver_set_desc(&driver, 2, a, 2 * sizeof(struct vring_desc), I, 0);
	assert_int_equal(chain_walk(&driver.vring, 2, CHAIN_WRITE, 100, segments,
					 BURST_SEGMENTS_MAX, &bytes, &followed),
			1);
}

static void
test_region_border(void **state)
{
	uint64_t a = driver_buffer(&driver, 100);

	(void)state;
	driver_split_memory(&driver, a + 30);
	driver_set_desc(&driver, 0, a, 100, 0, 0);
	assert_int_equal(walk(0, CHAIN_READ), 2);
	assert_int_equal(segments[0].len, 30);
	assert_int_equal(segments[1].len, 70);
	assert_int_equal(bytes, 100);
}

static void
test_outside_memory(void **state)
{
	const uint64_t bad[] = { 0, GUEST_BASE - 1, GUEST_BASE + GUEST_SIZE,
		GUEST_BASE + GUEST_SIZE - 50, UINT64_MAX, UINT64_MAX - 99 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		driver_set_desc(&driver, 0, bad[i], 100, 0, 0);
		assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	}
	driver_set_desc(&driver, 0, GUEST_BASE, UINT32_MAX, 0, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
}

static void
test_wrong_direction(void **state)
{
	uint64_t a = driver_buffer(&driver, 100);

	(void)state;
	driver_set_desc(&driver, 0, a, 50, N, 1);
	driver_set_desc(&driver, 1, a, 50, W, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	assert_int_equal(walk(0, CHAIN_WRITE), CHAIN_BAD);
	assert_int_equal(walk(1, CHAIN_WRITE), 1);
}

static void
test_loops_and_wild_next(void **state)
{
	uint64_t a = driver_buffer(&driver, 100);

	(void)state;
	driver_set_desc(&driver, 0, a, 10, N, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, a, 0, N, 1);
	driver_set_desc(&driver, 1, a, 0, N, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, a, 10, N, RING);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, a, 10, N, UINT16_MAX);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
}

/* An indirect table of `n` entries at `table`, all of 10 bytes at `a`, linked in order. */
static struct vring_desc *
fill_table(uint64_t table, uint32_t n, uint64_t a)
{
	struct vring_desc *entries = (struct vring_desc *)(void *)driver_host(&driver, table);

	for (uint32_t i = 0; i < n; i++)
		entries[i] = (struct vring_desc){
			.addr = a, .len = 10, .flags = i + 1 < n ? N : 0, .next = i + 1
		};
	return entries;
}

static void
test_indirect(void **state)
{
	uint64_t a = driver_buffer(&driver, 16), table = driver_buffer(&driver, 16 * RING);

	(void)state;
	fill_table(table, RING, a);
	driver_set_desc(&driver, 3, table, 16 * RING, I, 0);
	assert_int_equal(walk(3, CHAIN_READ), RING);
	assert_int_equal(bytes, 10 * RING);
	driver_split_memory(&driver, table + 32);
	assert_int_equal(walk(3, CHAIN_READ), RING);
	driver_split_memory(&driver, table + 40);
	assert_int_equal(walk(3, CHAIN_READ), CHAIN_BAD);
}

static void
test_indirect_after_direct(void **state)
{
	uint64_t a = driver_buffer(&driver, 16), table = driver_buffer(&driver, 16 * 4);

	(void)state;
	fill_table(table, 4, a);
	driver_set_desc(&driver, 0, a, 12, N, 1);
	driver_set_desc(&driver, 1, table, 16 * 4, I, 0);
	assert_int_equal(walk(0, CHAIN_READ), 5);
	assert_int_equal(bytes, 52);
}

static void
test_bad_indirect(void **state)
{
	uint64_t a = driver_buffer(&driver, 16), table = driver_buffer(&driver, 16 * (RING + 1));
	struct vring_desc *entries = fill_table(table, 4, a);

	(void)state;
	driver_set_desc(&driver, 0, table, 16 * 4, I | N, 1);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, table, 0, I, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, table, 16 * 4 + 8, I, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, table, 16 * (RING + 1), I, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver_set_desc(&driver, 0, table, 16 * 4, I, 0);
	assert_int_equal(walk(0, CHAIN_READ), 4);
	driver.vring.indirect = false;
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	driver.vring.indirect = true;
	entries[2].flags = I;
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	entries[2].flags = N;
	entries[2].next = 4;
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	entries[2].next = 0;
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
}

static void
test_segment_limit(void **state)
{
	uint64_t a = driver_buffer(&driver, 16);

	(void)state;
	for (uint16_t i = 0; i < 8; i++)
		driver_set_desc(&driver, i, a, 2, i < 7 ? N : 0, i + 1);
	assert_int_equal(chain_walk(&driver.vring, 0, CHAIN_READ, UINT64_MAX, segments, 8, &bytes,
					 &followed),
			8);
	assert_int_equal(chain_walk(&driver.vring, 0, CHAIN_READ, UINT64_MAX, segments, 7, &bytes,
					 &followed),
			CHAIN_NO_SPACE);
}

static void
test_longest_chain(void **state)
{
	uint64_t a;

	(void)state;
	driver_free(&driver);
	driver_init(&driver, 1, 2048);
	a = driver_buffer(&driver, 16);
	for (uint32_t i = 0; i < 2048; i++)
		driver_set_desc(&driver, i, a, 1, N, i + 1);
	driver_set_desc(&driver, BURST_SEGMENTS_MAX - 1, a, 1, 0, 0);
	assert_int_equal(walk(0, CHAIN_READ), BURST_SEGMENTS_MAX);
	driver_set_desc(&driver, BURST_SEGMENTS_MAX - 1, a, 1, N, BURST_SEGMENTS_MAX);
	driver_set_desc(&driver, BURST_SEGMENTS_MAX, a, 1, 0, 0);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
	/* Over the limit by region borders, not by descriptors. */
	driver_split_memory(&driver, a + 1);
	for (uint32_t i = 0; i < 600; i++)
		driver_set_desc(&driver, i, a, 2, i < 599 ? N : 0, i + 1);
	assert_int_equal(walk(0, CHAIN_READ), CHAIN_BAD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_single),
		TEST(test_linked),
		TEST(test_empty_buffers_are_bad),
		TEST(test_descriptors_are_counted),
		TEST(test_stops_when_covered),
		TEST(test_region_border),
		TEST(test_outside_memory),
		TEST(test_wrong_direction),
		TEST(test_loops_and_wild_next),
		TEST(test_indirect),
		TEST(test_indirect_after_direct),
		TEST(test_bad_indirect),
		TEST(test_segment_limit),
		TEST(test_longest_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
