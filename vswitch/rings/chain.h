/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptor chains into bounded host segments (VIRTIO 1.1, 2.6.5): the place where a stranger's
 * addresses, lengths, flags and links are checked. Workers call it. Plain C, no DPDK.
 */
#ifndef VSWITCH_CHAIN_H
#define VSWITCH_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"
#include "vring.h"

/* Whose buffers they are: the device reads a transmitq's and writes a receiveq's. */
enum chain_access {
	CHAIN_READ,
	CHAIN_WRITE,
};

#define CHAIN_BAD (-1)	    /* breaks the rules, or needs over BURST_SEGMENTS_MAX segments */
#define CHAIN_NO_SPACE (-2) /* needs over `max` segments, but not over BURST_SEGMENTS_MAX */

/*
 * Descriptors of one ring that are read in one turn; with that many a turn begins no other chain. So
 * it reads BURST_SEGMENTS_MAX more at most, whatever the ring holds.
 *
 * To take: as many as a burst has segments, each of which is a descriptor. A chain that comes
 * later is the next turn's.
 *
 * To place: a burst of BURST_BYTES_MAX in mergeable buffers of 1,526 bytes, the smallest that
 * drivers make, with a descriptor of its own for the header in each, takes 950. A ring whose
 * buffers are so small that 4,096 do not hold a burst loses the rest of it, as one that has too few.
 */
#define CHAIN_TAKE_MAX BURST_SEGMENTS_MAX
#define CHAIN_PLACE_MAX (4 * BURST_SEGMENTS_MAX)

/*
 * Walks the chain that starts at `head` (checked to be below the ring's size) and appends its
 * memory to `segments`, which has room for `max`; a buffer that crosses a region's border makes
 * two. Returns how many, and the sum of their lengths in *bytes. Stops early when `want` bytes are
 * covered. Adds to *followed how many descriptors it has read, also of a bad chain: as each is
 * good for a segment at least, these are at most max + 2.
 *
 * VIRTIO 1.1 neither allows nor forbids a descriptor of no bytes. Here it is bad, as for QEMU's
 * devices and libvhost-user, which stop the whole device: it would cost time and hold nothing. Linux
 * makes none; DPDK's driver makes one only for an empty segment of an mbuf. An indirect table has as
 * many entries as the ring at most.
 */
int
chain_walk(const struct split_vring *vring, uint32_t head, enum chain_access access, uint64_t want,
		struct frame_segment *segments, uint32_t max, uint64_t *bytes, uint32_t *followed);

#endif
