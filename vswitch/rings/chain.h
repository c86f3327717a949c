/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns descriptor chains into a bounded number of host segments (VIRTIO 1.1, 2.6.5). A stranger's
 * addresses, lengths, flags and links are checked here. Workers call it. Plain C, no DPDK.
 */
#ifndef VSWITCH_CHAIN_H
#define VSWITCH_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"
#include "vring.h"

/* What the device may do: it reads a transmitq's buffers and writes a receiveq's. */
enum chain_access {
	CHAIN_READ,
	CHAIN_WRITE,
};

#define CHAIN_BAD (-1)	    /* breaks the rules, or needs over BURST_SEGMENTS_MAX segments */
#define CHAIN_NO_SPACE (-2) /* needs over `max` segments, but not over BURST_SEGMENTS_MAX */

/*
 * Bounds of the descriptors that one turn reads of one ring. Once so many are read, the turn begins no
 * further chain. So it reads at most BURST_SEGMENTS_MAX more, whatever the ring holds.
 *
 * Taking: as many as a burst has segments, because each segment is a descriptor. Further chains wait for
 * the next turn.
 *
 * Placing: a burst of BURST_BYTES_MAX takes 950, in mergeable buffers of 1,526 bytes, the smallest that
 * drivers make, each with a separate descriptor for the header. If buffers are so small that 4,096
 * descriptors do not hold a burst, the rest of it is lost, as in a ring with too few buffers.
 */
#define CHAIN_TAKE_MAX BURST_SEGMENTS_MAX
#define CHAIN_PLACE_MAX (4 * BURST_SEGMENTS_MAX)

/*
 * Walks the chain that starts at `head` (the caller has checked that it is below the ring's size) and
 * writes its memory to `segments`, which has room for `max`. A buffer that crosses a region's border makes
 * two segments. Returns the number of segments or CHAIN_*, and the sum of their lengths in *bytes. Stops
 * early when `want` bytes are covered. Adds the number of descriptors that it read to *followed, also for
 * a bad chain: at most max + 2, because each descriptor makes at least one segment.
 *
 * VIRTIO 1.1 neither allows nor forbids a descriptor of no bytes. Here it is bad, because it costs time
 * and holds nothing. QEMU's devices and libvhost-user even stop the whole device. Linux makes none; DPDK's
 * driver makes one only for an empty segment of an mbuf. An indirect table may have at most as many entries
 * as the ring.
 */
int
chain_walk(const struct split_vring *vring, uint32_t head, enum chain_access access, uint64_t want,
		struct frame_segment *segments, uint32_t max, uint64_t *bytes, uint32_t *followed);

#endif
