/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames of bench. They hold only a number and the time of sending, so that writing and reading them
 * costs next to nothing compared with what is measured.
 *
 * bench_stream.c writes and reads them. After the Ethernet header (type WIRE_TYPE_CHECK; the role receive
 * counts them as frames of others) come, big-endian, magic, run, trial (4 bytes each), sequence number,
 * stamp (8 bytes each). The rest is undefined: the buffer's old contents. Pure, any thread.
 */
#ifndef CLIENT_BENCH_FRAME_H
#define CLIENT_BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

#define BENCH_FRAME_MIN (WIRE_ETHER_SIZE + 28)

struct bench_frame {
	uint32_t run;	/* random number of this process */
	uint32_t trial; /* 0: an introduction */
	uint64_t sequence;
	uint64_t stamp; /* TSC cycles when it was made */
};

/* Writes the first BENCH_FRAME_MIN bytes of a frame. */
void bench_frame_write(uint8_t *frame, const uint8_t destination[6], const uint8_t source[6],
		const struct bench_frame *f);

/* Reads the start of a frame of size bytes. False: it is not a frame of bench. */
bool bench_frame_read(const uint8_t *frame, size_t size, struct bench_frame *f);

#endif
