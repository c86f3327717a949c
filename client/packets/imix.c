/* SPDX-License-Identifier: BSD-3-Clause */
/* See imix.h. */
#include "imix.h"

#define PERIOD 12

static const uint32_t sizes[PERIOD] = { 60, 590, 60, 60, 590, 60, 60, 590, 60, IMIX_SIZE_MAX, 590,
	60 };

uint32_t
imix_size(uint64_t number)
{
	return sizes[number % PERIOD];
}

static uint64_t
first_bytes(uint64_t count)
{
	uint64_t sum = 0, i;

	for (i = 0; i < count; i++)
		sum += sizes[i];
	return sum;
}

uint64_t
imix_bytes(uint64_t count)
{
	return count / PERIOD * first_bytes(PERIOD) + first_bytes(count % PERIOD);
}
