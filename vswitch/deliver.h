/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From verdicts to receivers: sorts a burst by sink, so that each sink's lock is taken and its ring
 * published once a burst. Workers only.
 */
#ifndef VSWITCH_DELIVER_H
#define VSWITCH_DELIVER_H

#include <stdint.h>

#include "endpoint.h"
#include "forward.h"

/* Scratch of one worker, all zero before the first burst. */
struct delivery {
	struct burst *split; /* frames made for a receiver that does not take theirs undone */
	uint32_t n_receivers;
	uint16_t receivers[PORTS_MAX]; /* ports with a list, in the order of their first frame */
	uint8_t counts[PORTS_MAX];
	uint8_t lists[PORTS_MAX][BURST_MAX]; /* indices in the burst */
};

/*
 * Delivers or drops every copy of every frame of the burst from `source`, as `verdicts` say, and
 * counts each once: at the source (copies due; drops by verdict) or at the receiver.
 */
void deliver_burst(struct delivery *delivery, const struct forward_table *table,
		struct source *source, const struct burst *burst, const struct verdict *verdicts);

#endif
