/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of bench --no-loss: each trial, and the result of the search. See bench.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "backend/endpoint_socket.h"
#include "text/text.h"

/* For the report, in the order of enum search_outcome. */
static const char *const outcome_names[] = { "clean", "held", "lost", "short", "missed" };

static double
cpu_percent(const struct bench_trial *t)
{
	return t->seconds > 0 ? 100 * t->cpu_seconds / t->seconds : 0;
}

/* A remark after a trial's figures: why it was not simply at its rate. */
static void
format_remark(const struct bench *b, enum search_outcome outcome, char *text, size_t size)
{
	const struct bench_trial *t = &b->trial;

	text[0] = '\0';
	if (outcome == SEARCH_HELD)
		snprintf(text, size, "; full rings held back");
	else if (outcome == SEARCH_MISSED)
		snprintf(text, size, "; own ring full");
	else if (outcome == SEARCH_SHORT && strcmp(t->limit, "cpu") == 0)
		snprintf(text, size, "; own CPU share %.0f %%", cpu_percent(t));
	else if (outcome == SEARCH_SHORT)
		snprintf(text, size, "; own limit");
}

void
bench_report_trial(const struct bench *b, enum search_outcome outcome)
{
	const struct bench_trial *t = &b->trial;
	double rate = bench_fps(t->sent, t->seconds);
	json_t *trials = json_object_get(report_json(b->report), "trials");
	char sent[32], remark[64];

	format_remark(b, outcome, remark, sizeof(remark));
	fprintf(stderr, "trial %u: %s for %g s, %" PRIu64 " of %" PRIu64 " lost%s%s\n",
			b->search.trials, text_format_number(rate, "fps", sent, sizeof(sent)),
			b->settings->trial, t->lost, t->sent, remark,
			b->search.tries > 0 ? ", again" : "");
	if (trials == NULL) {
		trials = json_array();
		json_object_set_new(report_json(b->report), "trials", trials);
	}
	json_array_append_new(trials,
			json_pack("{sosfsIsIsIsfsfsIss}", "rate_fps",
					t->rate > 0 ? json_real(t->rate) : json_null(), "sent_fps",
					rate, "sent", (json_int_t)t->sent, "received",
					(json_int_t)t->received, "lost", (json_int_t)t->lost,
					"seconds", t->seconds, "cpu_percent", cpu_percent(t),
					"receive_ring_full", (json_int_t)t->ring_full, "outcome",
					outcome_names[outcome]));
}

bool
bench_has_result(const struct bench *b)
{
	return !b->settings->no_loss || (!b->interrupted && search_is_conclusive(&b->search));
}

/* What kept the search from a higher rate, in the report's terms. */
static const char *
limit_name(const struct bench *b)
{
	static const char *const names[] = {
		[SEARCH_CLEAN] = "unfinished",
		[SEARCH_HELD] = "backend",
		[SEARCH_LOST] = "loss",
		[SEARCH_MISSED] = "receiver",
	};

	if (b->interrupted)
		return "unfinished";
	/* after SEARCH_SHORT, because the last trial ended the search */
	return b->search.above == SEARCH_SHORT ? b->trial.limit : names[b->search.above];
}

/* Tells why there is no result, and what would help. */
static void
tell_no_result(const struct bench *b, struct report *r)
{
	const char *limit = limit_name(b);

	if (strcmp(limit, "unfinished") == 0)
		report_error(r, "bench: no result: the search was interrupted");
	else if (strcmp(limit, "receiver") == 0)
		report_error(r,
				"bench: no result: frames were lost while this program's own receive ring "
				"was full; leave it a CPU of its own (taskset -c N), or bridge its pauses "
				"with --queue-size 4096");
	else if (strcmp(limit, "cpu") == 0)
		report_error(r,
				"bench: no result: this program was the limit, it had only %.0f %% of a "
				"CPU; leave it one of its own (taskset -c N) where the backend does not "
				"run",
				cpu_percent(&b->trial));
	else
		report_error(r,
				"bench: no result: this program was the limit, it sends no faster, and the "
				"backend emptied its ring; the backend can do more than it can show");
}

/* Tells that the backend lost frames at every rate. */
static void
tell_loss(const struct bench *b, struct report *r)
{
	const char *path = b->settings->paths[0];

	if (b->shown.sent == 0)
		report_error(r, "bench: the backend took no frame from %s", path);
	else
		report_error(r,
				"bench: the backend lost frames at every rate, in %u trials; leave it a "
				"CPU, or bridge its pauses with --queue-size 4096%s",
				b->search.trials,
				endpoint_socket_is_of_switch(path)
						? "; vswitchctl drops NAME tells why"
						: "");
}

void
bench_report_search(const struct bench *b, struct report *r)
{
	double best = b->search.best * (b->settings->both ? 2 : 1);
	bool result = bench_has_result(b);
	char rate[32];

	report_real(r, "no_loss_fps", best);
	report_bool(r, "conclusive", result);
	report_text(r, "no_loss_limit", limit_name(b));
	if (best > 0)
		report_line(r, "no loss up to %s%s; trials: %u, the figures are of the best",
				text_format_number(best, "fps", rate, sizeof(rate)),
				result ? "" : " at least", b->search.trials);
	if (json_object_get(report_json(r), "error") != NULL)
		return; /* the error says why there was no search, or only a part of one */
	if (!result)
		tell_no_result(b, r);
	else if (best <= 0)
		tell_loss(b, r);
	else
		report_line(r, "the limit was the backend: %s",
				b->search.above == SEARCH_HELD
						? "full rings held the sender back, nothing was lost"
						: "higher rates lost frames");
}
