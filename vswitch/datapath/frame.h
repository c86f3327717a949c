/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame as the datapath sees it: a view, never a copy.
 *
 * A source fills a burst with views of memory that stays valid until the burst is completed; for a vhost
 * port it is the sender's guest memory. The first FRAME_HEAD_LEN bytes are copied once to `head`. Every
 * decision is made on that copy, and a receiver gets these bytes from it. So a sender that changes its
 * memory meanwhile cannot make the delivered frame differ from the switched one. A sink writes the head
 * and then the rest of the segments to the receiver's memory: the only copy of the payload.
 *
 * What the virtio-net header of a frame asks for (a checksum to be completed, a large TCP segment to be
 * cut) travels beside the frame, after offload_read() has checked it against the frame. The headers that
 * it names may be longer than a head, so more of the first bytes of such a frame are copied. burst_head()
 * returns the copied bytes of any frame.
 *
 * A burst belongs to one worker thread; nothing here is shared.
 */
#ifndef VSWITCH_FRAME_H
#define VSWITCH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/switch_limits.h"

struct rte_mbuf;

#define FRAME_HEAD_LEN 64

/*
 * The most segments of all frames of a burst, and so of one chain, too. As with QEMU's limit of 1,024 for
 * a chain, this is far more than any driver uses.
 */
#define BURST_SEGMENTS_MAX 1024

/*
 * A burst ends with the frame that reaches so many bytes, or so many frames on a wire; the others wait for
 * the next turn. That bounds the work for one receiver: each frame may have to be copied, or to be cut into
 * segments that are each written by a system call of 5 to 8 us. 64 frames of 9,018 bytes are still one
 * burst. Frames of 64 KiB are ten in a burst, or five where each has 45 segments for an MTU of 1,500.
 * Because one frame may have 320 segments (OFFLOAD_CUTS_MAX), a burst has at most 191 + 320.
 */
#define BURST_BYTES_MAX (640u << 10)
#define BURST_WIRE_FRAMES_MAX 192

/* The headers of a frame that is to be cut must lie in so many of its first bytes. */
#define FRAME_HEADERS_MAX 256

/* Bytes of a worker's store, for frames that a source must first read into memory. */
#define BURST_STORE_LEN (512u << 10)

/* Offloads that a frame still needs before it can go on a wire. `sink.takes`: those the receiver does. */
#define FRAME_NEEDS_CSUM (1u << 0) /* complete one checksum */
#define FRAME_NEEDS_TSO4 (1u << 1) /* cut TCP over IPv4 into segments; CSUM is set too */
#define FRAME_NEEDS_TSO6 (1u << 2) /* the same over IPv6 */
#define FRAME_NEEDS_ECN (1u << 3) /* with TSO: CWR is set, and only the first segment may keep it */
#define FRAME_NEEDS_ALL 0xfu

struct frame_offload {
	uint8_t needs;	      /* FRAME_NEEDS_ bits, never 0 */
	uint16_t copied;      /* bytes in the burst's headers[]: min(frame's, FRAME_HEADERS_MAX) */
	uint16_t csum_start;  /* the sum goes from here to the frame's end ... */
	uint16_t csum_offset; /* ... and is stored so many bytes after csum_start */
	uint16_t gso_size;    /* TSO: bytes of TCP payload in each segment; 0: not to be cut */
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
	uint64_t offload_mask; /* bit i: offloads[i] says what frame i needs; clear: nothing */
	/* mbufs[i] holds frame i; a sink may take a reference. NULL: the frames are not in mbufs. */
	struct rte_mbuf **mbufs;
	uint8_t *store; /* the worker's, BURST_STORE_LEN bytes; NULL where a burst has no worker */
	struct frame frames[BURST_MAX];
	struct frame_segment segments[BURST_SEGMENTS_MAX];
	struct frame_offload offloads[BURST_MAX];
	uint8_t headers[BURST_MAX][FRAME_HEADERS_MAX]; /* where offload_mask has bit i */
};

_Static_assert(BURST_MAX <= 64, "offload_mask has a bit for each frame");

static inline bool
burst_has_offload(const struct burst *burst, uint32_t i)
{
	return (burst->offload_mask >> i & 1) != 0;
}

/* FRAME_NEEDS_ bits of frame i; 0 for most frames. */
static inline uint8_t
burst_needs(const struct burst *burst, uint32_t i)
{
	return burst_has_offload(burst, i) ? burst->offloads[i].needs : 0;
}

/* Bytes of frame i, or of its longest segment if it is to be cut: the length that an MTU bounds. */
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

/* Whether a VLAN tag begins at `ethertype`, in a frame's copied bytes. */
static inline bool
frame_has_tag(const uint8_t *ethertype)
{
	uint16_t type = (uint16_t)(ethertype[0] << 8 | ethertype[1]);

	return type == ETHERTYPE_CVLAN || type == ETHERTYPE_SVLAN;
}

/*
 * Whether frame i, on a wire, fits a port whose frames have up to `max_frame` bytes. That includes one VLAN
 * tag; a frame that has two tags may be longer by one. The frame must have at least 22 bytes or fit
 * without a second tag, because the tags are read from its head.
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

/* The copied first bytes of frame i, *len of them. The rest is read from its segments. */
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
