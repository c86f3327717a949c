/* SPDX-License-Identifier: BSD-3-Clause */
/* See fd_budget.h. */
#include "fd_budget.h"

#include <stdio.h>
#include <sys/resource.h>

#include "fd_reaper.h"

static uint64_t taken;

bool
fd_budget_take(uint32_t n, char *why, size_t why_size)
{
	struct rlimit limit;
	uint64_t in_use;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		limit.rlim_cur = 1024;
	in_use = taken + fd_reaper_pending_all();
	if (in_use + n + FD_BUDGET_REST > limit.rlim_cur) {
		snprintf(why, why_size,
				"the switch may open %llu descriptors (RLIMIT_NOFILE) and its "
				"ports have reserved %llu of them; raise the limit",
				(unsigned long long)limit.rlim_cur, (unsigned long long)in_use);
		return false;
	}
	taken += n;
	return true;
}

void
fd_budget_give(uint32_t n)
{
	taken -= n;
}
