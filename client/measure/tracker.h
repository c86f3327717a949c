/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts lost, duplicated and reordered frames of a sender, by flow and in total.
 *
 * The role receive notes each sequence number that arrives. A flow remembers which of its last
 * TRACKER_WINDOW numbers came. An older number counts as one of those that are missing, or as a duplicate if
 * none is missing. One thread.
 */
#ifndef CLIENT_TRACKER_H
#define CLIENT_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACKER_WINDOW UINT64_C(8192)
#define TRACKER_FLOWS_MAX ((size_t)65536)

struct tracker_counts {
	uint64_t frames; /* good frames */
	uint64_t lost;	 /* numbers below the highest that never came in a good frame */
	uint64_t duplicated;
	uint64_t reordered; /* numbers that came after a higher one */
	uint64_t corrupted;
};

struct tracker;

/*
 * NULL: no memory. join: a flow begins with the first number that comes, for a receiver that starts after
 * the sender. Otherwise it begins with 0.
 */
struct tracker *tracker_create(bool join);
void tracker_destroy(struct tracker *t);

/* Counts a good frame. -ENOMEM or -ENOSPC (over TRACKER_FLOWS_MAX flows): it was not counted. */
int tracker_note(struct tracker *t, uint32_t run, uint32_t flow, uint64_t sequence);

/* Counts a corrupt frame in total and, if the flow that it names is known, in that flow. */
void tracker_note_corrupt(struct tracker *t, uint32_t run, uint32_t flow);

struct tracker_counts tracker_total(const struct tracker *t);

size_t tracker_flow_count(const struct tracker *t);

/* The counts of a flow, by the order of first arrival; index is below tracker_flow_count(). */
struct tracker_counts
tracker_flow(const struct tracker *t, size_t index, uint32_t *run, uint32_t *flow);

#endif
