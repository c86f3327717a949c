/* SPDX-License-Identifier: BSD-3-Clause */
/* See search.h. */
#include "search.h"

#define HOPELESS 0.001 /* of the first rate */

bool
search_next(const struct search *s, double *rate)
{
	*rate = (s->low + s->high) / 2;
	if (s->trials == 0)
		return true;
	return s->high - s->low > s->high * SEARCH_PRECISION && s->high > s->first * HOPELESS;
}

void
search_note(struct search *s, double rate, double sent, bool all_came)
{
	bool reached = sent >= rate * (1 - SEARCH_PRECISION);

	if (s->trials++ == 0) {
		s->first = s->high = sent;
		rate = sent;
	}
	if (all_came && sent > s->best)
		s->best = sent;
	if (all_came && reached)
		s->low = rate;
	else if (all_came && sent > s->low)
		s->low = sent;
	if (!all_came || !reached)
		s->high = rate;
}
