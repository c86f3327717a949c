/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksum of IP, TCP and UDP (RFC 1071) over bytes that lie in pieces: the ones' complement sum of
 * 16-bit words, for offload_split.c. Workers; pure. The sum works in either byte order if all words agree.
 * So words are added as this CPU loads them, and the result is stored without a swap.
 */
#ifndef VSWITCH_CSUM_H
#define VSWITCH_CSUM_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. `sum` does not overflow, because each piece adds at most 16 bits. */
struct csum {
	uint64_t sum;
	bool odd; /* an odd number of bytes so far: the next byte is the second of its word */
};

/* Adds the next piece; any length, any alignment. */
void csum_add(struct csum *csum, const uint8_t *data, uint32_t len);

/*
 * The sum in 16 bits, not complemented: store ~csum_fold() in a checksum field, in memory order. It is 0
 * only when every byte was 0.
 */
uint16_t csum_fold(const struct csum *csum);

#endif
