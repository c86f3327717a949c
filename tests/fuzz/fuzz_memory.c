/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two hostile frontends that write what they like: rings laid over each other and over payload, in
 * memory of their own or shared, with any descriptors, indices and torn fields; between them the
 * source of one and the sink of the other. No model: whatever is taken lies in the sender's memory,
 * every chain is given back, every frame counted once, and the sanitizers see the rest.
 */
#include <stdbool.h>
#include <string.h>

#include "base/copy.h"
#include "fuzz.h"
#include "model_device.h"

#define MEMORY 6144
#define STEPS_MAX 256
#define SENDER 0
#define RECEIVER 1
#define GUESTS 2

static struct guest guests[GUESTS];
static struct device devices[GUESTS];
static uint8_t *memories[GUESTS]; /* each as long as it is, so that a sanitizer sees its end */
static struct burst *burst;

static void
setup(void)
{
	if (burst != NULL)
		return;
	copy_init();
	burst = aligned_alloc(64, sizeof(*burst));
	for (uint32_t i = 0; i < GUESTS; i++)
		memories[i] = aligned_alloc(64, MEMORY);
	if (burst == NULL || memories[0] == NULL || memories[1] == NULL)
		abort();
}

/* An offset at which `len` bytes have room. */
static uint32_t
read_place(struct fuzz_input *input, uint32_t len, uint32_t align)
{
	return fuzz_below(input, MEMORY - len + 1) / align * align;
}

/* Regions that do not overlap in the guest's addresses, over any memory, or at its end. */
static void
read_regions(struct fuzz_input *input, struct model_ring *ring)
{
	static const uint64_t bases[] = { 0x10000, 0, 0xffffff00, 1ull << 46,
		0ull - 8ull * MEMORY };
	uint64_t addr = bases[fuzz_below(input, sizeof(bases) / sizeof(bases[0]))];
	uint32_t n = 1 + fuzz_below(input, MEMORY_REGIONS_MAX);

	for (ring->n_regions = 0; ring->n_regions < n; ring->n_regions++) {
		struct model_region *region = &ring->regions[ring->n_regions];
		uint8_t gap = fuzz_u8(input);

		region->size = n == 1 && gap == 0 ? MEMORY : 1 + fuzz_below(input, MEMORY / 2);
		region->at = gap & 0x40 ? MEMORY - region->size
					: read_place(input, region->size, 1);
		region->guest_phys_addr = addr;
		addr += region->size + (gap & 0x80 ? gap & 0x3f : 0);
	}
}

static void
read_guest(struct fuzz_input *input, uint32_t i, bool shared)
{
	struct guest *guest = &guests[i];
	struct model_ring *ring = &guest->model;
	uint8_t kind = fuzz_u8(input);

	guest->receives = i == RECEIVER;
	guest->memory = memories[shared ? 0 : i];
	ring->size = 1u << fuzz_below(input, 8);
	ring->desc_at = read_place(input, 16 * ring->size, 16);
	ring->avail_at = read_place(input, 6 + 2 * ring->size, 2);
	ring->used_at = read_place(input, 6 + 8 * ring->size, 4);
	ring->header_len = kind & 1 ? VNET_HDR_LEN_LEGACY : VNET_HDR_LEN;
	ring->mergeable = ring->header_len == VNET_HDR_LEN && (kind & 2) != 0;
	ring->indirect = (kind & 4) == 0;
	ring->called = false;
	ring->sibling_called = false;
	ring->avail = ring->used = kind & 8 ? fuzz_u16(input) : 0;
	read_regions(input, ring);
	guest->avail_idx = ring->avail;
	device_init(&devices[i], guest);
	device_start(&devices[i]);
}

static void
read_guests(struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input);
	struct vring_sink *sink = &devices[RECEIVER].sink;

	for (uint32_t i = 0; i < GUESTS; i++) {
		memset(memories[i], 0, MEMORY);
		read_guest(input, i, (kind & 1) != 0);
	}
	if (kind & 2)
		devices[SENDER].vrings[0].needs = FRAME_NEEDS_ALL;
	if (kind & 4)
		devices[RECEIVER].vrings[0].needs = FRAME_NEEDS_ALL;
	sink->offload = true;
	vring_sink_publish(sink, &devices[RECEIVER].vrings[0]);
}

/* A descriptor of the ring, or of an indirect table anywhere. */
static void
write_desc(struct fuzz_input *input, struct guest *guest, uint8_t kind)
{
	const struct model_ring *ring = &guest->model;
	const struct model_region *region = &ring->regions[fuzz_below(input, ring->n_regions)];
	uint32_t i = fuzz_below(input, ring->size);
	uint32_t at = kind & 0x10 ? read_place(input, 16, 1) : ring->desc_at + 16 * i;
	struct vring_desc desc = { 0 };

	desc.addr = region->guest_phys_addr + fuzz_below(input, region->size + 16);
	desc.len = kind & 0x20 ? fuzz_u32(input) : fuzz_u8(input);
	desc.flags = fuzz_below(input, 8);
	desc.next = desc.flags & VRING_DESC_F_NEXT ? fuzz_u8(input) : 0;
	if (kind & 0x40)
		desc.flags ^= guest->receives ? VRING_DESC_F_WRITE : 0;
	memcpy(guest->memory + at, &desc, sizeof(desc));
}

