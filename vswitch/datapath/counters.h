/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of a port. Each has one writer at a time (the worker that owns the source, or the holder of
 * the sink's lock) and any number of readers. So no side needs a locked instruction.
 */
#ifndef VSWITCH_COUNTERS_H
#define VSWITCH_COUNTERS_H

#include <stdint.h>

#include "drops/drop_reason.h"

struct counters {
	uint64_t frames;     /* source: taken from the port; sink: delivered to it */
	uint64_t bytes;	     /* of these frames, without FCS */
	uint64_t copies_due; /* source: 1 for a unicast frame, 1 for each receiver of a flood */
	uint64_t drops[DROP_REASONS];
	/* sink: work done for a receiver that lacks these offloads: */
	uint64_t checksummed; /* frames whose checksum was completed */
	uint64_t segmented;   /* frames cut into segments */
	uint64_t segments;    /* the resulting frames; each is then delivered or dropped */
};

static inline void
counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline uint64_t
counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

#endif
