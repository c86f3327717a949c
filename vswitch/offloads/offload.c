/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The virtio-net header: reads and checks a sender's, and writes a receiver's. Offloads that a receiver
 * does not do itself are done in offload_split.c.
 *
 * A header is checked against the copy of the frame's first bytes, and the same copy is delivered. So
 * what the header tells a receiver's network stack is true of the bytes that it gets, even from a
 * hostile sender.
 */
#include "offload.h"

#include <endian.h>
#include <string.h>

#include "base/copy.h"
#include "offload_headers.h"

/* The bits that only a fragment has: "more fragments", and an offset. */
#define IPV4_FRAGMENT_MASK 0x3fff

/* The smallest frame with TCP payload. It is long enough to read 20 bytes after two VLAN tags. */
#define GSO_FRAME_MIN (ETHERNET_HEADER_LEN + IPV4_LEN + TCP_LEN + 1)

/* Offsets in a frame of TCP. */
struct tcp_frame {
	uint32_t network;
	uint32_t transport;
	uint32_t payload;
};

/* Translates flags and type. False for a type that is not offered, ECN without TSO, and TSO without CSUM. */
static bool
read_needs(const struct virtio_net_hdr *header, uint8_t *needs)
{
	*needs = 0;
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		*needs |= FRAME_NEEDS_CSUM;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	if (header->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		*needs |= FRAME_NEEDS_ECN;
	switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		*needs |= FRAME_NEEDS_TSO4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		*needs |= FRAME_NEEDS_TSO6;
		break;
	default:
		return false;
	}
	/* VIRTIO 1.1, 5.1.6.2.1: a segment's checksum is always the device's. */
	return (*needs & FRAME_NEEDS_CSUM) != 0;
}

static void
copy_headers(struct burst *burst, uint32_t i, uint16_t copied)
{
	const struct frame_segment *segment = burst->frames[i].segments;
	uint8_t *headers = burst->headers[i];

	for (uint32_t done = 0; done < copied; segment++) {
		uint32_t len = segment->len < copied - done ? segment->len : copied - done;

		memcpy(headers + done, segment->data, len);
		done += len;
	}
	/* only the copy counts from here on: the compiler must not read the sender's memory again */
	__asm__ volatile("" : : : "memory");
	copy_64(burst->frames[i].head, headers);
}

/* True for IPv4 that is not a fragment, ends where the frame ends and carries TCP. Sets `transport`. */
static bool
check_ipv4(const uint8_t *headers, uint32_t len, struct tcp_frame *tcp)
{
	const uint8_t *ip = headers + tcp->network;
	uint32_t ihl = (ip[0] & 0xfu) * 4;

	if (ip[0] >> 4 != 4 || ihl < IPV4_LEN)
		return false;
	if (headers_get16(ip + IPV4_TOTAL_LENGTH) != len - tcp->network)
		return false;
	if ((headers_get16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) != 0)
		return false;
	tcp->transport = tcp->network + ihl;
	return ip[IPV4_PROTOCOL] == IPPROTO_TCP;
}

static bool
is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS;
}

/*
 * The same for IPv6. Skips extension headers, except a fragment header: a frame that is to be cut cannot
 * have one.
 */
static bool
check_ipv6(const uint8_t *headers, uint32_t len, uint32_t copied, struct tcp_frame *tcp)
{
	const uint8_t *ip = headers + tcp->network;
	uint32_t at = tcp->network + IPV6_LEN;
	uint8_t next;

	if (at > copied || ip[0] >> 4 != 6)
		return false;
	if (headers_get16(ip + IPV6_PAYLOAD_LENGTH) != len - at)
		return false;
	next = ip[IPV6_NEXT_HEADER];
	while (is_extension(next)) {
		if (at + 2 > copied)
			return false;
		next = headers[at];
		at += (headers[at + 1] + 1u) * 8;
	}
	tcp->transport = at;
	return next == IPPROTO_TCP;
}

/* Finds the headers of a frame that is to be cut. False when it is not the kind of TCP that `needs` says. */
static bool
find_tcp(const struct burst *burst, uint32_t i, uint16_t copied, uint8_t needs,
		struct tcp_frame *tcp)
{
	const uint8_t *headers = burst->headers[i];
	uint32_t len = burst->frames[i].len, tcp_len;
	uint16_t type;

