/* SPDX-License-Identifier: BSD-3-Clause */
/* See flow_hash.h. */
#include "flow_hash.h"

#include <string.h>

#include "offloads/offload_headers.h"

#define ETHERTYPE_AT 12
#define VLAN_TAGS_MAX 2

/* Mixes four bytes in: the step and the end of MurmurHash3, which spread every bit. */
static uint32_t
mix(uint32_t hash, uint32_t word)
{
	word *= 0xcc9e2d51;
	word = word << 15 | word >> 17;
	hash ^= word * 0x1b873593;
	hash = hash << 13 | hash >> 19;
	return hash * 5 + 0xe6546b64;
}

static uint32_t
mix_bytes(uint32_t hash, const uint8_t *bytes, uint32_t len)
{
	uint32_t word;

	for (uint32_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = mix(hash, word);
	}
	return hash;
}

static uint32_t
finish(uint32_t hash)
{
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* `at`: where the header after IP begins. */
static uint32_t
mix_ports(uint32_t hash, uint8_t protocol, const uint8_t *head, uint32_t len, uint32_t at)
{
	hash = mix(hash, protocol);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return hash;
	return at + 4 <= len ? mix_bytes(hash, head + at, 4) : hash;
}

static uint32_t
hash_ipv4(const uint8_t *head, uint32_t len, uint32_t at)
{
	const uint8_t *ip = head + at;
	uint32_t hash = mix_bytes(0, ip + 12, 8);

	/* More fragments follow, or this is a later one: not all have the ports. */
	if ((headers_get16(ip + 6) & 0x3fff) != 0)
		return hash;
	return mix_ports(hash, ip[9], head, len, at + (ip[0] & 0xfu) * 4);
}

static uint32_t
hash_ipv6(const uint8_t *head, uint32_t len, uint32_t at)
{
	uint32_t hash = mix_bytes(0, head + at + 8, 32);

	return mix_ports(hash, head[at + 6], head, len, at + 40);
}

uint32_t
flow_hash(const uint8_t *head, uint32_t len)
{
	uint32_t at = ETHERTYPE_AT, type = headers_get16(head + at);

	for (int i = 0; i < VLAN_TAGS_MAX && frame_has_tag(head + at) && at + 6 <= len; i++) {
		at += 4;
		type = headers_get16(head + at);
	}
	at += 2;
	if (type == ETHERTYPE_IPV4 && at + 20 <= len)
		return finish(hash_ipv4(head, len, at));
	if (type == ETHERTYPE_IPV6 && at + 40 <= len)
		return finish(hash_ipv6(head, len, at));
	return finish(mix_bytes(0, head, 12));
}
