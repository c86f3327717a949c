/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of made-up stations for the tests of the forwarding database. */
#ifndef TESTS_STATIONS_H
#define TESTS_STATIONS_H

#include <string.h>

#include "switching/fdb.h"

/* Station `n` of a group of stations, 0 to 255; different for each pair, never a group address. */
static inline struct fdb_key
station(uint8_t group, uint32_t n)
{
	struct fdb_key key = {
		.mac = { 2, group, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				(uint8_t)n },
	};

	return key;
}

/* A small generator of numbers; any state but 0. */
static inline uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