	if (len < GSO_FRAME_MIN || len > FRAME_LEN_MAX)
		return false;
	tcp->network = headers_network(headers);
	type = headers_get16(headers + tcp->network - 2);
	if (needs & FRAME_NEEDS_TSO4) {
		if (type != ETHERTYPE_IPV4 || !check_ipv4(headers, len, tcp))
			return false;
	} else if (type != ETHERTYPE_IPV6 || !check_ipv6(headers, len, copied, tcp)) {
		return false;
	}
	if (tcp->transport + TCP_LEN > copied)
		return false;
	tcp_len = (headers[tcp->transport + TCP_DATA_OFFSET] >> 4) * 4u;
	tcp->payload = tcp->transport + tcp_len;
	return tcp_len >= TCP_LEN && tcp->payload <= copied && tcp->payload < len;
}

/*
 * Checks the header's fields for segments and fills those of `offload`. Ignores hdr_len: it is a hint on
 * which a device must not rely (VIRTIO 1.2, 5.1.6.2.2), because senders set it differently. The frame's own
 * headers say where they end. GUEST_HDRLEN, which would make hdr_len exact, is not offered.
 */
static bool
read_gso(const struct burst *burst, uint32_t i, const struct virtio_net_hdr *header,
		struct frame_offload *offload)
{
	uint16_t gso_size = le16toh(header->gso_size);
	uint32_t len = burst->frames[i].len;
	struct tcp_frame tcp;

	if (gso_size == 0 || !find_tcp(burst, i, offload->copied, offload->needs, &tcp))
		return false;
	if (offload->csum_start != tcp.transport || offload->csum_offset != TCP_CHECKSUM)
		return false;
	if (len - tcp.payload > (uint32_t)gso_size * OFFLOAD_CUTS_MAX)
		return false;
	if (len - tcp.payload <= gso_size) {
		offload->needs = FRAME_NEEDS_CSUM;
		return true;
	}
	offload->gso_size = gso_size;
	offload->header_len = tcp.payload;
	return true;
}

/* A checksum field may be anywhere in the frame; it need not lie in the copied bytes. */
static bool
check_csum(const struct frame_offload *offload, const struct frame *frame)
{
	uint32_t end = offload->csum_start + offload->csum_offset + 2u;

	return offload->csum_start >= ETHERNET_HEADER_LEN && end <= frame->len &&
			frame->n_segments <=
			(end <= offload->copied ? OFFLOAD_SEGMENTS_MAX : OFFLOAD_SEGMENTS_FAR);
}

bool
offload_read(struct burst *burst, uint32_t i, const struct virtio_net_hdr *header, uint8_t allowed)
{
	const struct frame *frame = &burst->frames[i];
	struct frame_offload offload = { 0 };

	if (!read_needs(header, &offload.needs) || (offload.needs & ~allowed) != 0)
		return false;
	if (offload.needs == 0)
		return true;
	offload.copied = frame->len < FRAME_HEADERS_MAX ? frame->len : FRAME_HEADERS_MAX;
	offload.csum_start = le16toh(header->csum_start);
	offload.csum_offset = le16toh(header->csum_offset);
	if (!check_csum(&offload, frame))
		return false;
	copy_headers(burst, i, offload.copied);
	if (header->gso_type != VIRTIO_NET_HDR_GSO_NONE && !read_gso(burst, i, header, &offload))
		return false;
	burst->offloads[i] = offload;
	burst->offload_mask |= 1ull << i;
	return true;
}

void
offload_write(const struct burst *burst, uint32_t i, struct virtio_net_hdr *header)
{
	const struct frame_offload *offload = &burst->offloads[i];

	memset(header, 0, sizeof(*header));
	if (!burst_has_offload(burst, i))
		return;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = htole16(offload->csum_start);
	header->csum_offset = htole16(offload->csum_offset);
	/*
	 * Without segments hdr_len stays 0, as Linux and DPDK write it. Linux' TAP raises it to the end of
	 * the checksum itself.
	 */
	if (offload->gso_size == 0)
		return;
	header->gso_type = offload->needs & FRAME_NEEDS_TSO4 ? VIRTIO_NET_HDR_GSO_TCPV4
							     : VIRTIO_NET_HDR_GSO_TCPV6;
	if (offload->needs & FRAME_NEEDS_ECN)
		header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	header->gso_size = htole16(offload->gso_size);
	/* exact, because Linux keeps so many bytes in one piece and puts the payload in pages */
	header->hdr_len = htole16(offload->header_len);
}
