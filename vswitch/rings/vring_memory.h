/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How rings ask the port's account of memory which buffers they may use (memory_growth.h). Workers.
 */
#ifndef VSWITCH_VRING_MEMORY_H
#define VSWITCH_VRING_MEMORY_H

#include "datapath/frame.h"
#include "memory_growth.h"
#include "vring.h"

/* The slow path of vring_memory_verdict(): refills the account and judges. */
enum memory_growth_verdict vring_memory_look(const struct split_vring *vring);

/* Which buffers of the ring may be used. Once for each burst. */
static inline enum memory_growth_verdict
vring_memory_verdict(const struct split_vring *vring)
{
	return memory_growth_is_free(vring->growth) ? MEMORY_GROWTH_FREE : vring_memory_look(vring);
}

/*
 * For MEMORY_GROWTH_CHECKED: whether the first `bytes` of the segments lie on pages that exist. Makes a
 * system call for each segment.
 */
bool vring_memory_allows(const struct split_vring *vring, const struct frame_segment *segments,
		uint32_t n, uint64_t bytes);

#endif
