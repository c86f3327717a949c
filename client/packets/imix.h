/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simple IMIX: of twelve frames seven are of 64, four of 594 and one of 1,518 bytes with FCS
 * (IP packets of 40, padded, 576 and 1,500 bytes); here, as everywhere, without: 60, 590, 1,514.
 *
 * settings.c answers for send and bench with it. RFC 6985 gives names to mixes; this one is older
 * and what testers mean by the word. Pure, any thread.
 */
#ifndef CLIENT_IMIX_H
#define CLIENT_IMIX_H

#include <stdint.h>

#define IMIX_SIZE_MAX 1514

/* Size of frame number n of the mix, from 0; the three sizes are spread over each twelve. */
uint32_t imix_size(uint64_t number);

/* Bytes of the first count frames. */
uint64_t imix_bytes(uint64_t count);

#endif
