/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_cases.h"

#include <stdarg.h>
#include <string.h>

#define PIECES_MAX 256 /* descriptors of a chain; no ring here has more entries */
#define TELL_MAX 12    /* descriptors of a chain that a trace shows */

/* Lengths of frames at which something changes in the code, the most common first. */
static const uint16_t frame_lengths[] = { 60, 64, 14, 63, 65, 66, 128, 0, 13, 1, 200, 1000 };
#define N_FRAME_LENGTHS (sizeof(frame_lengths) / sizeof(frame_lengths[0]))

struct chain_plan {
	uint16_t head;
	uint32_t n;
	bool indirect;
	uint64_t table; /* guest-physical */
	struct vring_desc descs[PIECES_MAX];
	uint16_t places[PIECES_MAX]; /* their indices in the ring's table */
	struct vring_desc outer;     /* of an indirect chain */
};

__attribute__((format(printf, 2, 3))) static void
tell(const struct guest *guest, const char *format, ...)
{
	va_list args;

	if (guest->trace == NULL)
		return;
	fprintf(guest->trace, "# %s driver: ", guest->name);
	va_start(args, format);
	vfprintf(guest->trace, format, args);
	va_end(args);
	fputc('\n', guest->trace);
}

/* Random bytes, the same in each run. */
static const uint8_t *
pattern(void)
{
	static uint8_t bytes[MODEL_MEMORY];
	uint32_t state = 1;

	if (bytes[0] == 0) {
		for (uint32_t i = 0; i < sizeof(bytes); i++) {
			state = state * 1664525 + 1013904223;
			bytes[i] = state >> 24;
		}
		bytes[0] = 1;
	}
	return bytes;
}

static void
add_region(struct guest *guest, uint64_t guest_phys_addr, uint32_t at, uint32_t size)
{
	struct model_ring *model = &guest->model;

	model->regions[model->n_regions++] = (struct model_region){
		.guest_phys_addr = guest_phys_addr, .size = size, .at = at
	};
}

/*
 * Covers `len` bytes from offset `at` by `n` regions, neighbours in the guest's address space or
 * not, and lying in the other order here or not. Returns the guest's address behind them.
 */
static uint64_t
add_regions(struct guest *guest, struct choices *choices, uint64_t addr, uint32_t at, uint32_t len,
		uint32_t n)
{
	bool backward = choose(choices, 2);
	uint32_t low = at, high = at + len;

	for (uint32_t left = n; left > 0; left--) {
		uint32_t room = high - low;
		uint32_t size = left == 1 || room < 2 * left
				? room
				: choose_from(choices, 1, room / left * 2 - 1);

		if (size == 0)
			break;
		add_region(guest, addr, backward ? high - size : low, size);
		if (backward)
			high -= size;
		else
			low += size;
		addr += size;
		if (rarely(choices, 3))
			addr += choose_from(choices, 1, 1000);
	}
	return addr;
}

static void
place_regions(struct guest *guest, struct choices *choices)
{
	static const uint64_t bases[] = { 0x10000, 0, 0xfffff000, UINT64_C(1) << 46 };
	struct model_ring *model = &guest->model;
	uint32_t kind = choose(choices, 5);
	uint64_t end;

	model->n_regions = 0;
	end = add_regions(guest, choices, 0, guest->tables_at, guest->tables_len,
			choose_from(choices, 1, 2));
	guest->first_buffer_region = model->n_regions;
	/* A long buffer never runs from buffers into tables: nothing may depend on who is first. */
	end = add_regions(guest, choices, end + 0x100000, guest->buffers_at, guest->buffers_len,
			choose_from(choices, 1, MEMORY_REGIONS_MAX - model->n_regions));
	for (uint32_t i = 0; i < model->n_regions; i++)
		model->regions[i].guest_phys_addr += kind < 4 ? bases[kind] : -end;
	for (uint32_t i = 0; guest->trace != NULL && i < model->n_regions; i++)
		tell(guest, "%u bytes at %#llx (offset %u)%s", model->regions[i].size,
				(unsigned long long)model->regions[i].guest_phys_addr,
				model->regions[i].at,
				i < guest->first_buffer_region ? ", for tables" : "");
}

