/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksum and segmentation offload (VIRTIO 1.1, 5.1.6): checks what a sender's virtio-net header asks
 * for, writes a receiver's header, and does the work in software for receivers that do not do it.
 *
 * To a receiver that does all offloads of a frame it goes with its header, and no byte of its payload is
 * read. For any other receiver offload_split() makes frames as they go on a wire. These are views, too: of
 * a patched copy of the headers and of slices of the sender's payload. So the payload is still copied
 * once, by the sink.
 *
 * Workers; pure: no I/O, no DPDK. A stranger writes every field of a header.
 */
#ifndef VSWITCH_OFFLOAD_H
#define VSWITCH_OFFLOAD_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"

/*
 * The most TCP segments of one frame: 64 KiB in segments of 205 bytes. Each may cost a system call of 5 to
 * 8 us, so a frame costs 2 ms at most. A peer may ask Linux for smaller segments, down to 48 bytes
 * (net.ipv4.tcp_min_snd_mss), though TCP assumes 536 by default (RFC 9293, 3.7.1). Such a peer hardly has a
 * window of so many segments; if it has, TCP goes on with fewer after the loss.
 */
#define OFFLOAD_CUTS_MAX 320

/*
 * The most pieces that a frame with offloads may lie in: its new headers need one more, and an edit before
 * that one, too (switching/edit.h).
 */
#define OFFLOAD_SEGMENTS_MAX (BURST_SEGMENTS_MAX - 2)
/* The same with a checksum field after the first FRAME_HEADERS_MAX bytes, which needs two more. */
#define OFFLOAD_SEGMENTS_FAR (OFFLOAD_SEGMENTS_MAX - 2)

/*
 * Reads the virtio-net header of frame i, whose segments, n_segments and len are set. Copies its first
 * bytes to headers[i] and from there to its head, checks the header against them, and sets offloads[i] and
 * the bit of offload_mask. A header that asks for nothing changes none of these. `header` is the caller's
 * copy, little-endian (a legacy driver's, too, because only little-endian hosts are supported). `allowed`:
 * the FRAME_NEEDS_ bits that the sender may use.
 *
 * A frame whose TCP payload fits into one segment is not cut: it needs CSUM alone.
 *
 * False when the header is wrong: it points outside the frame, contradicts the frame's own headers, or is
 * not allowed. Then drop the frame as DROP_BAD_OFFLOAD; headers[i] and the frame's head are undefined.
 */
bool
offload_read(struct burst *burst, uint32_t i, const struct virtio_net_hdr *header, uint8_t allowed);

/*
 * The virtio-net header for a receiver that does all offloads of frame i: the sender's, with a correct
 * hdr_len; all zero for a frame that needs nothing. Little-endian.
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
 * Finishes in software the offloads of frame i of `from` that are not in `takes` (FRAME_NEEDS_ bits), of
 * which there must be one. Writes the results to `to`: one frame with a complete checksum, or the frame's
 * TCP segments from number `first` on (counted from 0), as many as fit and at least one. If `takes` has
 * CSUM, the segments still need their checksum. `from` must stay valid while `to` is used; `to` is
 * overwritten except its store. Returns the total number of segments (1 for a frame that is not cut). The
 * caller calls again with first + to->n until that sum reaches the total.
 *
 * A sender that changes its payload meanwhile only causes segments with wrong checksums.
 */
uint32_t offload_split(const struct burst *from, uint32_t i, uint8_t takes, uint32_t first,
		struct burst *to);

#endif
