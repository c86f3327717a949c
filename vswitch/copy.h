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

typedef uint8_t copy_vec16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t copy_word64 __attribute__((aligned(1), may_alias));
typedef uint32_t copy_word32 __attribute__((aligned(1), may_alias));

/*
 * At most 64 bytes, in overlapping halves; under 4 byte by byte. Not by memcpy(): two ports may share
 * one memory, and then a receiver's buffer may lie over the sender's frame. What it gets is its own
 * affair.
 */
static inline void
copy_up_to_64(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	if (len >= 32) {
		*(copy_vec16 *)dst = *(const copy_vec16 *)src;
		*(copy_vec16 *)(dst + 16) = *(const copy_vec16 *)(src + 16);
		*(copy_vec16 *)(dst + len - 32) = *(const copy_vec16 *)(src + len - 32);
		*(copy_vec16 *)(dst + len - 16) = *(const copy_vec16 *)(src + len - 16);
	} else if (len >= 16) {
		*(copy_vec16 *)dst = *(const copy_vec16 *)src;
		*(copy_vec16 *)(dst + len - 16) = *(const copy_vec16 *)(src + len - 16);
	} else if (len >= 8) {
		*(copy_word64 *)dst = *(const copy_word64 *)src;
		*(copy_word64 *)(dst + len - 8) = *(const copy_word64 *)(src + len - 8);
	} else if (len >= 4) {
		*(copy_word32 *)dst = *(const copy_word32 *)src;
		*(copy_word32 *)(dst + len - 4) = *(const copy_word32 *)(src + len - 4);
	} else {
		for (uint32_t i = 0; i < len; i++)
			dst[i] = src[i];
	}
}

#endif
