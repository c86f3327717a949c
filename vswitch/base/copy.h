/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copying payload, by the widest vector unit that this CPU has. The distribution's compiler
 * baseline is SSE2 and its memcpy is a call through the PLT; at 1,518 bytes a 64-byte-vector loop
 * takes 1 / 1.3 of the time of an SSE loop. Non-temporal stores are never right here: the receiver
 * reads the frame next.
 */
#ifndef VSWITCH_COPY_H
#define VSWITCH_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Chosen by copy_init(); SSE2 before. Ranges must not overlap; any length, any alignment. */
extern void (*copy_payload)(uint8_t *dst, const uint8_t *src, uint32_t len);

enum copy_width {
	COPY_SSE2,
	COPY_AVX2,
	COPY_AVX512,
};

/* Makes copy_payload the one of that width. False, and no change, when this CPU has it not. */
bool copy_select(enum copy_width width);

/* Chooses the widest of this CPU; call once before workers start. Returns its name. */
const char *copy_init(void);

/*
 * Asks for a cache line that will be written. Inline assembly, since for the baseline of x86-64 the
 * compiler turns a prefetch for writing into one for reading: the line comes shared, and the store
 * still waits for the peer's copy to go. Where the CPU knows no PREFETCHW it does nothing.
 */
static inline void
copy_prefetch_for_write(const void *line)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
}

/* 64 bytes, always: head copies of frames at least that long. */
static inline void
copy_64(uint8_t *dst, const uint8_t *src)
{
	memcpy(dst, src, 64);
}

/* Sixteen bytes in a register. */
typedef uint64_t copy_16 __attribute__((vector_size(16)));

/*
 * At most 64 bytes, in overlapping halves; under 4 byte by byte. All are read before one is written:
 * where two ports share memory, their buffers may overlap, which memcpy() itself does not allow.
 */
static inline void
copy_up_to_64(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	copy_16 a, b, c, d;
	uint64_t e, f;
	uint32_t g, h;

	if (len >= 32) {
		memcpy(&a, src, 16);
		memcpy(&b, src + 16, 16);
		memcpy(&c, src + len - 32, 16);
		memcpy(&d, src + len - 16, 16);
		memcpy(dst, &a, 16);
		memcpy(dst + 16, &b, 16);
		memcpy(dst + len - 32, &c, 16);
		memcpy(dst + len - 16, &d, 16);
	} else if (len >= 16) {
		memcpy(&a, src, 16);
		memcpy(&b, src + len - 16, 16);
		memcpy(dst, &a, 16);
		memcpy(dst + len - 16, &b, 16);
	} else if (len >= 8) {
		memcpy(&e, src, 8);
		memcpy(&f, src + len - 8, 8);
		memcpy(dst, &e, 8);
		memcpy(dst + len - 8, &f, 8);
	} else if (len >= 4) {
		memcpy(&g, src, 4);
		memcpy(&h, src + len - 4, 4);
		memcpy(dst, &g, 4);
		memcpy(dst + len - 4, &h, 4);
	} else {
		for (uint32_t i = 0; i < len; i++)
			dst[i] = src[i];
	}
}

#endif
