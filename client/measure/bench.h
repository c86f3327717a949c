/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bench and its trials. role_bench.c runs them, bench_report.c reports their results. Main thread.
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

/* A trial, all directions together unless a member says otherwise. */
struct bench_trial {
	double rate;		/* asked for in each direction; 0: as fast as possible */
	double seconds;		/* time of sending */
	double receive_seconds; /* from the first frame sent to the last one received */
	double cpu_seconds;	/* CPU time of this thread while it sent */
	uint64_t sent, received, received_bytes, lost, reordered;
	uint64_t offers, refusals; /* see bench_counts */
	uint64_t ring_full; /* how often the receive ring had no buffer left for the backend */
	const char *limit;  /* what limited the rate, in the report's terms: see bench_limit() */
	struct bench_counts counts[2]; /* of each direction */
};

struct bench {
	const struct settings *settings;
	struct report *report;
	enum bench_phase phase;
	struct bench_stream streams[2]; /* from the first port, from the second */
	uint64_t introduce_next;
	const struct bench_stream *mute; /* no frame came through this one; NULL: all is well */
	uint64_t start, send_end;	 /* start of the phase; end of sending */
	uint64_t cpu_start;
	bool received, backlog; /* in this turn: frames came; more than a burst may be waiting */
	uint64_t progress;	/* frames received when progress was last shown */
	struct bench_trial trial;
	struct bench_trial shown; /* the trial that the report is about */
	bool interrupted;	  /* the run ended before the search */
	struct search search;
	struct histogram times;
};

/* Frames a second; 0 if seconds is 0. */
static inline double
bench_fps(uint64_t frames, double seconds)
{
	return seconds > 0 ? (double)frames / seconds : 0;
}

/* Which side was the limit of a trial: "rate", "cpu", "backend" or "client". */
const char *bench_limit(const struct bench_trial *t, double directions);

/* The outcome of a trial, for a search. t->limit must be set. */
enum search_outcome bench_outcome(const struct bench_trial *t);

/* True when there is a result: always without --no-loss, otherwise if the search has one. */
bool bench_has_result(const struct bench *b);

/* Writes the whole report; for a search calls bench_report_search(). */
void bench_report(const struct bench *b, struct report *r);

/*
 * bench_report_search.c. bench_report_trial() writes a line about a trial of a search to the standard error,
 * and adds the trial to the report. bench_report_search() writes at the end what the search found.
 */
void bench_report_trial(const struct bench *b, enum search_outcome outcome);
void bench_report_search(const struct bench *b, struct report *r);

#endif
