/* SPDX-License-Identifier: BSD-3-Clause */
/* What a hostile driver does with its rings: chains of every kind, kicks, and scribbling. */
#include <sched.h>
#include <sys/eventfd.h>
#include <time.h>

#include "hostile.h"

#define HEADER_LEN 12
#define ETH_LEN 14
#define CHAINS_MOST 48
#define ROUNDS_MOST 6
/* Writes to the memory while the switch reads it. */
#define SCRIBBLES 16
/* How long it waits for the switch to take what was offered. */
#define DWELL_US 300

struct spot {
	uint64_t addr; /* guest-physical */
	uint8_t *at;   /* here */
};

/* A place for a buffer of up to 64 KiB. */
static struct spot
some_spot(struct hostile *hostile)
{
	const struct hostile_region *region =
			&hostile->regions[chance_below(&hostile->chance, HOSTILE_REGIONS)];
	uint32_t first = region == &hostile->regions[0] ? HOSTILE_RINGS * HOSTILE_RING_AREA : 0;
	uint32_t room = HOSTILE_REGION_SIZE - first - (64u << 10);
	uint32_t offset = first + chance_below(&hostile->chance, room);

	return (struct spot){ region->guest_phys_addr + offset, region->memory + offset };
}

/* Source addresses are never those of others: 06:xx is ours. Half of the frames stay among us. */
static void
write_addresses(struct chance *chance, uint8_t *at)
{
	chance_fill(chance, at, 12);
	at[0] = at[6] = 0x06;
	if (chance_one_in(chance, 2)) {
		memset(at + 1, 0, 4);
		memset(at + 7, 0, 4);
	} else if (chance_one_in(chance, 2)) {
		memset(at, 0xff, 6);
	}
}

static uint32_t
write_frame(struct hostile *hostile, uint8_t *at)
{
	struct chance *chance = &hostile->chance;
	uint32_t len = ETH_LEN + chance_below(chance, chance_one_in(chance, 8) ? 1600 : 100);

	memset(at, 0, HEADER_LEN);
	if (chance_one_in(chance, 4))
		chance_fill(chance, at, HEADER_LEN);
	at += HEADER_LEN;
	write_addresses(chance, at);
	at[12] = chance_one_in(chance, 2) ? 0x08 : 0x88;
	at[13] = chance_one_in(chance, 2) ? 0x00 : 0xb5;
	return HEADER_LEN + len;
}

static struct vring_desc
good_desc(struct hostile *hostile, uint32_t ring)
{
	struct spot spot = some_spot(hostile);

	if (ring == HOSTILE_RX)
		return (struct vring_desc){
			.addr = spot.addr, .len = 2048, .flags = VRING_DESC_F_WRITE
		};
	return (struct vring_desc){ .addr = spot.addr, .len = write_frame(hostile, spot.at) };
}

static void
spoil_desc(struct hostile *hostile, struct vring_desc *desc)
{
	struct chance *chance = &hostile->chance;

	switch (chance_below(chance, 6)) {
	case 0:
		desc->addr = chance_odd_number(chance);
		break;
	case 1:
		desc->len = (uint32_t)chance_odd_number(chance);
		break;
	case 2:
		desc->flags ^= 1u << chance_below(chance, 3);
		break;
	case 3:
		desc->flags |= VRING_DESC_F_NEXT;
		desc->next = (uint16_t)chance_odd_number(chance);
		break;
	case 4: /* over the end of a region */
		desc->addr = hostile->regions[chance_below(chance, HOSTILE_REGIONS)]
						.guest_phys_addr +
				HOSTILE_REGION_SIZE - chance_below(chance, 100);
		break;
	default: /* over a ring */
		desc->addr = HOSTILE_GUEST_BASE +
				chance_below(chance, HOSTILE_RINGS * HOSTILE_RING_AREA);
		break;
	}
}

/* Cuts a buffer into descriptors that follow each other in the table from `at` on. */
static uint32_t
write_chain(struct hostile *hostile, struct vring_desc *table, uint32_t at, uint32_t room,
		struct vring_desc whole)
{
	uint32_t n = 1 + chance_below(&hostile->chance, room < 5 ? room : 5);
	uint32_t left = whole.len;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = i + 1 == n ? left : chance_below(&hostile->chance, left + 1);

		table[at + i] = (struct vring_desc){ .addr = whole.addr + whole.len - left,
			.len = len,
			.flags = whole.flags | (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = (uint16_t)(at + i + 1) };
		left -= len;
	}
	return n;
}

