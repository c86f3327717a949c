/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for the highest rate without loss (throughput, RFC 2544, 26.1), by bisection.
 *
 * The role bench asks for the rate of its next trial and tells what came of it. The first trial
 * is as fast as goes; what loses nothing there is the answer already, for a full ring holds a
 * sender back without loss. Pure, one thread.
 */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include <stdbool.h>

#define SEARCH_PRECISION 0.01 /* of the rate */

struct search {
	unsigned int trials;
	double first;	  /* frames a second of the first trial */
	double low, high; /* highest rate known to lose nothing, lowest known not to go */
	double best;	  /* highest that was sent and lost nothing; the result; 0: none */
};

/*
 * Whether there is one more trial, and its frames a second; 0: as fast as goes. s starts as zeros.
 * A rate of which a thousandth of the first still loses is not searched for further.
 */
bool search_next(const struct search *s, double *rate);

/*
 * What came of a trial at a rate: frames a second that were really sent, and whether all came. A
 * trial that was held back proves only the rate that it reached.
 */
void search_note(struct search *s, double rate, double sent, bool all_came);

#endif
