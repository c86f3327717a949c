/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of frames: big-endian fields at any alignment, and the numbers of the protocols that the
 * client speaks.
 *
 * Used by every builder and parser of frames. Offsets rather than structures, because a frame
 * begins at any address and its fields are seldom aligned.
 */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include <stdint.h>

/* Ethernet, IEEE 802.3: destination, source, type. Sizes never include the FCS. */
enum {
	WIRE_MAC_SIZE = 6,
	WIRE_SOURCE = 6,
	WIRE_TYPE = 12,
	WIRE_ETHER_SIZE = 14,
	WIRE_FRAME_MIN = 14,
	WIRE_FRAME_MAX = 65535 + 18, /* the longest frame of a port with the largest MTU */
};

enum {
	WIRE_TYPE_IPV4 = 0x0800,
	WIRE_TYPE_ARP = 0x0806,
	WIRE_TYPE_IPV6 = 0x86dd,
	WIRE_TYPE_CHECK = 0x88b5, /* IEEE 802 local experimental 1: check_frame.h */
	WIRE_TYPE_FILL = 0x88b6,  /* IEEE 802 local experimental 2: frames without a check */
};

static inline uint16_t
wire_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
wire_get32(const uint8_t *p)
{
	return (uint32_t)wire_get16(p) << 16 | wire_get16(p + 2);
}

static inline uint64_t
wire_get64(const uint8_t *p)
{
	return (uint64_t)wire_get32(p) << 32 | wire_get32(p + 4);
}

static inline void
wire_put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void
wire_put32(uint8_t *p, uint32_t value)
{
	wire_put16(p, (uint16_t)(value >> 16));
	wire_put16(p + 2, (uint16_t)value);
}

static inline void
wire_put64(uint8_t *p, uint64_t value)
{
	wire_put32(p, (uint32_t)(value >> 32));
	wire_put32(p + 4, (uint32_t)value);
}

#endif
