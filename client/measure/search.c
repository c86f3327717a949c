/* SPDX-License-Identifier: BSD-3-Clause */
/* See search.h. */
#include "search.h"

#define HOPELESS 0.001 /* gives up below this share of the first rate */

static bool
all_came(enum search_outcome outcome)
{
	return outcome != SEARCH_LOST && outcome != SEARCH_MISSED;
}

static bool
is_own_fault(enum search_outcome outcome)
{
	return outcome == SEARCH_SHORT || outcome == SEARCH_MISSED;
}

bool
search_next(struct search *s, double *rate)
{
	if (s->trials > 0 && s->tries == 0)
		s->rate = (s->low + s->high) / 2;
	*rate = s->rate;
	if (s->trials == 0 || s->tries > 0)
		return true;
	return !s->over && s->high - s->low > s->high * SEARCH_PRECISION &&
			s->high > s->first * HOPELESS;
}

/* A rate has failed. If a higher rate succeeded before, that was by chance. */
static void
close_above(struct search *s, double rate, enum search_outcome outcome)
{
	s->high = rate;
	s->above = outcome;
	if (!all_came(outcome) && s->low >= rate)
		s->low = s->best = 0;
	s->over = outcome == SEARCH_SHORT || (outcome == SEARCH_MISSED && s->best > 0);
}

void
search_note(struct search *s, double sent, enum search_outcome outcome)
{
	double rate = s->rate > 0 ? s->rate : sent;

	s->trials++;
	if (all_came(outcome) && sent > s->best)
		s->best = sent;
	if (all_came(outcome) && sent > s->low)
		s->low = sent;
	if (is_own_fault(outcome) && ++s->tries < SEARCH_TRIES)
		return;
	s->tries = 0;
	if (s->first == 0)
		s->first = rate;
	if (outcome != SEARCH_CLEAN)
		close_above(s, rate, outcome);
	else if (rate > s->low)
		s->low = rate;
}

bool
search_is_conclusive(const struct search *s)
{
	return s->above == SEARCH_LOST || s->above == SEARCH_HELD;
}
