/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_model.h"

#include <string.h>

enum walk_end {
	WALK_DONE,
	WALK_BAD,  /* against the rules */
	WALK_FULL, /* more pieces than there is room for */
};

struct model_walk {
	struct model_ring *ring;
	bool write;    /* buffers must be the device's to write */
	uint32_t read; /* descriptors so far */
	uint64_t want; /* bytes; what comes after them is not looked at */
	uint64_t bytes;
	uint32_t n, room;
	struct model_piece *pieces;
};

static uint16_t
read16(const struct model_ring *ring, uint32_t at)
{
	return ring->image[at] | ring->image[at + 1] << 8;
}

static void
write32(struct model_ring *ring, uint32_t at, uint32_t value)
{
	memcpy(ring->image + at, &value, sizeof(value));
}

static const struct model_region *
region_of(const struct model_ring *ring, uint64_t addr)
{
	for (uint32_t i = 0; i < ring->n_regions; i++) {
		const struct model_region *region = &ring->regions[i];

		if (addr >= region->guest_phys_addr &&
				addr <= region->guest_phys_addr + (region->size - 1))
			return region;
	}
	return NULL;
}

static enum walk_end
walk_buffer(struct model_walk *walk, uint64_t addr, uint32_t len)
{
	if (len == 0)
		return WALK_BAD;
	while (len > 0) {
		const struct model_region *region = region_of(walk->ring, addr);
		struct model_piece piece;

		if (region == NULL)
			return WALK_BAD;
		if (walk->n == walk->room)
			return WALK_FULL;
		piece.at = region->at + (uint32_t)(addr - region->guest_phys_addr);
		piece.len = region->at + region->size - piece.at;
		if (piece.len > len)
			piece.len = len;
		walk->pieces[walk->n++] = piece;
		walk->bytes += piece.len;
		addr += piece.len;
		len -= piece.len;
	}
	return WALK_DONE;
}

/* Where descriptor `i` of a table lies in the image; false when not wholly in one region. */
static bool
table_entry(struct model_ring *ring, const struct vring_desc *table, uint32_t i, uint32_t *at)
{
	uint64_t first = table->addr + 16 * i;
	const struct model_region *region = region_of(ring, first);

	if (region == NULL || region != region_of(ring, first + 15))
		return false;
	*at = region->at + (uint32_t)(first - region->guest_phys_addr);
	for (uint32_t b = *at; b < *at + 16; b++) {
		ring->walked[b] = ring->stamp;
		if (ring->written[b] == ring->stamp)
			ring->muddled = true;
	}
	return true;
}

static bool
good_table(const struct model_ring *ring, const struct vring_desc *table)
{
	return ring->indirect && (table->flags & VRING_DESC_F_NEXT) == 0 && table->len > 0 &&
			table->len % 16 == 0 && table->len / 16 <= ring->size;
}

/* Follows descriptors from `i` on, in the ring's own table or in an indirect one. */
static enum walk_end
walk_table(struct model_walk *walk, const struct vring_desc *table, uint32_t i)
{
	struct model_ring *ring = walk->ring;
	uint32_t entries = table == NULL ? ring->size : table->len / 16;

	while (i < entries) {
		struct vring_desc desc;
		uint32_t at = ring->desc_at + 16 * i;
		enum walk_end end;

		walk->read++;
		if (table != NULL && !table_entry(ring, table, i, &at))
			return WALK_BAD;
		memcpy(&desc, ring->image + at, sizeof(desc));
		if ((desc.flags & VRING_DESC_F_INDIRECT) != 0) {
			if (table != NULL || !good_table(ring, &desc))
				return WALK_BAD;
			return walk_table(walk, &desc, 0);
		}
		if (((desc.flags & VRING_DESC_F_WRITE) != 0) != walk->write)
			return WALK_BAD;
		end = walk_buffer(walk, desc.addr, desc.len);
		if (end != WALK_DONE || walk->bytes >= walk->want ||
				(desc.flags & VRING_DESC_F_NEXT) == 0)
			return end;
		i = desc.next;
	}
	return WALK_BAD;
}

/* Available chains; 0 and a broken ring if there are more than it has entries. */
static uint32_t
available(struct model_ring *ring)
{
	uint16_t n = read16(ring, ring->avail_at + 2) - ring->avail;

	if (n <= ring->size)
		return n;
	if (ring->defect == VRING_SOUND)
		ring->defect = VRING_AVAIL_JUMP;
	return 0;
}

