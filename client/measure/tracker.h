/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of the frames of a sender: lost, duplicated, reordered, by flow and in total.
 *
 * The role receive tells it each sequence number that arrives. A flow remembers which of its last
 * TRACKER_WINDOW numbers came; one that is older still is taken for one of those that are missing,
 * or for a duplicate if none is. One thread.
 */
#ifndef CLIENT_TRACKER_H
#define CLIENT_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACKER_WINDOW UINT64_C(8192)
#define TRACKER_FLOWS_MAX ((size_t)65536)

struct tracker_counts {
	uint64_t frames; /* good ones */
	uint64_t lost;	 /* numbers below the highest that never came in a good frame */
	uint64_t duplicated;
	uint64_t reordered; /* came after a higher number */
	uint64_t corrupted;
};

struct tracker;

/*
 * NULL: no memory. join: a flow begins with the first number that is seen, for a receiver that
 * starts later than the sender; else with 0.
 */
struct tracker *tracker_create(bool join);
void tracker_destroy(struct tracker *t);

/* A good frame came. -ENOMEM or -ENOSPC (over TRACKER_FLOWS_MAX flows): it was not counted. */
int tracker_note(struct tracker *t, uint32_t run, uint32_t flow, uint64_t sequence);

/* A corrupt frame came. Where the flow it names is known, it is counted there, too. */
void tracker_note_corrupt(struct tracker *t, uint32_t run, uint32_t flow);

struct tracker_counts tracker_total(const struct tracker *t);

size_t tracker_flow_count(const struct tracker *t);

/* A flow, in the order of first arrival: index below tracker_flow_count. */
struct tracker_counts
tracker_flow(const struct tracker *t, size_t index, uint32_t *run, uint32_t *flow);

#endif
