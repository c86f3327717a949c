/* SPDX-License-Identifier: BSD-3-Clause */
/* See vring_memory.h. */
#include "vring_memory.h"

#include "base/clock.h"
#include "memory_fault.h"

enum memory_growth_verdict
vring_memory_look(const struct split_vring *vring)
{
	uint64_t now_ns = clock_ns();
	enum memory_growth_verdict verdict = memory_growth_look(vring->growth, now_ns);

	if (verdict == MEMORY_GROWTH_STOPPED)
		memory_growth_refuse(vring->growth, now_ns);
	return verdict;
}

bool
vring_memory_allows(const struct split_vring *vring, const struct frame_segment *segments,
		uint32_t n, uint64_t bytes)
{
	for (uint32_t i = 0; i < n && bytes > 0; i++) {
		uint64_t len = segments[i].len < bytes ? segments[i].len : bytes;

		if (!memory_fault_present(segments[i].data, len)) {
			memory_growth_refuse(vring->growth, clock_ns());
			return false;
		}
		bytes -= len;
	}
	return true;
}
