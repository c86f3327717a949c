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
 * What the virtio-net header of a frame asks for (a checksum to be completed, a large TCP segment to
 * be cut) travels beside it, checked against the frame by offload_read(). The headers that it
 * speaks of are longer than a head, so such a frame has more of its first bytes copied:
 * burst_head() says for any frame where its copied bytes are.
 *
 * Bursts belong to one worker thread; nothing here is shared.
 */
#ifndef VSWITCH_FRAME_H
#define VSWITCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/switch_limits.h"

struct rte_mbuf;

#define FRAME_HEAD_LEN 64

/*
 * Segments of one burst together; a chain alone may have at most BURST_SEGMENTS_MAX. Like QEMU's
 * own limit of 1,024 for a chain, this is far more than any driver uses.
 */
#define BURST_SEGMENTS_MAX 1024

/*
 * A burst ends with the frame that makes it so many bytes, or so many frames on a wire: what remains
 * is the next turn's. That bounds the work for one receiver, who may need each frame copied, or cut
 * into segments and each of them written by a system call, which takes 5 to 8 us. 64 frames of 9,018
 * bytes are still one burst; of 64 KiB ten are, or five of 45 segments where the MTU is 1,500. As
 * one frame may have 320 segments (OFFLOAD_CUTS_MAX), the most of a burst is 191 and 320.
 */
#define BURST_BYTES_MAX (640u << 10)
#define BURST_WIRE_FRAMES_MAX 192

/* Bytes at the beginning of a frame within which the headers of one that is to be cut must lie. */
#define FRAME_HEADERS_MAX 256

/* Bytes of a worker's store: frames that a source has to read from somewhere lie there. */
#define BURST_STORE_LEN (512u << 10)

/* What a frame needs done before it is as it goes on a wire; a sink tells which it takes undone. */
#define FRAME_NEEDS_CSUM (1u << 0) /* complete one checksum */
#define FRAME_NEEDS_TSO4 (1u << 1) /* cut TCP over IPv4 into segments; CSUM is set too */
#define FRAME_NEEDS_TSO6 (1u << 2) /* the same over IPv6 */
#define FRAME_NEEDS_ECN (1u << 3)  /* ... and CWR is set, which only the first segment may have */
#define FRAME_NEEDS_ALL 0xfu

struct frame_offload {
	uint8_t needs;	      /* FRAME_NEEDS_ bits, never 0 */
	uint16_t copied;      /* bytes in the burst's headers[]: min(frame's, FRAME_HEADERS_MAX) */
	uint16_t csum_start;  /* the sum goes from here to the frame's end ... */
	uint16_t csum_offset; /* ... and is stored here, in bytes from csum_start */
	uint16_t gso_size;    /* TSO: bytes of TCP payload a segment */
	uint16_t header_len;  /* TSO: bytes of the Ethernet, IP and TCP headers */
};

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
	uint32_t longest; /* bytes of the longest frame as it goes on a wire: burst_wire_len() */
	uint64_t offload_mask; /* bit i: offloads[i] says what frame i needs; 0: nothing */
	/* Frame i is this mbuf, which a sink may take a reference to; NULL: no mbufs. */
	struct rte_mbuf **mbufs;
	uint8_t *store; /* the worker's, BURST_STORE_LEN bytes; NULL in bursts of no worker */
	struct frame frames[BURST_MAX];
	struct frame_segment segments[BURST_SEGMENTS_MAX];
	struct frame_offload offloads[BURST_MAX];
	uint8_t headers[BURST_MAX][FRAME_HEADERS_MAX]; /* where offloads[i].needs */
};

_Static_assert(BURST_MAX <= 64, "offload_mask has a bit a frame");

static inline bool
burst_has_offload(const struct burst *burst, uint32_t i)
{
	return (burst->offload_mask >> i & 1) != 0;
}

/* What frame i needs, FRAME_NEEDS_ bits; 0 for most. */
static inline uint8_t
burst_needs(const struct burst *burst, uint32_t i)
{
	return burst_has_offload(burst, i) ? burst->offloads[i].needs : 0;
}

/* Bytes of frame i, or of its longest segment if it is to be cut: what an MTU bounds. */
static inline uint32_t
burst_wire_len(const struct burst *burst, uint32_t i)
{
	const struct frame_offload *offload = &burst->offloads[i];

	if (burst_has_offload(burst, i) && offload->gso_size != 0)
		return (uint32_t)offload->header_len + offload->gso_size;
	return burst->frames[i].len;
}

/* EtherTypes of 802.1Q (customer) and 802.1ad (service) tags. */
#define ETHERTYPE_CVLAN 0x8100
#define ETHERTYPE_SVLAN 0x88a8

/* Whether a VLAN tag begins here, at an EtherType in a frame's copied bytes. */
static inline bool
frame_has_tag(const uint8_t *ethertype)
{
	uint16_t type = (uint16_t)(ethertype[0] << 8 | ethertype[1]);

	return type == ETHERTYPE_CVLAN || type == ETHERTYPE_SVLAN;
}

/*
 * Whether frame i, on a wire, is not too long for a port whose frames with one tag at most have up to
 * `max_frame` bytes; a second tag is allowed for where there is one. Of 22 bytes or more, or short
 * enough: else its head says nothing.
 */
static inline bool
burst_fits(const struct burst *burst, uint32_t i, uint32_t max_frame)
{
	const uint8_t *type = burst->frames[i].head + ETHERNET_HEADER_LEN - 2;
	uint32_t len = burst_wire_len(burst, i);

	if (len <= max_frame)
		return true;
	return len <= max_frame + VLAN_TAG_LEN && frame_has_tag(type) &&
			frame_has_tag(type + VLAN_TAG_LEN);
}

/* The copied first bytes of frame i; what follows them is read from its segments. */
static inline const uint8_t *
burst_head(const struct burst *burst, uint32_t i, uint32_t *len)
{
	const struct frame *frame = &burst->frames[i];

	if (burst_has_offload(burst, i)) {
		*len = burst->offloads[i].copied;
		return burst->headers[i];
	}
	*len = frame->len < FRAME_HEAD_LEN ? frame->len : FRAME_HEAD_LEN;
	return frame->head;
}

#endif
