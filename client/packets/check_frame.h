/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that prove themselves. Each carries its run, flow, sequence number, size, and a checksum of
 * everything. Its payload follows from these, so that a frame made of two good halves is detected, too.
 *
 * The role send writes them, receive reads them. After the Ethernet header (type WIRE_TYPE_CHECK) come,
 * big-endian, magic, flow, run, size of the frame (4 bytes each), sequence number, checksum (8 bytes each),
 * payload. The checksum covers the two addresses as a pair, so that a frame that an echo sent back still
 * passes. Pure, any thread.
 */
#ifndef CLIENT_CHECK_FRAME_H
#define CLIENT_CHECK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define CHECK_FRAME_HEADER 32
#define CHECK_FRAME_MIN (WIRE_ETHER_SIZE + CHECK_FRAME_HEADER)

struct check_frame {
	uint32_t run; /* random number of the sender's run */
	uint32_t flow;
	uint64_t sequence; /* from 0 in each flow of a run */
};

enum check_result {
	CHECK_GOOD,
	CHECK_OTHER,   /* not such a frame */
	CHECK_CORRUPT, /* such a frame with a wrong size or checksum; its fields may be wrong, too */
};

/* Writes a frame of size bytes, CHECK_FRAME_MIN to WIRE_FRAME_MAX. */
void check_frame_write(uint8_t *frame, size_t size, const uint8_t destination[6],
		const uint8_t source[6], const struct check_frame *c);

/* c is filled in unless the result is CHECK_OTHER. */
enum check_result check_frame_read(const uint8_t *frame, size_t size, struct check_frame *c);

#endif