static void
place_ring(struct guest *guest, struct choices *choices)
{
	static const uint16_t sizes[] = { 4, 8, 2, 16, 4, 8, 64, 1, 16, 2, 128, 256 };
	struct model_ring *model = &guest->model;

	if (guest->big)
		model->size = 128 << choose(choices, 2);
	else
		model->size = sizes[choose(choices, sizeof(sizes) / sizeof(sizes[0]))];
	model->desc_at = 0;
	model->avail_at = model->size * 16;
	model->used_at = (model->avail_at + 6 + 2 * model->size + 3) & ~3u;
	guest->tables_at = model->used_at + 6 + 8 * model->size + 2;
	guest->tables_len = guest->big ? model->size * 16 + 40 : 168;
	guest->buffers_at = guest->tables_at + guest->tables_len + choose(choices, 40);
	guest->buffers_len = 1024 << choose(choices, 3);
	if (guest->big)
		guest->buffers_len = 2048;
	model->memory_len = guest->buffers_at + guest->buffers_len + 64;
}

void
guest_init(struct guest *guest, struct choices *choices)
{
	static const uint16_t starts[] = { 0, 65535, 65530, 32767, 65500 };
	struct model_ring *model = &guest->model;
	uint16_t start;

	guest->next_buffer = 0;
	place_ring(guest, choices);
	place_regions(guest, choices);
	start = starts[choose(choices, sizeof(starts) / sizeof(starts[0]))];
	model->header_len = rarely(choices, 3) ? VNET_HDR_LEN_LEGACY : VNET_HDR_LEN;
	model->mergeable = model->header_len == VNET_HDR_LEN && choose(choices, 3) != 0;
	model->indirect = guest->big || choose(choices, 4) != 3;
	model->called = rarely(choices, 8);
	model->sibling_called = model->called && choose(choices, 3) != 0;
	model->running = true;
	model->defect = VRING_SOUND;
	model->avail = model->used = guest->avail_idx = start;
	model->greeted = false;
	model->no_room = 0;
	model->calls = 0;
	model->n_unsure = 0;
	model->muddled = false;
	memset(&model->counters, 0, sizeof(model->counters));
	memcpy(guest->memory, pattern(), model->memory_len);
	memset(guest->memory, 0, guest->tables_at);
	memcpy(guest->memory + model->avail_at + 2, &start, 2);
	memcpy(guest->memory + model->used_at + 2, &start, 2);
	guest->dirty = true;
	tell(guest, "ring of %u, indices start at %u, header of %u%s%s%s", model->size, start,
			model->header_len, model->mergeable ? ", mergeable" : "",
			model->indirect ? ", indirect" : "",
			model->called ? ", call descriptor" : "");
}

static uint64_t
address_in(const struct model_region *region, uint32_t offset)
{
	return region->guest_phys_addr + offset;
}

/*
 * `len` bytes in the buffers' regions, one buffer after the other and then from the beginning
 * again, over borders of neighbours; rarely anywhere.
 */
static uint64_t
new_buffer(struct guest *guest, struct choices *choices, uint32_t len)
{
	const struct model_ring *model = &guest->model;
	uint32_t offset = guest->next_buffer;
	uint32_t i = guest->first_buffer_region;

	if (rarely(choices, 8))
		offset += choose(choices, 64);
	if (offset + len > guest->buffers_len)
		offset = len < guest->buffers_len ? choose(choices, 8) : 0;
	guest->next_buffer = offset + len;
	while (i + 1 < model->n_regions && offset >= model->regions[i].size)
		offset -= model->regions[i++].size;
	/* Where the neighbour is none, a good driver goes on behind the gap. */
	while (i + 1 < model->n_regions && offset + len > model->regions[i].size &&
			address_in(&model->regions[i], model->regions[i].size) !=
					model->regions[i + 1].guest_phys_addr &&
			!rarely(choices, 8)) {
		offset = 0;
		i++;
	}
	return address_in(&model->regions[i], offset);
}

/* An indirect table of `n` entries; rarely where the memory ends. */
static uint64_t
new_table(struct guest *guest, struct choices *choices, uint32_t n)
{
	const struct model_region *first = &guest->model.regions[0];
	uint32_t room = guest->tables_len > 16 * n ? guest->tables_len - 16 * n : 0;

	/* A long table that lies over another would mostly spoil it; the same one may serve all. */
	if (guest->big && !rarely(choices, 8))
		room = 0;
	if (rarely(choices, 32))
		room = guest->tables_len;
	return address_in(first, choose(choices, room + 1));
}

/* Writes to guest-physical memory what falls into it. */
static void
write_guest(struct guest *guest, uint64_t addr, const void *data, uint32_t len)
{
	const struct model_ring *model = &guest->model;

	for (uint32_t i = 0; i < model->n_regions; i++) {
		const struct model_region *region = &model->regions[i];
		/* Where the data begins in the region, or the region in the data. */
		uint64_t offset = addr - region->guest_phys_addr;
		uint64_t skip = region->guest_phys_addr - addr;

		if (offset < region->size)
			memcpy(guest->memory + region->at + offset, data,
					len < region->size - offset ? len : region->size - offset);
		else if (skip < len)
			memcpy(guest->memory + region->at, (const uint8_t *)data + skip,
					len - skip < region->size ? len - skip : region->size);
	}
}

