/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path of the role kernel: which frames the application replies to itself, and the reply.
 *
 * It is the UDP echo service (RFC 862) at the application's addresses. It takes only frames that are
 * clearly meant for it. Unusual ones (options, fragments, a wrong checksum) are left to the kernel, which
 * has a reply or a counter for everything. Pure functions, any thread.
 */
#ifndef CLIENT_FAST_PATH_H
#define CLIENT_FAST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inet.h"

#define FAST_PATH_HEADERS 62 /* bytes that fast_path_turn() may change: Ethernet, IPv6, UDP */

struct fast_path {
	uint8_t mac[6];
	const struct inet_addr *addrs;
	size_t addr_count;
	const uint16_t *ports;
	size_t port_count;
};

/*
 * Whether a whole frame is an echo request for us. verified: its UDP checksum need not be checked, because
 * it was already, or because it is completed only when the frame is sent (VIRTIO_NET_HDR_F_NEEDS_CSUM).
 */
bool fast_path_takes(const struct fast_path *f, const uint8_t *frame, size_t size, bool verified);

/*
 * Turns a frame that fast_path_takes() into the reply, in place: swaps source and destination, and sets the
 * hop limit of a new packet. No other byte changes, so the UDP checksum stays right, also one that is
 * still to be completed. frame: its first FAST_PATH_HEADERS bytes, or all.
 */
void fast_path_turn(uint8_t *frame);

#endif
