/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offsets of the fields that offload.c checks and offload_split.c changes, in bytes from the start of their
 * header. Fields are big-endian, at any alignment, in the copy of a frame's first bytes.
 */
#ifndef VSWITCH_OFFLOAD_HEADERS_H
#define VSWITCH_OFFLOAD_HEADERS_H

#include <netinet/in.h>
#include <stdint.h>

#include "datapath/frame.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd

#define IPV4_LEN 20
#define IPV4_TOTAL_LENGTH 2
#define IPV4_IDENTIFICATION 4
#define IPV4_FRAGMENT 6
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10

#define IPV6_LEN 40
#define IPV6_PAYLOAD_LENGTH 4
#define IPV6_NEXT_HEADER 6

#define TCP_LEN 20
#define TCP_SEQUENCE 4
#define TCP_DATA_OFFSET 12
#define TCP_FLAGS 13
#define TCP_CHECKSUM 16

#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

static inline uint16_t
headers_get16(const uint8_t *field)
{
	return (uint16_t)(field[0] << 8 | field[1]);
}

static inline void
headers_put16(uint8_t *field, uint16_t value)
{
	field[0] = value >> 8;
	field[1] = value & 0xff;
}

/* Offset of the network layer's header, after at most two VLAN tags. Reads up to 20 bytes. */
static inline uint32_t
headers_network(const uint8_t *headers)
{
	uint32_t network = ETHERNET_HEADER_LEN;

	while (network < ETHERNET_HEADER_LEN + 2 * VLAN_TAG_LEN) {
		if (!frame_has_tag(headers + network - 2))
			break;
		network += VLAN_TAG_LEN;
	}
	return network;
}

#endif
