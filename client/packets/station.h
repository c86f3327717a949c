/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies of a station on a link, for its own addresses: to ARP requests (RFC 826), IPv4 and IPv6 echo
 * (RFC 792, 4443) and neighbour solicitations (RFC 4861).
 *
 * The roles respond and ping hand every frame that they receive to it. Pure, any thread.
 */
#ifndef CLIENT_STATION_H
#define CLIENT_STATION_H

#include <stddef.h>
#include <stdint.h>

#include "inet.h"

struct station {
	uint8_t mac[6];
	const struct inet_addr *addrs; /* borrowed */
	size_t addr_count;
};

/* What station_answer() did with a frame. */
enum station_result {
	STATION_IGNORED,   /* not a request to this station */
	STATION_MALFORMED, /* a request to this station with a bad length or checksum */
	STATION_ARP,	   /* this and all below: the reply was written */
	STATION_ECHO,
	STATION_ECHO6,
	STATION_NEIGHBOUR,
	STATION_RESULTS
};

/*
 * Checks a whole frame and, if it is a request to this station, writes the reply. `reply` must have room
 * for as many bytes as the frame has, and at least for STATION_REPLY_MIN.
 */
#define STATION_REPLY_MIN 128
enum station_result station_answer(const struct station *s, const uint8_t *frame, size_t size,
		uint8_t *reply, size_t *reply_size);

#endif
