/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One loop in three widths. The first vector is copied from the start of the range and the last one
 * from its end, both unaligned. Stores between them are aligned, because a store across a cache line
 * costs as much as two. The vectors overlap, so no loop over single bytes is needed.
 */
#include "copy.h"

typedef uint8_t vec16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t vec32 __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint8_t vec64 __attribute__((vector_size(64), aligned(1), may_alias));

#define DEFINE_COPY(name, vec, isa)                                                                \
	isa static void name(uint8_t *dst, const uint8_t *src, uint32_t len)                       \
	{                                                                                          \
		uint32_t i = sizeof(vec) - (uintptr_t)dst % sizeof(vec);                           \
                                                                                                   \
		if (len <= sizeof(vec)) {                                                          \
			copy_up_to_64(dst, src, len);                                              \
			return;                                                                    \
		}                                                                                  \
		*(vec *)dst = *(const vec *)src;                                                   \
		for (; i + sizeof(vec) < len; i += sizeof(vec))                                    \
			*(vec *)(dst + i) = *(const vec *)(src + i);                               \
		*(vec *)(dst + len - sizeof(vec)) = *(const vec *)(src + len - sizeof(vec));       \
	}

DEFINE_COPY(copy_sse2, vec16, )
DEFINE_COPY(copy_avx2, vec32, __attribute__((target("avx2"))))
DEFINE_COPY(copy_avx512, vec64, __attribute__((target("avx512f,avx512vl,avx512bw"))))

void (*copy_payload)(uint8_t *dst, const uint8_t *src, uint32_t len) = copy_sse2;

bool
copy_select(enum copy_width width)
{
	__builtin_cpu_init();
	if (width == COPY_AVX512 && __builtin_cpu_supports("avx512f") &&
			__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
		copy_payload = copy_avx512;
	else if (width == COPY_AVX2 && __builtin_cpu_supports("avx2"))
		copy_payload = copy_avx2;
	else if (width == COPY_SSE2)
		copy_payload = copy_sse2;
	else
		return false;
	return true;
}

const char *
copy_init(void)
{
	if (copy_select(COPY_AVX512))
		return "AVX-512";
	if (copy_select(COPY_AVX2))
		return "AVX2";
	copy_select(COPY_SSE2);
	return "SSE2";
}
