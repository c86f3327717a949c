/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for the highest rate without loss (throughput, RFC 2544, 26.1), by bisection.
 *
 * The role bench asks for the rate of its next trial and tells what came of it. The first trial
 * is as fast as goes; where full rings held the sender back there without loss, that is the answer.
 * A trial that only shows the limit of the measuring program is repeated; when that does not help,
 * the search ends as soon as it has a lower bound, which is no result. Pure, one thread.
 */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include <stdbool.h>

#define SEARCH_PRECISION 0.01 /* of the rate */
#define SEARCH_TRIES 3	      /* of a rate whose trials decide nothing */

/* What came of a trial. The last two tell something of the measuring program alone. */
enum search_outcome {
	SEARCH_CLEAN,  /* the rate was sent, and every frame came */
	SEARCH_HELD,   /* full rings held the sender below the rate; every frame came */
	SEARCH_LOST,   /* the backend lost frames */
	SEARCH_SHORT,  /* the sender fell short of the rate by itself; every frame came */
	SEARCH_MISSED, /* frames were lost while the receiver's own ring was full */
};

struct search {
	unsigned int trials;
	unsigned int tries;	   /* trials of this rate that decided nothing */
	double rate;		   /* of the trial that is due; 0: as fast as goes */
	double first;		   /* frames a second of the first rate */
	double low, high;	   /* highest rate known to lose nothing, lowest known not to go */
	double best;		   /* highest that was sent and lost nothing; the result; 0: none */
	enum search_outcome above; /* why higher rates did not go; SEARCH_CLEAN: not known yet */
	bool over;
};

/*
 * Whether there is one more trial, and its frames a second; 0: as fast as goes. s starts as zeros.
 * A rate of which a thousandth of the first still loses is not searched for further.
 */
bool search_next(struct search *s, double *rate);

/* What came of the trial that search_next() asked for, and the frames a second really sent. */
void search_note(struct search *s, double sent, enum search_outcome outcome);

/* Whether the search, which is over, says something about the backend and not about this program. */
bool search_is_conclusive(const struct search *s);

#endif
