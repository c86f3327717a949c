/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One loop in two widths. It adds 32-bit words in 64-bit lanes, so that no carry is lost and none must be
 * looked for; csum_fold() adds the carries. The distribution's baseline is SSE2. Where this CPU has AVX2,
 * 64 KiB take about 0.6 of the time (2 instead of 3 µs).
 */
#include "csum.h"

#include <string.h>

typedef uint64_t vec16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t vec32 __attribute__((vector_size(32), aligned(1), may_alias));

/* Whole vectors only. No lane overflows before 2^32 of them. */
#define DEFINE_SUM(name, vec, isa)                                                                 \
	isa static uint64_t name(const uint8_t *data, uint32_t len)                                \
	{                                                                                          \
		vec even = { 0 }, odd = { 0 };                                                     \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (uint32_t i = 0; i < len; i += sizeof(vec)) {                                  \
			vec words = *(const vec *)(data + i);                                      \
                                                                                                   \
			even += words & UINT32_MAX;                                                \
			odd += words >> 32;                                                        \
		}                                                                                  \
		for (uint32_t i = 0; i < sizeof(vec) / sizeof(even[0]); i++)                       \
			sum += even[i] + odd[i];                                                   \
		return sum;                                                                        \
	}

DEFINE_SUM(sum_sse2, vec16, )
DEFINE_SUM(sum_avx2, vec32, __attribute__((target("avx2"))))

/* Adds what is left after the vectors: fewer bytes than a short vector has. */
static uint64_t
sum_tail(const uint8_t *data, uint32_t len)
{
	uint64_t sum = 0;

	for (; len >= 4; data += 4, len -= 4) {
		uint32_t word;

		memcpy(&word, data, sizeof(word));
		sum += word;
	}
	if (len > 0) {
		uint32_t word = 0;

		memcpy(&word, data, len);
		sum += word;
	}
	return sum;
}

static uint16_t
fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return sum;
}

void
csum_add(struct csum *csum, const uint8_t *data, uint32_t len)
{
	uint32_t done = 0, n;
	uint64_t sum = 0;

	if (len >= sizeof(vec32) && __builtin_cpu_supports("avx2")) {
		done = len - len % sizeof(vec32);
		sum = sum_avx2(data, done);
	}
	n = (len - done) - (len - done) % sizeof(vec16);
	sum += sum_sse2(data + done, n);
	done += n;
	sum += sum_tail(data + done, len - done);
	/* RFC 1071, 2(B): when every byte is in the other half of its word, the sum is byte-swapped. */
	csum->sum += csum->odd ? __builtin_bswap16(fold(sum)) : fold(sum);
	csum->odd ^= len & 1;
}

uint16_t
csum_fold(const struct csum *csum)
{
	return fold(csum->sum);
}
