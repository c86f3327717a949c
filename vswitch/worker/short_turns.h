/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many frames a source's turn takes after one that was slow.
 *
 * A turn is slow where the sender's memory or a receiver's is, and the others wait for its end. So after
 * a slow turn few frames are taken at a time: nothing is lost, and the others wait for a few frames and
 * not for a burst. Then the turns become longer again step by step, so that they are slow for a
 * moment only where the memory still is, and short at once. Where even short turns are slow, as with
 * pages that the kernel takes a millisecond to clear, each takes one frame.
 *
 * A worker's own; times are TSC cycles, `ms` are cycles of a millisecond.
 */
#ifndef VSWITCH_SHORT_TURNS_H
#define VSWITCH_SHORT_TURNS_H

#include <stdint.h>

#include "datapath/endpoint.h"

#define SHORT_TURNS_FRAMES 4
/* So long after the last slow turn, and so long for each doubling after that. */
#define SHORT_TURNS_MS 100
#define SHORT_TURNS_STEP_MS 20

/* The source's turn was slow. */
static inline void
short_turns_begin(struct source *source, uint64_t now, uint64_t ms)
{
	source->frames_max = source->frames_max > SHORT_TURNS_FRAMES ? SHORT_TURNS_FRAMES : 1;
	source->short_until = now + SHORT_TURNS_MS * ms;
}

/* Before each turn. */
static inline void
short_turns_step(struct source *source, uint64_t now, uint64_t ms)
{
	if (source->frames_max == BURST_MAX || now < source->short_until)
		return;
	source->frames_max *= 2;
	source->short_until = now + SHORT_TURNS_STEP_MS * ms;
}

#endif
