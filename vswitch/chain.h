/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptor chains into bounded host segments (VIRTIO 1.1, 2.6.5): the place where a stranger's
 * addresses, lengths, flags and links are checked. Workers call it. Plain C, no DPDK.
 */
#ifndef VSWITCH_CHAIN_H
#define VSWITCH_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "vring.h"

/* Whose buffers they are: the device reads a transmitq's and writes a receiveq's. */
enum chain_access {
	CHAIN_READ,
	CHAIN_WRITE,
};

#define CHAIN_BAD (-1)	    /* breaks the rules, or needs over BURST_SEGMENTS_MAX segments */
#define CHAIN_NO_SPACE (-2) /* needs over `max` segments, but not over BURST_SEGMENTS_MAX */

/*
 * Walks the chain that starts at `head` (checked to be below the ring's size) and appends its
 * memory to `segments`, which has room for `max`; a buffer that crosses a region's border makes
 * two. Returns how many, and the sum of their lengths in *bytes. Stops early when `want` bytes are
 * covered. At most BURST_SEGMENTS_MAX descriptors are followed, so a loop is a bad chain; an
 * indirect table has as many entries as the ring at most.
 */
int chain_walk(const struct split_vring *vring, uint32_t head, enum chain_access access,
		uint64_t want, struct frame_segment *segments, uint32_t max, uint64_t *bytes);

#endif
