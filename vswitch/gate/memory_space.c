/* SPDX-License-Identifier: BSD-3-Clause */
/* See memory_space.h. */
#include "memory_space.h"

#include <stdio.h>

static uint64_t limit = MEMORY_SPACE_MAX;
static uint64_t in_use;

void
memory_space_init(uint64_t memory, uint64_t rlimit)
{
	limit = MEMORY_SPACE_MAX;
	if (memory < limit / MEMORY_SPACE_PER_BYTE)
		limit = memory * MEMORY_SPACE_PER_BYTE;
	if (rlimit / 2 < limit)
		limit = rlimit / 2;
	in_use = 0;
}

static double
gib(uint64_t bytes)
{
	return (double)bytes / (double)(1ull << 30);
}

bool
memory_space_take(uint64_t *taken, uint64_t need, char *why, size_t why_size)
{
	uint64_t others = in_use - *taken;

	if (need > (limit - others) / 2) {
		snprintf(why, why_size,
				"the frontend's memory takes %.1f GiB of address space; of %.1f "
				"GiB for all ports the others have %.1f, and one port may take "
				"half of the rest",
				gib(need), gib(limit), gib(others));
		return false;
	}
	in_use = others + need;
	*taken = need;
	return true;
}

void
memory_space_give(uint64_t *taken)
{
	in_use -= *taken;
	*taken = 0;
}
