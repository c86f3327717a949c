/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checksum of IP, TCP and UDP (RFC 1071) over bytes that lie in pieces: the ones' complement sum
 * of 16-bit words, for offload.c. Workers; pure. The sum does not care which byte of a word is the
 * higher one as long as all agree, so words are added as this CPU loads them and the result is
 * stored as it is.
 */
#ifndef VSWITCH_CSUM_H
#define VSWITCH_CSUM_H

#include <stdbool.h>
#include <stdint.h>

/* Starts as all zero. A piece adds 16 bits to it, so it does not overflow. */
struct csum {
	uint64_t sum;
	bool odd; /* an odd number of bytes so far: the next one is the second of its word */
};

/* Adds the next piece; any length, any alignment. */
void csum_add(struct csum *csum, const uint8_t *data, uint32_t len);

/*
 * The sum in 16 bits, not complemented: a checksum field gets ~csum_fold(), in memory order. 0 only
 * when every byte was 0.
 */
uint16_t csum_fold(const struct csum *csum);

#endif
