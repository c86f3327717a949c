/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whoever looks on while frames pass: the seat of a capture, a trace, a mirror. The forwarding table
 * points to it; NULL, as it is where nobody looks on, costs a branch at each of the four places. Shared
 * by snapshots, the last of which frees it (base/shared.h).
 *
 * Called by the workers, several at once. What is shown may be read until the call returns.
 */
#ifndef VSWITCH_OBSERVER_H
#define VSWITCH_OBSERVER_H

#include "base/shared.h"
#include "datapath/endpoint.h"

struct verdict;

struct observer {
	struct shared shared;
	/* A burst has come from the source. */
	void (*taken)(struct observer *observer, const struct source *source,
			const struct burst *burst);
	/* Each frame has its verdict. */
	void (*judged)(struct observer *observer, const struct source *source,
			const struct burst *burst, const struct verdict *verdicts);
	/*
	 * The frames burst->frames[list[0 .. n - 1]] are about to be placed into the sink, or counted as
	 * dropped there, as they are for it: after edits, before what offloads the receiver lacks.
	 */
	void (*placing)(struct observer *observer, const struct sink *sink,
			const struct burst *burst, const uint8_t *list, uint32_t n);
	/* The source has its buffers back. */
	void (*completed)(struct observer *observer, const struct source *source);
};

#endif
