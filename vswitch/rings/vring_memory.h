/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings' questions to the account of memory that the switch adds (memory_growth.h). Workers.
 */
#ifndef VSWITCH_VRING_MEMORY_H
#define VSWITCH_VRING_MEMORY_H

#include "datapath/frame.h"
#include "memory_growth.h"
#include "vring.h"

/* Refills the account and judges; for vring_memory_verdict(). */
enum memory_growth_verdict vring_memory_look(const struct split_vring *vring);

/* Once a burst: which buffers of the ring may be used. */
static inline enum memory_growth_verdict
vring_memory_verdict(const struct split_vring *vring)
{
	return memory_growth_is_free(vring->growth) ? MEMORY_GROWTH_FREE : vring_memory_look(vring);
}

/*
 * Where only buffers on existing pages may be used: whether the first `bytes` of the segments lie on
 * such. A system call a segment.
 */
bool vring_memory_allows(const struct split_vring *vring, const struct frame_segment *segments,
		uint32_t n, uint64_t bytes);

#endif
