/* SPDX-License-Identifier: BSD-3-Clause */
/* See fast_path.h. */
#include "fast_path.h"

#include <string.h>

#include "wire.h"

enum {
	UDP_SIZE = 8,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
	V4_TTL = 8,
	V4_CHECKSUM = 10,
	V4_SOURCE = 12,
	V6_HOP_LIMIT = 7,
	V6_SOURCE = 8,
};

static bool
is_ours(const struct fast_path *f, int version, const uint8_t *address)
{
	size_t i;

	for (i = 0; i < f->addr_count; i++)
		if (f->addrs[i].version == version && inet_is(&f->addrs[i], address))
			return true;
	return false;
}

static bool
is_fast_port(const struct fast_path *f, uint16_t port)
{
	size_t i;

	for (i = 0; i < f->port_count; i++)
		if (f->ports[i] == port)
			return true;
	return false;
}

/* True for the unspecified address, a group, or our own address: a reply would not reach the sender. */
static bool
is_bad_source(const struct fast_path *f, const struct inet_packet *ip)
{
	static const uint8_t nobody[16];
	size_t size = inet_size(ip->version);

	if (memcmp(ip->source, nobody, size) == 0 || is_ours(f, ip->version, ip->source))
		return true;
	return ip->source[0] >= (ip->version == 6 ? 0xff : 0xe0);
}

/* Only over IPv4 may UDP have no checksum (RFC 768; RFC 8200, 8.1). */
static bool
checksum_is_right(const struct inet_packet *ip)
{
	if (wire_get16(ip->payload + UDP_CHECKSUM) == 0)
		return ip->version == 4;
	return inet_transport_checksum(ip) == 0;
}

/*
 * A frame whose source port is one of ours is not a request, because two such services would echo each
 * other's replies for ever.
 */
static bool
udp_is_request(const struct fast_path *f, const struct inet_packet *ip)
{
	const uint8_t *udp = ip->payload;

	if (ip->protocol != INET_PROTOCOL_UDP || ip->payload_size < UDP_SIZE ||
			wire_get16(udp + UDP_LENGTH) != ip->payload_size)
		return false;
	return wire_get16(udp) != 0 && !is_fast_port(f, wire_get16(udp)) &&
			is_fast_port(f, wire_get16(udp + 2));
}

static bool
has_options(const uint8_t *frame, const struct inet_packet *ip)
{
	size_t header = (size_t)(ip->payload - frame) - WIRE_ETHER_SIZE;

	return header != (ip->version == 6 ? INET_V6_SIZE : INET_V4_SIZE);
}

bool
fast_path_takes(const struct fast_path *f, const uint8_t *frame, size_t size, bool verified)
{
	struct inet_packet ip;

	if (size < WIRE_ETHER_SIZE || memcmp(frame, f->mac, WIRE_MAC_SIZE) != 0 ||
			(frame[WIRE_SOURCE] & 1) != 0)
		return false;
	if (!inet_read(frame, size, &ip) || has_options(frame, &ip))
		return false;
	if (!udp_is_request(f, &ip) || !is_ours(f, ip.version, ip.destination))
		return false;
	return !is_bad_source(f, &ip) && (verified || checksum_is_right(&ip));
}

static void
swap(uint8_t *one, uint8_t *other, size_t size)
{
	uint8_t kept[16];

	memcpy(kept, one, size);
	memcpy(one, other, size);
	memcpy(other, kept, size);
}

void
fast_path_turn(uint8_t *frame)
{
	uint8_t *ip = frame + WIRE_ETHER_SIZE;

	swap(frame, frame + WIRE_SOURCE, WIRE_MAC_SIZE);
	if (wire_get16(frame + WIRE_TYPE) == WIRE_TYPE_IPV6) {
		ip[V6_HOP_LIMIT] = INET_HOP_LIMIT;
		swap(ip + V6_SOURCE, ip + V6_SOURCE + 16, 16);
		swap(ip + INET_V6_SIZE, ip + INET_V6_SIZE + 2, 2);
		return;
	}
	ip[V4_TTL] = INET_HOP_LIMIT;
	swap(ip + V4_SOURCE, ip + V4_SOURCE + 4, 4);
	wire_put16(ip + V4_CHECKSUM, 0);
	wire_put16(ip + V4_CHECKSUM, inet_checksum(ip, INET_V4_SIZE, 0));
	swap(ip + INET_V4_SIZE, ip + INET_V4_SIZE + 2, 2);
}
