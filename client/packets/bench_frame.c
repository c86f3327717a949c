/* SPDX-License-Identifier: BSD-3-Clause */
/* See bench_frame.h. */
#include "bench_frame.h"

#include <string.h>

enum {
	MAGIC = 0x56535742, /* "VSWB" */
	AT_MAGIC = WIRE_ETHER_SIZE,
	AT_RUN = AT_MAGIC + 4,
	AT_TRIAL = AT_RUN + 4,
	AT_SEQUENCE = AT_TRIAL + 4,
	AT_STAMP = AT_SEQUENCE + 8,
	AT_END = AT_STAMP + 8,
};

_Static_assert(AT_END == BENCH_FRAME_MIN, "the header's fields end at BENCH_FRAME_MIN");

void
bench_frame_write(uint8_t *frame, const uint8_t destination[6], const uint8_t source[6],
		const struct bench_frame *f)
{
	memcpy(frame, destination, WIRE_MAC_SIZE);
	memcpy(frame + WIRE_SOURCE, source, WIRE_MAC_SIZE);
	wire_put16(frame + WIRE_TYPE, WIRE_TYPE_CHECK);
	wire_put32(frame + AT_MAGIC, MAGIC);
	wire_put32(frame + AT_RUN, f->run);
	wire_put32(frame + AT_TRIAL, f->trial);
	wire_put64(frame + AT_SEQUENCE, f->sequence);
	wire_put64(frame + AT_STAMP, f->stamp);
}

bool
bench_frame_read(const uint8_t *frame, size_t size, struct bench_frame *f)
{
	if (size < BENCH_FRAME_MIN || wire_get16(frame + WIRE_TYPE) != WIRE_TYPE_CHECK ||
			wire_get32(frame + AT_MAGIC) != MAGIC)
		return false;
	f->run = wire_get32(frame + AT_RUN);
	f->trial = wire_get32(frame + AT_TRIAL);
	f->sequence = wire_get64(frame + AT_SEQUENCE);
	f->stamp = wire_get64(frame + AT_STAMP);
	return true;
}
