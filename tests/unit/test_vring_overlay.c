/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings that lie over each other, over indirect tables and over the frames themselves, of two ports
 * that share one memory: a write of the switch changes what it reads next. What comes of it is
 * nobody's business; that it ends, stays in the memory, and counts each frame once, is checked.
 *
 * The seed is new in each run and printed; VRING_OVERLAY_SEED repeats one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/copy.h"
#include "rings/vring_endpoint.h"

#define ROUNDS 20000
#define MEMORY 8192u
#define GUARD 4096u
#define BASE 0x100000u

static uint8_t *room; /* guard, memory, guard */
static uint8_t *memory;
static uint64_t state_of_chance, frames_taken, frames_delivered;

static uint32_t
chance(uint32_t bound)
{
	state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(((state_of_chance >> 33) * bound) >> 31);
}

/* A descriptor that is nearly right, somewhere. */
static void
scribble_desc(void)
{
	const uint16_t flags[] = { 0, VRING_DESC_F_WRITE, 0, VRING_DESC_F_WRITE, VRING_DESC_F_NEXT,
		VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, VRING_DESC_F_INDIRECT, 0xffff };
	const uint32_t lens[] = { 0, 1, 13, 16, 32, 64, 100, 1500, MEMORY };
	struct vring_desc desc = {
		.addr = BASE + chance(MEMORY),
		.len = lens[chance(9)],
		.flags = flags[chance(8)],
		.next = chance(16),
	};

	if (desc.addr - BASE + desc.len > MEMORY && chance(8) != 0)
		desc.len = BASE + MEMORY - desc.addr;
	memcpy(memory + chance(MEMORY / 16) * 16, &desc, sizeof(desc));
}

static void
place_ring(struct split_vring *vring, struct vring_health *health, uint32_t index)
{
	*vring = (struct split_vring){
		.size = 1u << chance(7),
		.header_len = chance(2) ? VNET_HDR_LEN : VNET_HDR_LEN_LEGACY,
		.mergeable = chance(2),
		.indirect = chance(4) != 0,
		.needs = chance(2) ? FRAME_NEEDS_ALL : 0,
		.index = index,
		.kick_fd = -1,
		.call_fd = -1,
		.health = health,
		.mem = { .n = 1,
				.regions = { { .guest_phys_addr = BASE,
						.size = MEMORY,
						.host = memory } } },
	};
	/* As vhost-user wants them: aligned, and each whole in the memory. */
	vring->desc = (void *)(memory + chance((MEMORY - 16 * vring->size) / 16 + 1) * 16);
	vring->avail = (void *)(memory + chance((MEMORY - 6 - 2 * vring->size) / 2 + 1) * 2);
	vring->used = (void *)(memory + chance((MEMORY - 8 - 8 * vring->size) / 4 + 1) * 4);
}

/* Makes up to a ring's size of chains available, however that changes other things. */
static void
offer(const struct split_vring *vring, const struct vring_cursor *cursor)
{
	uint16_t *avail = (uint16_t *)(uintptr_t)vring->avail;

	for (uint32_t i = 0; i < vring->size; i++)
		avail[2 + i] = chance(vring->size + (chance(256) == 0));
	avail[1] = cursor->avail + chance(vring->size + 1) + (chance(64) == 0);
}

static uint64_t
sum_of_drops(const struct counters *counters)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < DROP_REASONS; i++)
		sum += counters->drops[i];
	return sum;
}

static void
place(struct vring_sink *sink, const struct burst *burst)
{
	const struct counters *counters = &sink->base.counters;
	uint64_t before = counters->frames + sum_of_drops(counters);
	const uint64_t delivered = counters->frames;
	uint8_t list[BURST_MAX];
	const void *placed;
	uint32_t n = 0;

	for (uint32_t i = 0; i < burst->n; i++)
		if (burst->frames[i].len >= ETHERNET_HEADER_LEN && burst->frames[i].len < 65536 &&
				(burst_needs(burst, i) & ~sink->base.takes) == 0)
			list[n++] = i;
	if (n == 0)
		return;
	sink->base.followed = 0;
	placed = sink->base.ops->place(&sink->base, burst, list, n);
	assert_int_equal(counters->frames + sum_of_drops(counters), before + n);
	frames_delivered += counters->frames - delivered;
	if (placed != NULL)
		sink->base.ops->call(placed);
}

static void
turn(struct vring_source *source, struct vring_sink *first, struct vring_sink *second,
		struct burst *burst)
{
	const struct counters *counters = &source->base.counters;
	uint64_t frames = counters->frames, bad = sum_of_drops(counters);
	uint32_t taken = source->base.ops->take(&source->base, burst);

	if (taken == 0) {
		assert_int_equal(counters->frames, frames);
		return;
	}
	assert_true(taken <= BURST_MAX);
	bad = sum_of_drops(counters) - bad;
	assert_int_equal(counters->frames - frames, taken);
	assert_int_equal(burst->n + bad, taken);
	place(first, burst);
	place(second, burst);
	frames_taken += burst->n;
	source->base.ops->complete(&source->base);
	assert_int_equal(source->cursor.avail, source->cursor.used);
}

static void
check_guards(void)
{
	for (uint32_t i = 0; i < GUARD; i++) {
		assert_int_equal(room[i], 0xca);
		assert_int_equal(room[GUARD + MEMORY + i], 0xca);
	}
}

static void
play(struct burst *burst)
{
	struct vring_health health[2] = { { VRING_SOUND }, { VRING_SOUND } };
	static struct vring_source sources[2];
	static struct vring_sink sinks[2];
	static struct split_vring rings[4];

	for (uint32_t i = 0; i < MEMORY; i++)
		memory[i] = chance(256);
	for (uint32_t i = 0; i < 2; i++) {
		place_ring(&rings[2 * i], &health[i], VRING_RECEIVEQ);
		place_ring(&rings[2 * i + 1], &health[i], VRING_TRANSMITQ);
		vring_sink_init(&sinks[i], i);
		vring_source_init(&sources[i], i, &sinks[i]);
		vring_sink_publish(&sinks[i], &rings[2 * i]);
		vring_source_publish(&sources[i], &rings[2 * i + 1]);
	}
	for (uint32_t n = 0; n < 4; n++) {
		for (uint32_t i = 0; i < 500; i++)
			scribble_desc();
		for (uint32_t i = 0; i < 2; i++) {
			offer(&rings[2 * i], &sinks[i].cursor);
			offer(&rings[2 * i + 1], &sources[i].cursor);
		}
		turn(&sources[n % 2], &sinks[(n + 1) % 2], &sinks[n % 2], burst);
	}
}

static void
test_overlay(void **state)
{
	const char *seed = getenv("VRING_OVERLAY_SEED"), *rounds = getenv("VRING_OVERLAY_ROUNDS");
	struct burst *burst = aligned_alloc(64, sizeof(*burst));
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	state_of_chance = seed != NULL ? strtoull(seed, NULL, 0)
				       : (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	printf("# VRING_OVERLAY_SEED=%lu\n", state_of_chance);
	room = aligned_alloc(4096, 2 * GUARD + MEMORY);
	memset(room, 0xca, 2 * GUARD + MEMORY);
	memory = room + GUARD;
	copy_init();
	for (uint32_t i = rounds != NULL ? strtoul(rounds, NULL, 0) : ROUNDS; i > 0; i--) {
		play(burst);
		check_guards();
	}
	printf("# %lu frames were taken, %lu delivered\n", frames_taken, frames_delivered);
	assert_true(frames_delivered > 0);
	free(room);
	free(burst);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
