/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast path of the role kernel: which frames the application answers itself, and the answer.
 *
 * It is the UDP echo service (RFC 862) at the application's addresses. Only what is plainly meant
 * for it is taken; whatever is odd (options, fragments, a wrong checksum) is left to the kernel,
 * which has an answer or a counter for everything. Pure functions, any thread.
 */
#ifndef CLIENT_FAST_PATH_H
#define CLIENT_FAST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inet.h"

#define FAST_PATH_HEADERS 62 /* most that fast_path_turn writes: Ethernet, IPv6, UDP */

struct fast_path {
	uint8_t mac[6];
	const struct inet_addr *addrs;
	size_t addr_count;
	const uint16_t *ports;
	size_t port_count;
};

/*
 * Whether a whole frame is an echo request for us. verified: its UDP checksum was found right
 * already, or is still to be completed by whoever sends it out (VIRTIO_NET_HDR_F_NEEDS_CSUM).
 */
bool fast_path_takes(const struct fast_path *f, const uint8_t *frame, size_t size, bool verified);

/*
 * Makes the answer of a frame that fast_path_takes, in place: both ends change their places, and
 * the hop limit is that of a new packet. No other byte changes, so that the UDP checksum stays
 * right, also one that is still to be completed. frame: its first FAST_PATH_HEADERS bytes, or all.
 */
void fast_path_turn(uint8_t *frame);

#endif
