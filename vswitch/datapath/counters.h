/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of a port. Each has one writer at a time (the worker that owns the source; whoever
 * holds the sink's lock) and any number of readers, so that neither needs a locked instruction.
 */
#ifndef VSWITCH_COUNTERS_H
#define VSWITCH_COUNTERS_H

#include <stdint.h>

#include "drops/drop_reason.h"

struct counters {
	uint64_t frames;     /* source: taken from the port; sink: delivered to it */
	uint64_t bytes;	     /* of those, without FCS */
	uint64_t copies_due; /* source: one a unicast frame, one a receiver of a flood */
	uint64_t drops[DROP_REASONS];
	/* sink: work done for the receiver, since it does not take offloads: */
	uint64_t checksummed; /* frames whose checksum was completed */
	uint64_t segmented;   /* frames cut into segments */
	uint64_t segments;    /* made of those; each is then delivered or dropped as a frame */
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
