/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bench and its trials. role_bench.c runs them, bench_report.c tells what they came to. Main
 * thread.
 */
#ifndef CLIENT_BENCH_H
#define CLIENT_BENCH_H

#include <stdint.h>

#include "bench_stream.h"
#include "histogram.h"
#include "process/report.h"
#include "search.h"
#include "settings/settings.h"

enum bench_phase {
	BENCH_INTRODUCE,
	BENCH_SEND,
	BENCH_DRAIN,
};

/* All directions of a trial together. */
struct bench_trial {
	double rate;		/* that was asked for, in each direction; 0: as fast as goes */
	double seconds;		/* of sending */
	double receive_seconds; /* from the first frame sent to the last one received */
	double cpu_seconds;	/* of this thread while it sent */
	uint64_t sent, received, received_bytes, lost, reordered;
	uint64_t offers, refusals; /* see bench_counts */
	uint64_t ring_full; /* times that the receive ring had no buffer left for the backend */
	const char *limit;  /* what held the rate where it was: a word for the report */
	struct bench_counts counts[2]; /* of each direction */
};

struct bench {
	const struct settings *settings;
	struct report *report;
	enum bench_phase phase;
	struct bench_stream streams[2]; /* from the first port, from the second */
	uint64_t introduce_next;
	const struct bench_stream *mute; /* nothing came through it; NULL: all is well */
	uint64_t start, send_end;	 /* of the phase; of sending */
	uint64_t cpu_start;
	bool received, backlog; /* in this turn: frames came; more than one burst may wait */
	uint64_t progress;	/* frames received when progress was last shown */
	struct bench_trial trial;
	struct bench_trial shown; /* the one that the report is about */
	bool interrupted;	  /* the search is not over */
	struct search search;
	struct histogram times;
};

/* Per second; 0 for no time. */
static inline double
bench_fps(uint64_t frames, double seconds)
{
	return seconds > 0 ? (double)frames / seconds : 0;
}

/* Which side was the limit of a trial: "rate", "cpu", "backend" or "client". */
const char *bench_limit(const struct bench_trial *t, double directions);

/* What a trial tells a search; its limit is known already. */
enum search_outcome bench_outcome(const struct bench_trial *t);

/* Whether the search, if that was one, has a result. */
bool bench_has_result(const struct bench *b);

/* The whole report but what a search found. */
void bench_report(const struct bench *b, struct report *r);

/*
 * bench_report_search.c: one line on the standard error about a trial of a search, and its entry in
 * the report; and, at the end, what the search found.
 */
void bench_report_trial(const struct bench *b, enum search_outcome outcome);
void bench_report_search(const struct bench *b, struct report *r);

#endif
