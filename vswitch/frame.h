/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame as the datapath sees it: a view, never a copy.
 *
 * A source (a vhost port's transmitq, later a NIC) fills a burst with views over memory that
 * stays put until the burst is completed: the sender's guest memory for a vhost port. The first
 * FRAME_HEAD_LEN bytes are copied once to `head`; every decision and every byte of the header
 * that a receiver gets comes from that copy, so a sender that changes its memory meanwhile cannot
 * make the delivered frame differ from the switched one. A sink writes head and then the rest of
 * the segments into the receiver's memory: the one copy of the payload.
 *
 * Bursts belong to one worker thread; nothing here is shared.
 */
#ifndef VSWITCH_FRAME_H
#define VSWITCH_FRAME_H

#include <stdint.h>

#include "switch_limits.h"

#define FRAME_HEAD_LEN 64

/*
 * Segments of one burst together; a chain alone may have at most BURST_SEGMENTS_MAX. Like QEMU's
 * own limit of 1,024 for a chain, this is far more than any driver uses.
 */
#define BURST_SEGMENTS_MAX 1024

struct frame_segment {
	const uint8_t *data;
	uint32_t len;
};

struct frame {
	uint8_t head[FRAME_HEAD_LEN];	      /* first min(len, 64) bytes; the rest is undefined */
	const struct frame_segment *segments; /* the whole frame, its first byte included */
	uint32_t n_segments;
	uint32_t len; /* bytes from the destination address on, without FCS */
} __attribute__((aligned(64)));

struct burst {
	uint32_t n;	  /* frames */
	uint32_t longest; /* bytes of the longest frame */
	struct frame frames[BURST_MAX];
	struct frame_segment segments[BURST_SEGMENTS_MAX];
};

#endif
