/* SPDX-License-Identifier: BSD-3-Clause */
#include "chain.h"

#include <string.h>

/*
 * The state of a walk. Descriptors come from the ring's table or from one indirect table. Every loop ends
 * because each descriptor needs a segment. So the limit is `max` segments, also where the specification
 * would allow a longer chain (2.6.5.3.1).
 */
struct walk {
	const struct split_vring *vring;
	struct frame_segment *segments;
	uint32_t n_segments;
	uint32_t max;
	uint32_t followed;
	uint64_t bytes;
	uint16_t access_flag; /* VRING_DESC_F_WRITE when the device writes, else 0 */
};

/* Appends one buffer; one that crosses into the next memory region becomes two segments. */
static int
append_buffer(struct walk *walk, uint64_t addr, uint32_t len)
{
	if (len == 0)
		return CHAIN_BAD;
	while (len > 0) {
		uint64_t available;
		uint8_t *host = guest_mem_translate(&walk->vring->mem, addr, &available);

		if (host == NULL)
			return CHAIN_BAD;
		if (walk->n_segments == walk->max)
			return CHAIN_NO_SPACE;
		if (available > len)
			available = len;
		walk->segments[walk->n_segments].data = host;
		walk->segments[walk->n_segments].len = available;
		walk->n_segments++;
		walk->bytes += available;
		addr += available;
		len -= available;
	}
	return 0;
}

/*
 * Reads entry `i` of an indirect table at guest-physical `table`. The table is guest memory like
 * any other: it need not be aligned, and may cross a region's border between two entries.
 */
static int
read_indirect(const struct split_vring *vring, uint64_t table, uint32_t i, struct vring_desc *desc)
{
	uint64_t available;
	const uint8_t *host;

	host = guest_mem_translate(&vring->mem, table + i * sizeof(*desc), &available);
	if (host == NULL || available < sizeof(*desc))
		return CHAIN_BAD;
	memcpy(desc, host, sizeof(*desc));
	/* only the copy counts from here on: the compiler must not read the guest's memory again */
	__asm__ volatile("" : "+m"(*desc));
	return 0;
}

/* VIRTIO 1.1, 2.6.5.3: a table holds no table; of its entries' flags only NEXT and WRITE count. */
static int
walk_indirect(struct walk *walk, const struct vring_desc *outer, uint64_t want)
{
	uint32_t n = outer->len / sizeof(struct vring_desc);
	uint32_t i = 0;

	if (!walk->vring->indirect || outer->len % sizeof(struct vring_desc) != 0 || n == 0 ||
			n > walk->vring->size)
		return CHAIN_BAD;
	for (;;) {
		struct vring_desc desc;
		int ret = read_indirect(walk->vring, outer->addr, i, &desc);

		walk->followed++;
		if (ret != 0)
			return ret;
		if ((desc.flags & VRING_DESC_F_INDIRECT) != 0 ||
				(desc.flags & VRING_DESC_F_WRITE) != walk->access_flag)
			return CHAIN_BAD;
		ret = append_buffer(walk, desc.addr, desc.len);
		if (ret != 0)
			return ret;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0 || walk->bytes >= want)
			return 0;
		i = desc.next;
		if (i >= n)
			return CHAIN_BAD;
	}
}

static int
walk_direct(struct walk *walk, uint32_t head, uint64_t want)
{
	const struct split_vring *vring = walk->vring;
	uint32_t i = head;

	for (;;) {
		struct vring_desc desc = vring_desc_read(&vring->desc[i]);
		int ret;

		walk->followed++;
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (desc.flags & VRING_DESC_F_NEXT)
				return CHAIN_BAD;
			return walk_indirect(walk, &desc, want);
		}
		if ((desc.flags & VRING_DESC_F_WRITE) != walk->access_flag)
			return CHAIN_BAD;
		ret = append_buffer(walk, desc.addr, desc.len);
		if (ret != 0)
			return ret;
		if ((desc.flags & VRING_DESC_F_NEXT) == 0 || walk->bytes >= want)
			return 0;
		i = desc.next;
		if (i >= vring->size)
			return CHAIN_BAD;
	}
}

int
chain_walk(const struct split_vring *vring, uint32_t head, enum chain_access access, uint64_t want,
		struct frame_segment *segments, uint32_t max, uint64_t *bytes, uint32_t *followed)
{
	struct walk walk = {
		.vring = vring,
		.segments = segments,
		.max = max,
		.access_flag = access == CHAIN_WRITE ? VRING_DESC_F_WRITE : 0,
	};
	int ret = walk_direct(&walk, head, want);

	*followed += walk.followed;
	if (ret == CHAIN_NO_SPACE && max >= BURST_SEGMENTS_MAX)
		return CHAIN_BAD;
	if (ret != 0)
		return ret;
	*bytes = walk.bytes;
	return walk.n_segments;
}
