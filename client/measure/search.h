/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for the highest rate without loss (throughput, RFC 2544, 26.1), by bisection.
 *
 * The role bench asks for the rate of its next trial and reports the outcome. The first trial is as fast
 * as possible; if full rings held the sender back in it and no frame was lost, its rate is the result. A
 * trial that only shows the limit of the measuring program is repeated. If that does not help, the search
 * ends as soon as it has a lower bound, which is not a result. Pure, one thread.
 */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include <stdbool.h>

#define SEARCH_PRECISION 0.01 /* share of the rate */
#define SEARCH_TRIES 3	      /* the most trials of a rate that decide nothing */

/* The outcome of a trial. The last two only show the limit of the measuring program. */
enum search_outcome {
	SEARCH_CLEAN,  /* the rate was reached, and every frame came */
	SEARCH_HELD,   /* full rings kept the sender below the rate; every frame came */
	SEARCH_LOST,   /* the backend lost frames */
	SEARCH_SHORT,  /* the sender itself did not reach the rate; every frame came */
	SEARCH_MISSED, /* frames were lost while the receiver's own ring was full */
};

struct search {
	unsigned int trials;
	unsigned int tries;	   /* trials of this rate that decided nothing */
	double rate;		   /* of the next trial; 0: as fast as possible */
	double first;		   /* the first rate, frames a second */
	double low, high;	   /* highest rate known to succeed, lowest known to fail */
	double best;		   /* the result: highest rate sent without loss; 0: none */
	enum search_outcome above; /* why higher rates failed; SEARCH_CLEAN: not known yet */
	bool over;
};

/*
 * True when there is one more trial; *rate is its frames a second, 0: as fast as possible. s is all zero at
 * first. Gives up when a thousandth of the first rate still loses frames.
 */
bool search_next(struct search *s, double *rate);

/* Records the outcome of the trial that search_next() asked for; sent: its real frames a second. */
void search_note(struct search *s, double sent, enum search_outcome outcome);

/* After the search: whether its result is about the backend, not about this program. */
bool search_is_conclusive(const struct search *s);

#endif