/* Chains that begin at some heads become available; with a jump, more than there are. */
static void
offer(struct fuzz_input *input, struct guest *guest, uint8_t kind)
{
	const struct model_ring *ring = &guest->model;
	uint32_t n = 1 + (kind >> 4 & 7);
	uint16_t head = fuzz_u8(input);

	for (uint32_t i = 0; i < n; i++, head++) {
		uint16_t place = guest->avail_idx++ % ring->size;

		memcpy(guest->memory + ring->avail_at + 4 + 2 * place, &head, 2);
	}
	if (kind & 0x80)
		guest->avail_idx += fuzz_u16(input);
	memcpy(guest->memory + ring->avail_at + 2, &guest->avail_idx, 2);
}

static void
scribble(struct fuzz_input *input, struct guest *guest)
{
	uint32_t len = 1 + fuzz_below(input, 64);

	fuzz_bytes(input, guest->memory + read_place(input, len, 1), len);
}

/* The bytes lie in one of the guest's regions; a frame of no bytes may stand at its end. */
static bool
lies_in(const struct guest *guest, const struct frame_segment *segment)
{
	for (uint32_t i = 0; i < guest->model.n_regions; i++) {
		const struct model_region *region = &guest->model.regions[i];
		size_t offset = (size_t)(segment->data - (guest->memory + region->at));

		if (offset <= region->size && segment->len <= region->size - offset)
			return true;
	}
	return false;
}

/* Frames of the sender: where they lie, and which of them the receiver takes as they are. */
static uint32_t
check_burst(uint32_t taken, uint8_t *list)
{
	uint8_t takes = devices[RECEIVER].sink.base.takes;
	uint32_t n = 0;

	FUZZ_CHECK(taken <= BURST_MAX && burst->n <= taken);
	for (uint32_t i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];
		uint64_t len = 0;

		FUZZ_CHECK(frame->n_segments <= BURST_SEGMENTS_MAX);
		for (uint32_t k = 0; k < frame->n_segments; k++) {
			FUZZ_CHECK(lies_in(&guests[SENDER], &frame->segments[k]));
			len += frame->segments[k].len;
		}
		FUZZ_CHECK(len == frame->len && burst_wire_len(burst, i) <= burst->longest);
		if (len >= ETHERNET_HEADER_LEN && len <= PORT_MTU_MAX + FRAME_OVERHEAD &&
				(burst_needs(burst, i) & ~takes) == 0)
			list[n++] = (uint8_t)i;
	}
	return n;
}

static uint64_t
counted(const struct counters *counters)
{
	uint64_t sum = 0;

	for (uint32_t r = 0; r < DROP_REASONS; r++)
		sum += counters->drops[r];
	return sum;
}

static void
place(const uint8_t *list, uint32_t n)
{
	struct device *device = &devices[RECEIVER];
	const struct counters *counters = device_counters(device);
	uint64_t before = counters->frames + counted(counters);
	uint64_t bad = counters->drops[DROP_BAD_CHAIN];
	const void *placed = device_place(device, burst, list, n);

	if (placed != NULL)
		device_call(device, placed);
	/* Bad chains of the receiver's are counted besides. */
	bad = counters->drops[DROP_BAD_CHAIN] - bad;
	FUZZ_CHECK(counters->frames + counted(counters) - before >= n);
	FUZZ_CHECK(counters->frames + counted(counters) - before <= n + bad);
}

static void
turn(void)
{
	struct device *device = &devices[SENDER];
	const struct counters *counters = device_counters(device);
	uint64_t frames = counters->frames, drops = counted(counters);
	uint16_t used = device->source.cursor.used;
	uint8_t list[BURST_MAX];
	uint32_t taken, n;

	taken = device_take(device, burst);
	if (taken == 0)
		return;
	n = check_burst(taken, list);
	if (n > 0)
		place(list, n);
	device_complete(device);
	FUZZ_CHECK((uint16_t)(device->source.cursor.used - used) == taken);
	FUZZ_CHECK(counters->frames - frames == taken);
	FUZZ_CHECK(counted(counters) - drops == taken - burst->n);
}

static void
step(struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input);
	struct guest *guest = &guests[kind & 1];

	switch (kind >> 1 & 7) {
	case 0:
	case 1:
		write_desc(input, guest, kind);
		break;
	case 2:
	case 3:
		offer(input, guest, kind);
		break;
	case 4:
		scribble(input, guest);
		break;
	case 5:
		if (device_arm(&devices[SENDER]) && kind & 0x80)
			device_disarm(&devices[SENDER]);
		break;
	default:
		turn();
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	setup();
	read_guests(&input);
	for (uint32_t i = 0; i < STEPS_MAX && input.left > 0; i++)
		step(&input);
	turn();
	return 0;
}
