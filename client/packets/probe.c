/* SPDX-License-Identifier: BSD-3-Clause */
/* See probe.h. */
#include "probe.h"

#include <string.h>

#include "wire.h"

enum {
	ARP_SIZE = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	SOLICIT_SIZE = 32, /* with the option that has our MAC address */
	ADVERT_MIN = 24,
	OPTION_SOURCE_LINK = 1,
	OPTION_TARGET_LINK = 2,
	ON_LINK_HOPS = 255,
};

_Static_assert(PROBE_RESOLVE_SIZE == WIRE_ETHER_SIZE + INET_V6_SIZE + SOLICIT_SIZE,
		"room for the longer request");

static size_t
ip_size(int version)
{
	return version == 6 ? INET_V6_SIZE : INET_V4_SIZE;
}

size_t
probe_echo_min(int version)
{
	return WIRE_ETHER_SIZE + ip_size(version) + INET_ICMP_SIZE;
}

static void
write_ether(const struct probe *p, uint8_t *frame, const uint8_t destination[6], uint16_t type)
{
	memcpy(frame, destination, WIRE_MAC_SIZE);
	memcpy(frame + WIRE_SOURCE, p->mac, WIRE_MAC_SIZE);
	wire_put16(frame + WIRE_TYPE, type);
}

static size_t
write_arp(const struct probe *p, uint8_t *frame)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t kind[8] = { 0, 1, 0x08, 0x00, 6, 4, 0, ARP_REQUEST };
	uint8_t *arp = frame + WIRE_ETHER_SIZE;

	write_ether(p, frame, broadcast, WIRE_TYPE_ARP);
	memset(arp, 0, ARP_SIZE);
	memcpy(arp, kind, sizeof(kind));
	memcpy(arp + 8, p->mac, 6);
	memcpy(arp + 14, p->addr.bytes, 4);
	memcpy(arp + 24, p->peer.bytes, 4);
	return WIRE_ETHER_SIZE + ARP_SIZE;
}

static size_t
write_solicit(const struct probe *p, uint8_t *frame)
{
	uint8_t *header = frame + WIRE_ETHER_SIZE;
	uint8_t *icmp = header + INET_V6_SIZE;
	uint8_t group[16], group_mac[6];

	inet_solicited_group(p->peer.bytes, group, group_mac);
	write_ether(p, frame, group_mac, WIRE_TYPE_IPV6);
	inet_write_v6(header, p->addr.bytes, group, SOLICIT_SIZE, ON_LINK_HOPS);
	memset(icmp, 0, SOLICIT_SIZE);
	icmp[0] = INET_ICMPV6_SOLICIT;
	memcpy(icmp + 8, p->peer.bytes, 16);
	icmp[24] = OPTION_SOURCE_LINK;
	icmp[25] = 1;
	memcpy(icmp + 26, p->mac, 6);
	wire_put16(icmp + 2, inet_icmpv6_checksum(p->addr.bytes, group, icmp, SOLICIT_SIZE));
	return PROBE_RESOLVE_SIZE;
}

size_t
probe_write_resolve(const struct probe *p, uint8_t *frame)
{
	return p->peer.version == 6 ? write_solicit(p, frame) : write_arp(p, frame);
}

static bool
read_arp(struct probe *p, const uint8_t *frame, size_t size)
{
	const uint8_t *arp = frame + WIRE_ETHER_SIZE;

	if (size < WIRE_ETHER_SIZE + ARP_SIZE || wire_get16(frame + WIRE_TYPE) != WIRE_TYPE_ARP)
		return false;
	if (wire_get16(arp + 2) != WIRE_TYPE_IPV4 || wire_get16(arp + 6) != ARP_REPLY ||
			!inet_is(&p->peer, arp + 14))
		return false;
	memcpy(p->peer_mac, arp + 8, 6);
	return true;
}

