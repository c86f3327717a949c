/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies payload with the widest vectors that this CPU has. The distribution's compiler baseline is
 * SSE2, and its memcpy is a call through the PLT. At 1,518 bytes a loop over 64-byte vectors takes
 * 1 / 1.3 of the time of an SSE loop. Non-temporal stores are never right here, because the receiver
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

/* Sets copy_payload to the given width. False, and no change, when this CPU lacks that width. */
bool copy_select(enum copy_width width);

/* Selects the widest that this CPU has; call it once before workers start. Returns its name. */
const char *copy_init(void);

/*
 * Prefetches a cache line for writing. Inline assembly, because for the baseline of x86-64 the compiler
 * turns this into a prefetch for reading: the line then comes shared, and the store still waits until
 * the peer's copy is invalidated. Does nothing on a CPU without PREFETCHW.
 */
static inline void
copy_prefetch_for_write(const void *line)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
}

/* Copies exactly 64 bytes: the heads of frames that are at least that long. */
static inline void
copy_64(uint8_t *dst, const uint8_t *src)
{
	memcpy(dst, src, 64);
}

/* Sixteen bytes in a register. */
typedef uint64_t copy_16 __attribute__((vector_size(16)));

/*
 * Copies at most 64 bytes, in overlapping halves, and fewer than 4 byte by byte. From 4 on all bytes are
 * read before any is written, because the buffers of two ports that share memory may overlap, which
 * memcpy() does not allow.
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