/* An indirect table in some buffer, and the descriptor that names it. */
static struct vring_desc
make_indirect(struct hostile *hostile, struct vring_desc whole)
{
	struct spot spot = some_spot(hostile);
	struct vring_desc *table;
	uint32_t n;

	spot.addr -= (uintptr_t)spot.at & 15;
	spot.at -= (uintptr_t)spot.at & 15;
	table = (struct vring_desc *)(void *)spot.at;
	n = write_chain(hostile, table, 0, 5, whole);
	if (chance_one_in(&hostile->chance, 8))
		spoil_desc(hostile, &table[chance_below(&hostile->chance, n)]);
	return (struct vring_desc){ .addr = spot.addr,
		.len = n * (uint32_t)sizeof(*table),
		.flags = VRING_DESC_F_INDIRECT };
}

/* Returns the entries of the descriptor table that the chain took. */
static uint32_t
add_chain(struct hostile *hostile, uint32_t index, uint32_t at)
{
	struct chance *chance = &hostile->chance;
	struct hostile_ring *ring = &hostile->rings[index];
	uint32_t room = ring->size - at, n = 1;
	struct vring_desc desc = good_desc(hostile, index);

	if (chance_one_in(chance, 4))
		ring->desc[at] = make_indirect(hostile, desc);
	else
		n = write_chain(hostile, ring->desc, at, room, desc);
	if (chance_one_in(chance, 12))
		spoil_desc(hostile, &ring->desc[at + chance_below(chance, n)]);
	ring->avail->ring[ring->avail_idx++ & (ring->size - 1)] = chance_one_in(chance, 64)
			? (uint16_t)chance_odd_number(chance)
			: (uint16_t)at;
	return n;
}

static void
offer(struct hostile *hostile, uint32_t index)
{
	struct chance *chance = &hostile->chance;
	struct hostile_ring *ring = &hostile->rings[index];
	uint32_t at = 0;

	for (uint32_t i = chance_below(chance, CHAINS_MOST); i > 0 && at < ring->size; i--)
		at += add_chain(hostile, index, at);
	ring->avail->flags = chance_one_in(chance, 8) ? (uint16_t)chance_u64(chance)
						      : (uint16_t)chance_below(chance, 2);
	if (chance_one_in(chance, 64))
		ring->avail_idx = (uint16_t)chance_odd_number(chance);
	__atomic_store_n(&ring->avail->idx, ring->avail_idx, __ATOMIC_RELEASE);
	eventfd_write(ring->kick_fd, 1);
}

/* Flips bits of tables and buffers, as fast as it goes, while the switch is at them. */
static void
scribble(struct hostile *hostile, struct chance *chance)
{
	for (uint32_t i = 0; i < SCRIBBLES; i++) {
		uint64_t word = chance_u64(chance);
		uint32_t where = (uint32_t)(word >> 32) % HOSTILE_REGION_SIZE;

		if ((word & 1) != 0) /* mostly where it hurts */
			where %= HOSTILE_RINGS * HOSTILE_RING_AREA;
		hostile->regions[0].memory[where] ^= (uint8_t)(1u << (word >> 1 & 7));
	}
}

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Goes on until the switch has been at the transmitq, or for a while. */
static void
dwell(struct hostile *hostile, bool scribbles)
{
	const struct hostile_ring *ring = &hostile->rings[HOSTILE_TX];
	uint16_t before = __atomic_load_n(&ring->used->idx, __ATOMIC_RELAXED);
	uint64_t end = now_us() + DWELL_US;
	struct chance chance = hostile->chance; /* its own: how often it is asked is not repeated */

	while (__atomic_load_n(&ring->used->idx, __ATOMIC_RELAXED) == before && now_us() < end) {
		if (scribbles)
			scribble(hostile, &chance);
		else
			sched_yield();
	}
}

void
hostile_attack_rings(struct hostile *hostile)
{
	struct chance *chance = &hostile->chance;
	bool scribbles = chance_one_in(chance, 4);

	for (uint32_t round = chance_below(chance, ROUNDS_MOST); round > 0; round--) {
		if (hostile->hurt)
			return;
		offer(hostile, HOSTILE_RX);
		offer(hostile, HOSTILE_TX);
		dwell(hostile, scribbles);
	}
	if (chance_one_in(chance, 32))
		hostile_hurt_memory(hostile);
}