/* One field of one descriptor wrong; receive buffers are not put over tables. */
static void
spoil(struct guest *guest, struct choices *choices, struct vring_desc *desc)
{
	static const uint32_t lens[] = { 0, 1, 9, 10, 11, 12, 13, 15, 16, 17, 65536, UINT32_MAX };
	uint32_t first = guest->receives ? guest->first_buffer_region : 0;
	const struct model_region *region = &guest->model.regions[choose_from(
			choices, first, guest->model.n_regions - 1)];

	switch (choose(choices, 6)) {
	case 0:
		desc->flags ^= 1u << choose(choices, 4);
		break;
	case 1:
		desc->addr = address_in(region, region->size) - choose(choices, 32);
		break;
	case 2:
		desc->addr = guest->model.regions[first].guest_phys_addr - choose(choices, 3);
		break;
	case 3:
		desc->len = lens[choose(choices, sizeof(lens) / sizeof(lens[0]))];
		break;
	case 4:
		desc->next = choose(choices, guest->model.size + 3);
		desc->flags |= VRING_DESC_F_NEXT;
		break;
	default:
		desc->len += 16 * choose_from(choices, 1, 300);
		break;
	}
}

/* Cuts `total` bytes into plan->n buffers. */
static void
plan_buffers(struct guest *guest, struct choices *choices, struct chain_plan *plan, uint32_t total)
{
	bool many = plan->n > 8, again = many && total > guest->buffers_len;

	for (uint32_t i = 0; i < plan->n; i++) {
		bool last = i + 1 == plan->n;
		uint32_t len = last ? total : many ? total / plan->n : choose(choices, total + 1);

		if (i == 0 && !last && total > guest->model.header_len && choose(choices, 2))
			len = guest->model.header_len;
		total -= len;
		plan->descs[i] = (struct vring_desc){
			.addr = many && i > 0
					? plan->descs[0].addr + (again ? 0 : i * len)
					: new_buffer(guest, choices,
							  many && !again ? plan->n * len : len),
			.len = len,
			.flags = (guest->receives ? VRING_DESC_F_WRITE : 0) |
					(last ? 0 : VRING_DESC_F_NEXT),
			.next = last			 ? 0
					: plan->indirect ? i + 1
							 : plan->places[i + 1],
		};
	}
}

static uint32_t
choose_length(const struct guest *guest, struct choices *choices)
{
	/* With a header of 12, buffers of 128 bytes hold it and nothing else. */
	uint32_t full = choose(choices, 2) ? 128 - VNET_HDR_LEN : 1024 - VNET_HDR_LEN;
	uint32_t kind = choose(choices, N_FRAME_LENGTHS + 6);
	uint32_t len;

	if (guest->big && choose(choices, 2))
		len = choose(choices, 3) ? 500 + choose(choices, 1500) : full;
	else if (kind < N_FRAME_LENGTHS)
		len = frame_lengths[kind];
	else if (kind < N_FRAME_LENGTHS + 5)
		len = choose(choices, 300);
	else
		len = choose(choices, guest->buffers_len / 2);
	return len + (rarely(choices, 16) ? choose(choices, 14) : guest->model.header_len);
}

static void
plan_chain(struct guest *guest, struct choices *choices, struct chain_plan *plan)
{
	uint32_t size = guest->model.size, stride = 1 + 2 * choose(choices, 3);
	uint32_t total = choose_length(guest, choices);

	plan->head = choose(choices, size);
	plan->n = rarely(choices, 3) ? choose_from(choices, 2, 6) : 1;
	plan->indirect = rarely(choices, guest->model.indirect ? 4 : 32);
	if (guest->big)
		plan->indirect = !rarely(choices, 4);
	if (guest->big && !rarely(choices, 4)) {
		plan->n = rarely(choices, 4) ? choose_from(choices, 9, size) : 128;
		total = plan->n *
				(guest->receives ? choose_from(choices, 1, 2)
						 : choose_from(choices, 1, 10));
		/* The same memory again and again: a few chains are all that a turn may take. */
		if (!guest->receives && rarely(choices, 8))
			total = plan->n * (guest->buffers_len / 2);
	}
	if (plan->n > size && !rarely(choices, 8))
		plan->n = size;
	for (uint32_t i = 0; i < plan->n; i++)
		plan->places[i] = (plan->head + i * stride) & (size - 1);
	plan_buffers(guest, choices, plan, total);
	if (plan->indirect) {
		plan->table = new_table(guest, choices, plan->n);
		plan->outer = (struct vring_desc){
			.addr = plan->table, .len = 16 * plan->n, .flags = VRING_DESC_F_INDIRECT
		};
	}
	if (!rarely(choices, 10))
		return;
	if (plan->indirect && choose(choices, 2))
		spoil(guest, choices, &plan->outer);
	else
		spoil(guest, choices, &plan->descs[choose(choices, plan->n)]);
}

