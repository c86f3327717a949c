/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simple IMIX: of twelve frames seven have 64, four 594 and one 1,518 bytes with FCS (IP packets of
 * 40, padded, 576 and 1,500 bytes). Without FCS, as everywhere here: 60, 590 and 1,514.
 *
 * settings.c uses it for send and bench. RFC 6985 names mixes by their sizes; this one is older and is what
 * testers mean by IMIX. Pure, any thread.
 */
#ifndef CLIENT_IMIX_H
#define CLIENT_IMIX_H

#include <stdint.h>

#define IMIX_SIZE_MAX 1514

/* Size of frame number n of the mix, from 0. The three sizes are spread over each twelve frames. */
uint32_t imix_size(uint64_t number);

/* Bytes of the first count frames. */
uint64_t imix_bytes(uint64_t count);

#endif
