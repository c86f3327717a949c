/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When the next frame is due, for a sender with a rate.
 *
 * send and bench ask before each burst. A late sender catches up, but by at most PACER_CATCH_UP_NS. So
 * after a longer stop the rate goes on as before, without a flood. Pure; times are nanoseconds of one
 * monotonic clock.
 */
#ifndef CLIENT_PACER_H
#define CLIENT_PACER_H

#include <stdint.h>

#define PACER_CATCH_UP_NS UINT64_C(10000000)

struct pacer {
	double rate;	/* frames a second; 0: as many as possible */
	uint64_t start; /* when frame 0 was due */
	uint64_t sent;	/* since start */
};

void pacer_init(struct pacer *p, double rate, uint64_t now);

/* How many frames are due now, at most limit. */
uint64_t pacer_due(struct pacer *p, uint64_t now, uint64_t limit);

/* Records that count frames were sent. */
void pacer_sent(struct pacer *p, uint64_t count);

/* When the next frame is due; 0 without a rate. */
uint64_t pacer_next(const struct pacer *p);

#endif
