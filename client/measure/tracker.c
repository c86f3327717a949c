/* SPDX-License-Identifier: BSD-3-Clause */
/* See tracker.h. */
#include "tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64
#define WORDS (TRACKER_WINDOW / WORD_BITS)
#define SLOTS (TRACKER_FLOWS_MAX * 2) /* power of two; never more than half full */

struct flow {
	uint32_t run, id;
	uint64_t base;		      /* first number that counts */
	uint64_t highest;	      /* highest number so far */
	uint64_t unique;	      /* how many numbers from base on came */
	struct tracker_counts counts; /* `lost` is not used: it follows from the above */
	uint64_t seen[WORDS];	      /* a bit for each number, at its remainder by the window */
};

struct tracker {
	bool join;
	size_t count;
	uint64_t corrupted; /* of known and unknown flows */
	struct flow *last;  /* cache: frames come in bursts of one flow */
	struct flow *flows[TRACKER_FLOWS_MAX];
	uint32_t slots[SLOTS]; /* index in flows plus 1; 0: empty */
};

struct tracker *
tracker_create(bool join)
{
	struct tracker *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->join = join;
	return t;
}

void
tracker_destroy(struct tracker *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->count; i++)
		free(t->flows[i]);
	free(t);
}

static bool
is_flow(const struct flow *f, uint32_t run, uint32_t id)
{
	return f->run == run && f->id == id;
}

/* The slot of a flow, or the empty one where it belongs. */
static uint32_t *
find_slot(struct tracker *t, uint32_t run, uint32_t id)
{
	uint64_t hash = ((uint64_t)run << 32 | id) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(hash >> 40) % SLOTS;

	while (t->slots[i] != 0 && !is_flow(t->flows[t->slots[i] - 1], run, id))
		i = (i + 1) % SLOTS;
	return &t->slots[i];
}

static struct flow *
find_flow(struct tracker *t, uint32_t run, uint32_t id)
{
	uint32_t slot;

	if (t->last != NULL && is_flow(t->last, run, id))
		return t->last;
	slot = *find_slot(t, run, id);
	if (slot == 0)
		return NULL;
	t->last = t->flows[slot - 1];
	return t->last;
}

static int
add_flow(struct tracker *t, uint32_t run, uint32_t id, uint64_t base)
{
	struct flow *f;

	if (t->count == TRACKER_FLOWS_MAX)
		return -ENOSPC;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	f->run = run;
	f->id = id;
	f->base = base;
	*find_slot(t, run, id) = (uint32_t)t->count + 1;
	t->flows[t->count++] = f;
	t->last = f;
	return 0;
}

static uint64_t
bit_of(uint64_t sequence)
{
	return UINT64_C(1) << sequence % WORD_BITS;
}

static uint64_t *
word_of(struct flow *f, uint64_t sequence)
{
	return &f->seen[sequence / WORD_BITS % WORDS];
}

/* Moves the window up to a new highest number. The numbers that it skips have not come yet. */
static void
advance(struct flow *f, uint64_t sequence)
{
	uint64_t n;

	if (sequence - f->highest >= TRACKER_WINDOW)
		memset(f->seen, 0, sizeof(f->seen));
	else
		for (n = f->highest + 1; n <= sequence; n++)
			*word_of(f, n) &= ~bit_of(n);
	f->highest = sequence;
}

static uint64_t
missing(const struct flow *f)
{
	return f->highest + 1 - f->base - f->unique;
}

/*
 * Whether a number that is not above the highest came before. A number older than the window counts as one
 * of the missing numbers, if there are any; otherwise as one that came.
 */
static bool
came_before(struct flow *f, uint64_t sequence)
{
	if (f->highest - sequence >= TRACKER_WINDOW)
		return missing(f) == 0;
	return (*word_of(f, sequence) & bit_of(sequence)) != 0;
}

static void
note(struct flow *f, uint64_t sequence)
{
	bool first = f->counts.frames++ == 0;

	if (first || sequence > f->highest) {
		advance(f, sequence);
	} else if (sequence < f->base) {
		f->counts.reordered++;
		return;
	} else if (came_before(f, sequence)) {
		f->counts.duplicated++;
		return;
	} else {
		f->counts.reordered++;
	}
	if (f->highest - sequence < TRACKER_WINDOW)
		*word_of(f, sequence) |= bit_of(sequence);
	f->unique++;
}

int
tracker_note(struct tracker *t, uint32_t run, uint32_t flow, uint64_t sequence)
{
	struct flow *f = find_flow(t, run, flow);
	int ret;

	if (f == NULL) {
		ret = add_flow(t, run, flow, t->join ? sequence : 0);
		if (ret != 0)
			return ret;
		f = t->last;
	}
	note(f, sequence);
	return 0;
}

void
tracker_note_corrupt(struct tracker *t, uint32_t run, uint32_t flow)
{
	struct flow *f = find_flow(t, run, flow);

	t->corrupted++;
	if (f != NULL)
		f->counts.corrupted++;
}

static struct tracker_counts
flow_counts(const struct flow *f)
{
	struct tracker_counts c = f->counts;

	c.lost = missing(f);
	return c;
}

struct tracker_counts
tracker_total(const struct tracker *t)
{
	struct tracker_counts sum = { 0 }, c;
	size_t i;

	for (i = 0; i < t->count; i++) {
		c = flow_counts(t->flows[i]);
		sum.frames += c.frames;
		sum.lost += c.lost;
		sum.duplicated += c.duplicated;
		sum.reordered += c.reordered;
	}
	sum.corrupted = t->corrupted;
	return sum;
}

size_t
tracker_flow_count(const struct tracker *t)
{
	return t->count;
}

struct tracker_counts
tracker_flow(const struct tracker *t, size_t index, uint32_t *run, uint32_t *flow)
{
	*run = t->flows[index]->run;
	*flow = t->flows[index]->id;
	return flow_counts(t->flows[index]);
}