/* The next head, or -1 and a broken ring. */
static int
next_head(struct model_ring *ring)
{
	uint16_t head = read16(ring, ring->avail_at + 4 + 2 * (ring->avail % ring->size));

	if (head < ring->size)
		return head;
	if (ring->defect == VRING_SOUND)
		ring->defect = VRING_BAD_HEAD;
	return -1;
}

static bool
usable(const struct model_ring *ring)
{
	return ring->running && ring->defect == VRING_SOUND;
}

static void
give_back(struct model_ring *ring, uint32_t head, uint32_t len)
{
	uint32_t at = ring->used_at + 4 + 8 * (ring->used % ring->size);

	write32(ring, at, head);
	write32(ring, at + 4, len);
	ring->used++;
}

static void
publish(struct model_ring *ring)
{
	memcpy(ring->image + ring->used_at + 2, &ring->used, sizeof(ring->used));
}

/* Copies bytes `from` to `to` (header included) of a frame, those that it has. */
static void
copy_bytes(const struct model_ring *ring, const struct model_burst *burst,
		const struct model_frame *frame, uint32_t from, uint32_t to, uint8_t *bytes)
{
	uint32_t i = 0;

	for (uint32_t p = frame->first; p < frame->first + frame->n; p++)
		for (uint32_t b = 0; b < burst->pieces[p].len && i < to; b++, i++)
			if (i >= from)
				*bytes++ = ring->image[burst->pieces[p].at + b];
}

/* Adds a chain to the burst, or tells why not; *read becomes more by the descriptors read. */
static enum walk_end
add_frame(struct model_ring *ring, struct model_burst *burst, uint32_t head, uint32_t *read)
{
	struct model_walk walk = {
		.ring = ring,
		.want = UINT64_MAX,
		.room = BURST_SEGMENTS_MAX - burst->n_pieces,
		.pieces = burst->pieces + burst->n_pieces,
	};
	enum walk_end end = walk_table(&walk, NULL, head);
	struct model_frame *frame = &burst->frames[burst->n];

	*read += walk.read;
	if (end == WALK_FULL)
		return burst->n_pieces == 0 ? WALK_BAD : WALK_FULL;
	if (end != WALK_DONE || walk.bytes < ring->header_len)
		return WALK_BAD;
	frame->len = walk.bytes - ring->header_len;
	frame->skip = ring->header_len;
	frame->first = burst->n_pieces;
	frame->n = walk.n;
	copy_bytes(ring, burst, frame, frame->skip, frame->skip + FRAME_HEAD_LEN, frame->head);
	burst->n_pieces += walk.n;
	burst->n++;
	if (frame->len > burst->longest)
		burst->longest = frame->len;
	ring->counters.frames++;
	ring->counters.bytes += frame->len;
	return WALK_DONE;
}

uint32_t
model_take(struct model_ring *ring, struct model_burst *burst)
{
	uint64_t bytes = ring->counters.bytes;
	uint32_t n, read = 0;

	burst->n = burst->longest = burst->n_pieces = 0;
	ring->n_taken = 0;
	n = usable(ring) ? available(ring) : 0;
	/* A turn ends when it has read as many descriptors as a burst has pieces, or 640 KiB. */
	while (ring->n_taken < n && ring->n_taken < BURST_MAX && read < 1024 &&
			ring->counters.bytes - bytes < 655360) {
		int head = next_head(ring);
		enum walk_end end;

		if (head < 0)
			break;
		end = add_frame(ring, burst, head, &read);
		if (end == WALK_FULL)
			break;
		if (end == WALK_BAD) {
			ring->counters.frames++;
			ring->counters.copies_due++;
			ring->counters.drops[DROP_BAD_CHAIN]++;
		}
		ring->taken[ring->n_taken++] = head;
		ring->avail++;
	}
	return ring->n_taken;
}

void
model_call(struct model_ring *ring)
{
	if (ring->called && (read16(ring, ring->avail_at) & VRING_AVAIL_F_NO_INTERRUPT) == 0)
		ring->calls++;
}

void
model_complete(struct model_ring *ring)
{
	for (uint32_t i = 0; i < ring->n_taken; i++)
		give_back(ring, ring->taken[i], 0);
	publish(ring);
	model_call(ring);
}

bool
model_arm(struct model_ring *ring)
{
	if (!usable(ring))
		return true;
	ring->image[ring->used_at] = 0;
	ring->image[ring->used_at + 1] = 0;
	return available(ring) == 0;
}

