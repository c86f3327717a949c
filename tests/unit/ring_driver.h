/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio driver in a few lines, for tests: guest memory in one allocation that is mapped as
 * several regions, a split ring in it, and chains that a test builds descriptor by descriptor.
 * Guest-physical addresses begin at GUEST_BASE; user addresses at GUEST_USER.
 */
#ifndef TESTS_RING_DRIVER_H
#define TESTS_RING_DRIVER_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "rings/vring_endpoint.h"

#define GUEST_BASE 0x100000u
#define GUEST_USER 0x7f0000000000u
#define GUEST_SIZE (1u << 20)
/* The ring's areas take the first part; buffers are taken from here on. */
#define GUEST_BUFFERS (GUEST_BASE + (256u << 10))

struct driver {
	uint8_t *memory;
	struct split_vring vring; /* what the switch sees */
	struct vring_health health;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t avail_idx; /* made available so far */
	uint16_t seen_used; /* used elements looked at so far */
	uint64_t next_buffer;
};

/* One region; 12-byte header, mergeable, indirect. */
void driver_init(struct driver *driver, uint32_t index, uint32_t size);
void driver_free(struct driver *driver);

/* Cuts the mapping at guest-physical `border` (0: one region) into two adjacent regions. */
void driver_split_memory(struct driver *driver, uint64_t border);

/* `len` bytes of guest memory; its guest-physical address. */
uint64_t driver_buffer(struct driver *driver, uint32_t len);
uint8_t *driver_host(const struct driver *driver, uint64_t addr);

void driver_set_desc(struct driver *driver, uint16_t i, uint64_t addr, uint32_t len, uint16_t flags,
		uint16_t next);
/* Makes the chain that starts at `head` available. */
void driver_offer(struct driver *driver, uint16_t head);

/* Next used element, or false when there is none. */
bool driver_next_used(struct driver *driver, struct vring_used_elem *elem);

#endif