static void
tell_desc(const struct guest *guest, const char *where, uint32_t i, const struct vring_desc *desc)
{
	tell(guest, "  %s %u: addr %#llx len %u flags %u next %u", where, i,
			(unsigned long long)desc->addr, desc->len, desc->flags, desc->next);
}

static void
write_desc(struct guest *guest, uint32_t i, const struct vring_desc *desc)
{
	memcpy(guest->memory + guest->model.desc_at + 16 * i, desc, sizeof(*desc));
}

static void
write_chain(struct guest *guest, const struct chain_plan *plan)
{
	if (plan->indirect) {
		write_desc(guest, plan->head, &plan->outer);
		write_guest(guest, plan->table, plan->descs, 16 * plan->n);
		tell_desc(guest, "descriptor", plan->head, &plan->outer);
	}
	for (uint32_t i = 0; i < plan->n; i++) {
		if (!plan->indirect)
			write_desc(guest, plan->places[i], &plan->descs[i]);
		if (i < TELL_MAX)
			tell_desc(guest, plan->indirect ? "  entry" : "descriptor",
					plan->indirect ? i : plan->places[i], &plan->descs[i]);
	}
}

static void
make_available(struct guest *guest, uint16_t head)
{
	struct model_ring *model = &guest->model;

	memcpy(guest->memory + model->avail_at + 4 + 2 * (guest->avail_idx % model->size), &head,
			2);
	guest->avail_idx++;
	memcpy(guest->memory + model->avail_at + 2, &guest->avail_idx, 2);
}

void
guest_offer(struct guest *guest, struct choices *choices)
{
	uint32_t room = guest->model.size - (uint16_t)(guest->avail_idx - guest->model.used);
	uint32_t n = guest->big || rarely(choices, 12) ? choose(choices, 80) : choose(choices, 5);
	/* So many different chains; then, as 8 of 128 pieces fill a burst, one more. */
	uint32_t plans = guest->big && !rarely(choices, guest->receives ? 4 : 2) ? 1 : 8;
	static struct chain_plan plan;
	uint16_t head;

	if (n > room && !rarely(choices, 64))
		n = room;
	for (uint32_t i = 0; i < n; i++) {
		if (i < plans || i == 8)
			plan_chain(guest, choices, &plan);
		tell(guest, "offers head %u, a chain of %u%s", plan.head, plan.n,
				plan.indirect ? ", indirect" : "");
		write_chain(guest, &plan);
		head = plan.head;
		if (rarely(choices, 400)) {
			head = guest->model.size + choose(choices, 3);
			tell(guest, "the head is wrong: %u", head);
		}
		make_available(guest, head);
	}
	if (n > 0)
		guest->dirty = true;
}

void
guest_scribble(struct guest *guest, struct choices *choices)
{
	uint32_t at = guest->buffers_at + choose(choices, guest->buffers_len - 128);
	uint32_t len = 1 + choose(choices, 128);
	uint16_t flags = choose(choices, 2) ? VRING_AVAIL_F_NO_INTERRUPT : 0;

	for (uint32_t i = 0; i < len; i++)
		guest->memory[at + i] ^= 0x5a;
	memcpy(guest->memory + guest->model.avail_at, &flags, 2);
	guest->dirty = true;
	tell(guest, "changes %u bytes at offset %u, %s calls", len, at,
			flags != 0 ? "wants no" : "wants");
}

void
guest_mirror(struct guest *guest)
{
	if (guest->dirty)
		memcpy(guest->model.image, guest->memory, guest->model.memory_len);
	guest->dirty = false;
}

int
guest_difference(struct guest *guest)
{
	struct model_ring *model = &guest->model;
	uint32_t i = 0;

	model_forgive(model, guest->memory);
	if (memcmp(model->image, guest->memory, model->memory_len) == 0)
		return -1;
	while (model->image[i] == guest->memory[i])
		i++;
	return i;
}
