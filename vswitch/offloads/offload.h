/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksum and segmentation offload (VIRTIO 1.1, 5.1.6): what a sender's virtio-net header asks
 * for, checked; the header that a receiver gets; and the work itself, for receivers that do not
 * take it over.
 *
 * A frame that a receiver takes as it is travels with its header, and no byte of its payload is
 * looked at. For any other receiver offload_split() makes the frames that go on a wire: views again,
 * of a patched copy of the headers and slices of the sender's payload, so that the payload is still
 * copied once, by the sink.
 *
 * Workers; pure: no I/O, no DPDK. Every field that a header names is a stranger's.
 */
#ifndef VSWITCH_OFFLOAD_H
#define VSWITCH_OFFLOAD_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"

/*
 * The most segments of one frame: 64 KiB in segments of 205 bytes. Each may cost a system call of 5 to
 * 8 us, so a frame is 2 ms at most. A peer may ask Linux for less, down to 48 bytes
 * (net.ipv4.tcp_min_snd_mss). One that can take so little, where 536 is what TCP assumes of anybody
 * (RFC 9293, 3.7.1), has no window of so many segments; if it has, TCP goes on with fewer after the
 * loss.
 */
#define OFFLOAD_CUTS_MAX 320

/*
 * Segments that a frame with offloads may lie in: one more is needed to give it new headers, and one for
 * an edit before that (switching/edit.h).
 */
#define OFFLOAD_SEGMENTS_MAX (BURST_SEGMENTS_MAX - 2)
/* ... and two more for a checksum field behind its first FRAME_HEADERS_MAX bytes. */
#define OFFLOAD_SEGMENTS_FAR (OFFLOAD_SEGMENTS_MAX - 2)

/*
 * Reads the virtio-net header of frame i, whose segments, n_segments and len are set: copies its
 * first bytes to headers[i] and from there to its head, checks the header against them, and sets
 * offloads[i] and the bit of offload_mask. For a header that asks for nothing it leaves all these as
 * they are. The header is the caller's copy, little-endian (so that of a legacy driver too: only
 * little-endian hosts are served). `allowed` has the FRAME_NEEDS_ bits that the sender may use.
 *
 * A frame whose TCP payload fits into one segment is not to be cut: it needs CSUM alone.
 *
 * False when the header lies: what it names does not lie within the frame, is not what the frame's
 * own headers say, or is not allowed. Then the frame must be dropped as DROP_BAD_OFFLOAD; a burst's
 * headers[i] and the frame's head are undefined.
 */
bool
offload_read(struct burst *burst, uint32_t i, const struct virtio_net_hdr *header, uint8_t allowed);

/*
 * The virtio-net header for a receiver that takes frame i as it is: the frame's own, with hdr_len
 * as it should be; all zero for a frame that needs nothing. Little-endian.
 */
void offload_write(const struct burst *burst, uint32_t i, struct virtio_net_hdr *header);

/* How many frames frame i is on a wire: its TCP segments, or 1. */
static inline uint32_t
offload_count(const struct burst *burst, uint32_t i)
{
	const struct frame_offload *offload = &burst->offloads[i];
	uint32_t payload;

	if (!burst_has_offload(burst, i) || offload->gso_size == 0)
		return 1;
	payload = burst->frames[i].len - offload->header_len;
	return (payload + offload->gso_size - 1) / offload->gso_size;
}

/*
 * Does what frame i of `from` needs and `takes` (FRAME_NEEDS_ bits) does not cover, into `to`: one
 * frame with its checksum complete, or its TCP segments from number `first` on (the first is 0), as
 * many as `to` has room for and at least one. Where `takes` has CSUM the segments are left to be
 * checksummed. At least one need must be uncovered. `from` must stay while `to` is used; `to` is
 * overwritten but for its store. Returns how many segments there are in all (1 for a frame that is
 * not cut): the caller comes again with first + to->n until that is the answer.
 *
 * A sender that changes its payload meanwhile gets segments with wrong checksums and nothing else.
 */
uint32_t offload_split(const struct burst *from, uint32_t i, uint8_t takes, uint32_t first,
		struct burst *to);

#endif
