/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds the frame that tells other switches behind which port a MAC address is: a broadcast reverse ARP
 * request (RFC 903) from and for that address. No host replies to it. Pure.
 */
#ifndef VSWITCH_RARP_H
#define VSWITCH_RARP_H

#include <stdint.h>
#include <string.h>

#define RARP_FRAME_LEN 60

static inline void
rarp_build(const uint8_t mac[6], uint8_t frame[RARP_FRAME_LEN])
{
	static const uint8_t fixed[] = {
		0x80, 0x35, /* EtherType */
		0x00, 0x01, /* Ethernet */
		0x08, 0x00, /* IPv4 */
		6, 4,	    /* lengths of their addresses */
		0x00, 0x03, /* reverse request */
	};

	memset(frame, 0, RARP_FRAME_LEN);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, fixed, sizeof(fixed));
	memcpy(frame + 22, mac, 6); /* sender */
	memcpy(frame + 32, mac, 6); /* target */
}

#endif
