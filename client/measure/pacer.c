/* SPDX-License-Identifier: BSD-3-Clause */
/* See pacer.h. */
#include "pacer.h"

#include <math.h>

#define NS 1e9

void
pacer_init(struct pacer *p, double rate, uint64_t now)
{
	*p = (struct pacer){ .rate = rate, .start = now };
}

uint64_t
pacer_due(struct pacer *p, uint64_t now, uint64_t limit)
{
	uint64_t next = pacer_next(p), due;

	if (p->rate <= 0)
		return limit;
	if (now < next)
		return 0;
	if (now - next > PACER_CATCH_UP_NS)
		pacer_init(p, p->rate, now - PACER_CATCH_UP_NS);
	due = (uint64_t)floor((double)(now - p->start) * p->rate / NS) + 1;
	due = due > p->sent ? due - p->sent : 1; /* at least 1 is due, whatever rounding does */
	return due < limit ? due : limit;
}

void
pacer_sent(struct pacer *p, uint64_t count)
{
	p->sent += count;
}

uint64_t
pacer_next(const struct pacer *p)
{
	if (p->rate <= 0)
		return 0;
	return p->start + (uint64_t)ceil((double)p->sent * NS / p->rate);
}
