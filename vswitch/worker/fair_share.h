/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fair shares of a worker's time for its sources, when there is more to do than time.
 *
 * Start-time fair queueing, with turns for packets: each source counts the time that its turns
 * took, and a source that is ahead of the one that is furthest behind is passed over until the
 * others have caught up. So what counts is time and not bursts: a source whose frames are dear
 * (floods, large segments, long chains) gets fewer of them. A source that had nothing to send saves
 * nothing up: when it comes back it is as far as the others. What its receivers were slow is not its
 * time (account.h).
 *
 * A worker's own; times are TSC cycles.
 */
#ifndef VSWITCH_FAIR_SHARE_H
#define VSWITCH_FAIR_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/endpoint.h"

/* How far a source may be ahead, microseconds: a few turns of the usual length. */
#define FAIR_SHARE_AHEAD_US 50

struct fair_share {
	uint64_t ahead;	      /* cycles of FAIR_SHARE_AHEAD_US; set before the first turn */
	uint64_t behind;      /* `served` of the source furthest behind of those that had work */
	uint64_t behind_next; /* the same of the round under way */
};

static inline void
fair_share_begin_round(struct fair_share *fair)
{
	fair->behind_next = UINT64_MAX;
}

static inline void
fair_share_end_round(struct fair_share *fair)
{
	if (fair->behind_next != UINT64_MAX)
		fair->behind = fair->behind_next;
}

/* A source that has work, or is passed over and may have. */
static inline void
fair_share_count(struct fair_share *fair, const struct source *source)
{
	if (source->served < fair->behind_next)
		fair->behind_next = source->served;
}

/* True when the source must let others catch up. */
static inline bool
fair_share_passes_over(struct fair_share *fair, const struct source *source)
{
	if (source->served <= fair->behind + fair->ahead)
		return false;
	fair_share_count(fair, source);
	return true;
}

/* A turn of the source took so long. */
static inline void
fair_share_serve(struct fair_share *fair, struct source *source, uint64_t cycles)
{
	source->served += cycles;
	fair_share_count(fair, source);
}

/* The source had nothing. */
static inline void
fair_share_skip(const struct fair_share *fair, struct source *source)
{
	if (source->served < fair->behind)
		source->served = fair->behind;
}

#endif
