/* SPDX-License-Identifier: BSD-3-Clause */
/* See station.h. */
#include "station.h"

#include <stdbool.h>
#include <string.h>

#include "wire.h"

enum {
	ARP_SIZE = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	SOLICIT_SIZE = 24, /* before its options */
	ADVERT_SIZE = 32,  /* with its one option */
	OPTION_TARGET_LINK = 2,
	FLAG_SOLICITED = 0x40,
	FLAG_OVERRIDE = 0x20,
	ON_LINK_HOPS = 255, /* RFC 4861, 7.1.1: proves that a neighbour sent it */
};

static const struct inet_addr *
find_addr(const struct station *s, int version, const uint8_t *bytes)
{
	size_t i;

	for (i = 0; i < s->addr_count; i++)
		if (s->addrs[i].version == version && inet_is(&s->addrs[i], bytes))
			return &s->addrs[i];
	return NULL;
}

static void
write_ether(uint8_t *reply, const uint8_t destination[6], const uint8_t source[6], uint16_t type)
{
	memcpy(reply, destination, WIRE_MAC_SIZE);
	memcpy(reply + WIRE_SOURCE, source, WIRE_MAC_SIZE);
	wire_put16(reply + WIRE_TYPE, type);
}

static enum station_result
answer_arp(const struct station *s, const uint8_t *frame, size_t size, uint8_t *reply,
		size_t *reply_size)
{
	/* Ethernet and IPv4 addresses, of 6 and 4 bytes. */
	static const uint8_t kind[6] = { 0, 1, 0x08, 0x00, 6, 4 };
	const uint8_t *arp = frame + WIRE_ETHER_SIZE;
	uint8_t *out = reply + WIRE_ETHER_SIZE;

	if (size < WIRE_ETHER_SIZE + ARP_SIZE || memcmp(arp, kind, sizeof(kind)) != 0)
		return STATION_IGNORED;
	if (wire_get16(arp + 6) != ARP_REQUEST || find_addr(s, 4, arp + 24) == NULL)
		return STATION_IGNORED;
	write_ether(reply, frame + WIRE_SOURCE, s->mac, WIRE_TYPE_ARP);
	memcpy(out, kind, sizeof(kind));
	wire_put16(out + 6, ARP_REPLY);
	memcpy(out + 8, s->mac, 6);
	memcpy(out + 14, arp + 24, 4);
	memcpy(out + 18, arp + 8, 10);
	*reply_size = WIRE_ETHER_SIZE + ARP_SIZE;
	return STATION_ARP;
}

static enum station_result
answer_echo(const struct station *s, const uint8_t *frame, const struct inet_packet *ip,
		uint8_t *reply, size_t *reply_size)
{
	uint8_t *header = reply + WIRE_ETHER_SIZE;
	uint8_t *icmp = header + INET_V4_SIZE;

	if (ip->protocol != INET_PROTOCOL_ICMP || ip->payload_size < INET_ICMP_SIZE ||
			ip->payload[0] != INET_ICMP_ECHO)
		return STATION_IGNORED;
	if (inet_checksum(ip->payload, ip->payload_size, 0) != 0)
		return STATION_MALFORMED;
	write_ether(reply, frame + WIRE_SOURCE, s->mac, WIRE_TYPE_IPV4);
	inet_write_v4(header, ip->destination, ip->source, ip->payload_size);
	memcpy(icmp, ip->payload, ip->payload_size);
	icmp[0] = INET_ICMP_ECHO_REPLY;
	wire_put16(icmp + 2, 0);
	wire_put16(icmp + 2, inet_checksum(icmp, ip->payload_size, 0));
	*reply_size = WIRE_ETHER_SIZE + INET_V4_SIZE + ip->payload_size;
	return STATION_ECHO;
}