void
model_disarm(struct model_ring *ring)
{
	if (!usable(ring))
		return;
	ring->image[ring->used_at] = VRING_USED_F_NO_NOTIFY;
	ring->image[ring->used_at + 1] = 0;
	if (ring->greeted)
		return;
	ring->greeted = true;
	model_call(ring); /* for the transmitq */
	if (ring->sibling_called)
		model_call(ring);
}

uint32_t
model_frame_bytes(const struct model_ring *from, const struct model_burst *burst, uint32_t i,
		uint8_t *bytes)
{
	const struct model_frame *frame = &burst->frames[i];
	uint32_t len = frame->len < MODEL_FRAME_MAX ? frame->len : MODEL_FRAME_MAX;

	copy_bytes(from, burst, frame, frame->skip, frame->skip + len, bytes);
	memcpy(bytes, frame->head, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
	return len;
}

/* The buffers that one frame gets, before anything is written to them. */
struct model_buffers {
	uint32_t n;
	uint32_t heads[MODEL_FRAME_MAX];
	uint32_t lens[MODEL_FRAME_MAX];
	uint32_t n_pieces;
	struct model_piece pieces[BURST_SEGMENTS_MAX];
};

enum gathered {
	GATHERED,
	GATHERED_BAD,	  /* the last buffer is wrong */
	GATHERED_TOO_FEW, /* no more buffers, or a head that is none */
	GATHERED_TOO_BIG, /* for this ring's buffers, or in too many pieces */
};

/* The fewest bytes of a buffer that may serve: a header, and if all is in it a shortest frame. */
static uint32_t
least_buffer(const struct model_ring *ring)
{
	return ring->mergeable ? ring->header_len : ring->header_len + 14;
}

/* Whether one descriptor in one region is the whole next buffer, and large enough. */
static bool
one_is_enough(const struct model_ring *ring, uint32_t need)
{
	uint16_t head = read16(ring, ring->avail_at + 4 + 2 * (ring->avail % ring->size));
	const struct model_region *region;
	struct vring_desc desc;

	if (head >= ring->size)
		return false;
	memcpy(&desc, ring->image + ring->desc_at + 16 * head, sizeof(desc));
	region = region_of(ring, desc.addr);
	return desc.flags == VRING_DESC_F_WRITE && desc.len >= need && region != NULL &&
			desc.len <= region->size - (desc.addr - region->guest_phys_addr);
}

/*
 * Whether the buffers that come next are known to hold less. One descriptor is looked at all the
 * same: who breaks the rules may have changed it.
 */
static bool
known_too_small(const struct model_ring *ring, uint32_t need, uint32_t read)
{
	uint16_t end = read16(ring, ring->avail_at + 2);

	if (read < 4096 && one_is_enough(ring, need))
		return false;
	return ring->no_room != 0 && need >= ring->no_room && ring->avail == ring->no_room_at &&
			(ring->no_room_ever || end == ring->no_room_end);
}

static void
remember_too_small(struct model_ring *ring, uint32_t need, bool ever)
{
	ring->no_room = need;
	ring->no_room_at = ring->avail;
	ring->no_room_end = read16(ring, ring->avail_at + 2);
	ring->no_room_ever = ever;
}

/*
 * Takes buffers for `need` bytes. The turn has read *read descriptors so far, and begins no buffer
 * when they are 4,096.
 */
static enum gathered
gather(struct model_ring *ring, uint32_t need, struct model_buffers *buffers, uint32_t *read)
{
	buffers->n = buffers->n_pieces = 0;
	do {
		struct model_walk walk = {
			.ring = ring,
			.write = true,
			.want = need,
			.room = BURST_SEGMENTS_MAX - buffers->n_pieces,
			.pieces = buffers->pieces + buffers->n_pieces,
		};
		int head = available(ring) > 0 && *read < 4096 ? next_head(ring) : -1;
		enum walk_end end;
		uint32_t len;

		if (head < 0)
			return GATHERED_TOO_FEW;
		end = walk_table(&walk, NULL, head);
		*read += walk.read;
		if (end == WALK_FULL && buffers->n_pieces > 0)
			return GATHERED_TOO_BIG;
		if (end == WALK_DONE && walk.bytes < need && walk.bytes < least_buffer(ring))
			end = WALK_BAD;
		len = end != WALK_DONE ? 0 : walk.bytes < need ? walk.bytes : need;
		ring->avail++;
		buffers->heads[buffers->n] = head;
		buffers->lens[buffers->n++] = len;
		if (len == 0)
			return GATHERED_BAD;
		buffers->n_pieces += walk.n;
		need -= len;
	} while (need > 0 && ring->mergeable);
	return need > 0 ? GATHERED_TOO_BIG : GATHERED;
}

/* Writes `n` bytes, one after the other, into the pieces. */
static void
scatter(struct model_ring *ring, const struct model_buffers *buffers, const uint8_t *bytes,
		uint32_t n)
{
	for (uint32_t p = 0; p < buffers->n_pieces; p++) {
		for (uint32_t b = 0; b < buffers->pieces[p].len && n > 0; b++, n--) {
			uint32_t at = buffers->pieces[p].at + b;

			if (ring->written[at] == ring->stamp)
				ring->unsure[ring->n_unsure++ % MODEL_MEMORY] = at;
			if (ring->walked[at] == ring->stamp)
				ring->muddled = true;
			ring->written[at] = ring->stamp;
			ring->image[at] = *bytes++;
		}
	}
}

static void
deliver(struct model_ring *ring, const struct model_buffers *buffers, const struct model_ring *from,
		const struct model_burst *burst, uint32_t i)
{
	uint8_t bytes[VNET_HDR_LEN + MODEL_FRAME_MAX];
	uint32_t len = model_frame_bytes(from, burst, i, bytes + ring->header_len);

	memset(bytes, 0, ring->header_len);
	if (ring->header_len == VNET_HDR_LEN)
		memcpy(bytes + VNET_HDR_NUM_BUFFERS, &buffers->n, 2);
	scatter(ring, buffers, bytes, ring->header_len + len);
	for (uint32_t b = 0; b < buffers->n; b++)
		give_back(ring, buffers->heads[b], buffers->lens[b]);
	ring->counters.frames++;
	ring->counters.bytes += len;
}

bool
model_place(struct model_ring *ring, const struct model_ring *from, const struct model_burst *burst,
		const uint8_t *list, uint32_t n)
{
	static struct model_buffers buffers;
	uint16_t used = ring->used;
	enum drop_reason left = DROP_RING_FULL;
	uint32_t i = 0, read = 0;

	ring->stamp++;
	ring->n_unsure = 0;
	if (!usable(ring))
		left = DROP_NOT_READY;
	for (; i < n && usable(ring) && available(ring) > 0; i++) {
		uint32_t need = burst->frames[list[i]].len + ring->header_len;
		uint16_t avail = ring->avail;
		enum gathered gathered;

		if (known_too_small(ring, need, read)) {
			if (!ring->no_room_ever)
				break;
			ring->counters.drops[DROP_TOO_BIG]++;
			continue;
		}
		gathered = gather(ring, need, &buffers, &read);
		if (gathered == GATHERED) {
			deliver(ring, &buffers, from, burst, list[i]);
		} else if (gathered == GATHERED_BAD) {
			for (uint32_t b = 0; b < buffers.n; b++)
				give_back(ring, buffers.heads[b], 0);
			ring->counters.drops[DROP_BAD_CHAIN]++;
		} else {
			bool none_left = available(ring) == 0;

			ring->avail = avail;
			if (gathered == GATHERED_TOO_BIG || none_left)
				remember_too_small(ring, need, gathered == GATHERED_TOO_BIG);
			if (gathered == GATHERED_TOO_FEW)
				break;
			ring->counters.drops[DROP_TOO_BIG]++;
		}
	}
	if (ring->avail != ring->no_room_at)
		ring->no_room = 0;
	ring->counters.drops[left] += n - i;
	if (ring->used == used)
		return false;
	publish(ring);
	return true;
}

void
model_forgive(struct model_ring *ring, const uint8_t *memory)
{
	for (uint32_t i = 0; i < ring->n_unsure && i < MODEL_MEMORY; i++)
		ring->image[ring->unsure[i]] = memory[ring->unsure[i]];
	ring->n_unsure = 0;
	/* Elements that the driver has made room for and that are not published yet. */
	for (uint32_t i = 0; i < ring->size; i++) {
		uint16_t n = ring->used + i;
		uint32_t at = ring->used_at + 4 + 8 * (n % ring->size);

		if (i >= (uint16_t)(read16(ring, ring->avail_at + 2) - ring->used))
			break;
		memcpy(ring->image + at, memory + at, 8);
	}
}
