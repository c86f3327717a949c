/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <string.h>

#define TCP 6
#define UDP 17

static const uint8_t addresses[48] = { 10, 0, 0, 1, 10, 0, 0, 2, 0xfd, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	10, 11, 12, 13, 14, 15, 0xfd, 0xff, 0xfe, 0xed, 0xcc, 0xbb, 0xaa, 0x99, 8, 7, 6, 5, 4, 3, 2,
	1 };
static const uint8_t final_address[16] = { 0xfd, 0x99, 0x88, 0x77, 6, 6, 6, 6, 5, 5, 5, 5, 4, 4, 4,
	9 };

uint16_t
frames_sum(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

static void
put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

uint32_t
frames_network(const struct shape *shape)
{
	return 14 + 4 * shape->tags;
}

uint32_t
frames_transport(const struct shape *shape)
{
	return frames_network(shape) + (shape->ipv6 ? 40 : 20) + shape->ip_options;
}

uint32_t
frames_header_len(const struct shape *shape)
{
	return frames_transport(shape) + (shape->udp ? 8 : 20 + shape->tcp_options);
}

uint32_t
frames_len(const struct shape *shape)
{
	return frames_header_len(shape) + shape->payload;
}

static void
put_ethernet(const struct shape *shape, uint8_t *bytes)
{
	for (uint32_t i = 0; i < 12; i++)
		bytes[i] = (uint8_t)(2 + 4 * i);
	for (uint32_t i = 0; i < shape->tags; i++) {
		put16(bytes + 12 + 4 * i, shape->tags == 2 && i == 0 ? 0x88a8 : 0x8100);
		put16(bytes + 14 + 4 * i, 0x0123 + i);
	}
	put16(bytes + frames_network(shape) - 2, shape->ipv6 ? 0x86dd : 0x0800);
}

static void
put_ipv4(const struct shape *shape, uint8_t *ip, uint32_t len)
{
	ip[0] = (uint8_t)(0x45 + shape->ip_options / 4);
	put16(ip + 2, len);
	put16(ip + 4, shape->id);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = shape->udp ? UDP : TCP;
	memcpy(ip + 12, addresses, 8);
	memset(ip + 20, 1, shape->ip_options);
	put16(ip + 10, (uint16_t)~frames_sum(ip, 20 + shape->ip_options, 0));
}

/* One of 8 bytes for each hop; one for routing; all that is left for the destination. */
static void
put_ipv6(const struct shape *shape, uint8_t *ip, uint32_t len)
{
	uint8_t *next = &ip[6], *at = ip + 40;
	uint32_t left = shape->ip_options;

	ip[0] = 0x60;
	put16(ip + 4, len - 40);
	ip[7] = 64;
	memcpy(ip + 8, addresses + 8, 32);
	while (left > 0) {
		uint32_t n = at == ip + 40 ? 8 : left;

		*next = at == ip + 40 ? 0 : 60;
		if (at == ip + 48 && left >= 24) {
			*next = 43;
			n = 24;
			at[2] = 2;
			at[3] = 1;
			memcpy(at + 8, final_address, 16);
		}
		at[1] = (uint8_t)(n / 8 - 1);
		next = at;
		at += n;
		left -= n;
	}
	*next = shape->udp ? UDP : TCP;
}

static uint16_t
pseudo_sum(const struct shape *shape, uint32_t len)
{
	uint32_t sum = (shape->udp ? UDP : TCP) + len;

	if (!shape->ipv6)
		return frames_sum(addresses, 8, sum);
	sum = frames_sum(addresses + 8, 16, sum);
	return frames_sum(shape->ip_options >= 32 ? final_address : addresses + 24, 16, sum);
}

static void
put_transport(const struct shape *shape, uint8_t *bytes, uint32_t len)
{
	put16(bytes, 40000);
	put16(bytes + 2, 5001);
	if (shape->udp) {
		put16(bytes + 4, len);
		return;
	}
	put16(bytes + 4, shape->sequence >> 16);
	put16(bytes + 6, shape->sequence);
	put16(bytes + 8, 0x1234);
	bytes[12] = (uint8_t)((5 + shape->tcp_options / 4) << 4);
	bytes[13] = shape->flags;
	put16(bytes + 14, 501);
	memset(bytes + 20, 1, shape->tcp_options);
}

void
frames_build(const struct shape *shape, uint8_t *bytes)
{
	uint32_t header_len = frames_header_len(shape), len = frames_len(shape);
	uint32_t network = frames_network(shape), transport = frames_transport(shape);
	uint8_t *csum = bytes + transport + (shape->udp ? 6 : 16);
	uint16_t sum;

	memset(bytes, 0, header_len);
	put_ethernet(shape, bytes);
	if (shape->ipv6)
		put_ipv6(shape, bytes + network, len - network);
	else
		put_ipv4(shape, bytes + network, len - network);
	put_transport(shape, bytes + transport, len - transport);
	for (uint32_t i = 0; i < shape->payload; i++) {
		uint32_t number = shape->payload_from + i;

		bytes[header_len + i] = (uint8_t)((number * 2654435761u) >> 23);
	}
	sum = pseudo_sum(shape, len - transport);
	if (!shape->partial)
		sum = (uint16_t)~frames_sum(bytes + transport, len - transport, sum);
	put16(csum, sum == 0 && shape->udp ? 0xffff : sum);
}

struct virtio_net_hdr
frames_header(const struct shape *shape, uint16_t gso_size)
{
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)frames_transport(shape),
		.csum_offset = shape->udp ? 6 : 16,
	};

	if (gso_size == 0)
		return header;
	header.gso_type = shape->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	header.gso_size = gso_size;
	header.hdr_len = (uint16_t)frames_header_len(shape);
	return header;
}

struct shape
frames_segment(const struct shape *shape, uint16_t gso_size, uint32_t number)
{
	uint32_t before = number * gso_size, left = shape->payload - before;
	struct shape segment = *shape;

	segment.payload_from += before;
	segment.payload = left < gso_size ? left : gso_size;
	segment.sequence += before;
	segment.id = (uint16_t)(segment.id + number);
	if (number != 0)
		segment.flags &= 0x7f;
	if (left > gso_size)
		segment.flags &= (uint8_t)~0x09;
	return segment;
}

uint32_t
frames_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

void
frames_scatter(struct burst *burst, uint32_t i, uint32_t first, const uint8_t *bytes, uint32_t len,
		uint32_t n, uint32_t *seed, uint8_t *room)
{
	struct frame_segment *segment = &burst->segments[first];

	burst->frames[i].segments = segment;
	burst->frames[i].n_segments = n;
	burst->frames[i].len = len;
	for (; n > 0; n--, segment++) {
		uint32_t most = len - (n - 1), piece = most;

		if (n > 1)
			piece = 1 + frames_random(seed) % (most < 2 * len / n ? most : 2 * len / n);
		memcpy(room, bytes, piece);
		*segment = (struct frame_segment){ room, piece };
		room += piece;
		for (uint32_t gap = frames_random(seed) % 4; gap > 0; gap--)
			*room++ = 0xee;
		bytes += piece;
		len -= piece;
	}
}

uint32_t
frames_gather(const struct burst *burst, uint32_t i, uint8_t *bytes)
{
	const struct frame *frame = &burst->frames[i];
	uint32_t len = 0;

	for (uint32_t k = 0; k < frame->n_segments; k++) {
		memcpy(bytes + len, frame->segments[k].data, frame->segments[k].len);
		len += frame->segments[k].len;
	}
	return len;
}