static enum station_result
answer_echo6(const struct station *s, const uint8_t *frame, const struct inet_packet *ip,
		uint8_t *reply, size_t *reply_size)
{
	uint8_t *header = reply + WIRE_ETHER_SIZE;
	uint8_t *icmp = header + INET_V6_SIZE;

	write_ether(reply, frame + WIRE_SOURCE, s->mac, WIRE_TYPE_IPV6);
	inet_write_v6(header, ip->destination, ip->source, ip->payload_size, INET_HOP_LIMIT);
	memcpy(icmp, ip->payload, ip->payload_size);
	icmp[0] = INET_ICMPV6_ECHO_REPLY;
	wire_put16(icmp + 2, 0);
	wire_put16(icmp + 2,
			inet_icmpv6_checksum(ip->destination, ip->source, icmp, ip->payload_size));
	*reply_size = WIRE_ETHER_SIZE + INET_V6_SIZE + ip->payload_size;
	return STATION_ECHO6;
}

/*
 * A host that checks whether an address is taken asks from the unspecified address. The reply to it goes
 * to all nodes.
 */
static enum station_result
answer_solicit(const struct station *s, const uint8_t *frame, const struct inet_packet *ip,
		uint8_t *reply, size_t *reply_size)
{
	static const uint8_t nobody[16];
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };
	static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	bool anonymous = memcmp(ip->source, nobody, sizeof(nobody)) == 0;
	const uint8_t *target = ip->payload + 8, *to = anonymous ? all_nodes : ip->source;
	uint8_t *header = reply + WIRE_ETHER_SIZE;
	uint8_t *icmp = header + INET_V6_SIZE;

	write_ether(reply, anonymous ? all_nodes_mac : frame + WIRE_SOURCE, s->mac, WIRE_TYPE_IPV6);
	inet_write_v6(header, target, to, ADVERT_SIZE, ON_LINK_HOPS);
	memset(icmp, 0, ADVERT_SIZE);
	icmp[0] = INET_ICMPV6_ADVERT;
	icmp[4] = anonymous ? FLAG_OVERRIDE : FLAG_OVERRIDE | FLAG_SOLICITED;
	memcpy(icmp + 8, target, 16);
	icmp[24] = OPTION_TARGET_LINK;
	icmp[25] = 1;
	memcpy(icmp + 26, s->mac, 6);
	wire_put16(icmp + 2, inet_icmpv6_checksum(target, to, icmp, ADVERT_SIZE));
	*reply_size = WIRE_ETHER_SIZE + INET_V6_SIZE + ADVERT_SIZE;
	return STATION_NEIGHBOUR;
}

static enum station_result
answer_v6(const struct station *s, const uint8_t *frame, const struct inet_packet *ip,
		uint8_t *reply, size_t *reply_size)
{
	bool echo, solicit;

	if (ip->protocol != INET_PROTOCOL_ICMPV6 || ip->payload_size < INET_ICMP_SIZE)
		return STATION_IGNORED;
	echo = ip->payload[0] == INET_ICMPV6_ECHO && find_addr(s, 6, ip->destination) != NULL;
	solicit = ip->payload[0] == INET_ICMPV6_SOLICIT && ip->hop_limit == ON_LINK_HOPS &&
			ip->payload_size >= SOLICIT_SIZE &&
			find_addr(s, 6, ip->payload + 8) != NULL;
	if (!echo && !solicit)
		return STATION_IGNORED;
	if (inet_icmpv6_checksum(ip->source, ip->destination, ip->payload, ip->payload_size) != 0)
		return STATION_MALFORMED;
	if (echo)
		return answer_echo6(s, frame, ip, reply, reply_size);
	return answer_solicit(s, frame, ip, reply, reply_size);
}

enum station_result
station_answer(const struct station *s, const uint8_t *frame, size_t size, uint8_t *reply,
		size_t *reply_size)
{
	struct inet_packet ip;
	bool for_us;

	if (size < WIRE_ETHER_SIZE)
		return STATION_IGNORED;
	for_us = (frame[0] & 1) != 0 || memcmp(frame, s->mac, WIRE_MAC_SIZE) == 0;
	if (!for_us)
		return STATION_IGNORED;
	if (wire_get16(frame + WIRE_TYPE) == WIRE_TYPE_ARP)
		return answer_arp(s, frame, size, reply, reply_size);
	if (!inet_read(frame, size, &ip))
		return STATION_IGNORED;
	if (ip.version == 6)
		return answer_v6(s, frame, &ip, reply, reply_size);
	if (find_addr(s, 4, ip.destination) == NULL)
		return STATION_IGNORED;
	return answer_echo(s, frame, &ip, reply, reply_size);
}