/* The MAC address is in the option or, if that is missing (RFC 4861, 4.4), the frame's source address. */
static bool
read_advert(struct probe *p, const uint8_t *frame, size_t size)
{
	struct inet_packet ip;
	const uint8_t *mac = frame + WIRE_SOURCE;

	if (!inet_read(frame, size, &ip) || ip.version != 6 ||
			ip.protocol != INET_PROTOCOL_ICMPV6 || ip.hop_limit != ON_LINK_HOPS ||
			ip.payload_size < ADVERT_MIN)
		return false;
	if (ip.payload[0] != INET_ICMPV6_ADVERT || !inet_is(&p->peer, ip.payload + 8))
		return false;
	if (inet_icmpv6_checksum(ip.source, ip.destination, ip.payload, ip.payload_size) != 0)
		return false;
	if (ip.payload_size >= ADVERT_MIN + 8 && ip.payload[24] == OPTION_TARGET_LINK &&
			ip.payload[25] == 1)
		mac = ip.payload + 26;
	memcpy(p->peer_mac, mac, 6);
	return true;
}

bool
probe_read_resolve(struct probe *p, const uint8_t *frame, size_t size)
{
	return p->peer.version == 6 ? read_advert(p, frame, size) : read_arp(p, frame, size);
}

static uint8_t
data_byte(uint16_t sequence, size_t index)
{
	return (uint8_t)((size_t)sequence * 31 + index);
}

void
probe_write_echo(const struct probe *p, uint16_t sequence, uint8_t *frame, size_t size)
{
	bool v6 = p->peer.version == 6;
	uint8_t *header = frame + WIRE_ETHER_SIZE;
	uint8_t *icmp = header + ip_size(p->peer.version);
	size_t message = size - (size_t)(icmp - frame), i;

	write_ether(p, frame, p->peer_mac, v6 ? WIRE_TYPE_IPV6 : WIRE_TYPE_IPV4);
	memset(icmp, 0, INET_ICMP_SIZE);
	icmp[0] = v6 ? INET_ICMPV6_ECHO : INET_ICMP_ECHO;
	wire_put16(icmp + 4, p->id);
	wire_put16(icmp + 6, sequence);
	for (i = INET_ICMP_SIZE; i < message; i++)
		icmp[i] = data_byte(sequence, i);
	if (v6) {
		inet_write_v6(header, p->addr.bytes, p->peer.bytes, message, INET_HOP_LIMIT);
		wire_put16(icmp + 2,
				inet_icmpv6_checksum(p->addr.bytes, p->peer.bytes, icmp, message));
	} else {
		inet_write_v4(header, p->addr.bytes, p->peer.bytes, message);
		wire_put16(icmp + 2, inet_checksum(icmp, message, 0));
	}
}

static bool
is_damaged(const struct inet_packet *ip, uint16_t sequence)
{
	size_t i;

	if (ip->version == 4 && inet_checksum(ip->payload, ip->payload_size, 0) != 0)
		return true;
	if (ip->version == 6 &&
			inet_icmpv6_checksum(ip->source, ip->destination, ip->payload,
					ip->payload_size) != 0)
		return true;
	for (i = INET_ICMP_SIZE; i < ip->payload_size; i++)
		if (ip->payload[i] != data_byte(sequence, i))
			return true;
	return false;
}

bool
probe_read_echo(const struct probe *p, const uint8_t *frame, size_t size, struct probe_reply *reply)
{
	struct inet_packet ip;
	uint8_t type;

	if (!inet_read(frame, size, &ip) || ip.version != p->peer.version)
		return false;
	type = ip.version == 6 ? INET_ICMPV6_ECHO_REPLY : INET_ICMP_ECHO_REPLY;
	if (ip.protocol != (ip.version == 6 ? INET_PROTOCOL_ICMPV6 : INET_PROTOCOL_ICMP) ||
			ip.payload_size < INET_ICMP_SIZE || ip.payload[0] != type)
		return false;
	if (wire_get16(ip.payload + 4) != p->id || !inet_is(&p->peer, ip.source) ||
			!inet_is(&p->addr, ip.destination))
		return false;
	reply->sequence = wire_get16(ip.payload + 6);
	reply->hop_limit = ip.hop_limit;
	reply->message_size = ip.payload_size;
	reply->damaged = is_damaged(&ip, reply->sequence);
	return true;
}
