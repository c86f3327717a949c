/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of a bench. See bench.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "text/text.h"

#define LINE_OVERHEAD 24 /* FCS, preamble and gap that a frame would take on a wire */
#define RATE_KEPT 0.99
#define CPU_OURS 0.9  /* a smaller share: others used our CPU */
#define RING_FULL 0.5 /* share of offered bursts that a full ring did not take */

const char *
bench_limit(const struct bench_trial *t, double directions)
{
	if (t->rate > 0 && bench_fps(t->sent, t->seconds) >= t->rate * directions * RATE_KEPT)
		return "rate";
	if (t->cpu_seconds < t->seconds * CPU_OURS)
		return "cpu";
	return (double)t->refusals > (double)t->offers * RING_FULL ? "backend" : "client";
}

static const char *
explain_limit(const char *limit)
{
	if (strcmp(limit, "rate") == 0)
		return "the limit was the rate that was asked for";
	if (strcmp(limit, "cpu") == 0)
		return "the limit was the CPU, which this program had to share";
	if (strcmp(limit, "backend") == 0)
		return "the limit was the backend: it left the transmit ring full";
	return "the limit was this program: the backend kept its transmit ring empty";
}

enum search_outcome
bench_outcome(const struct bench_trial *t)
{
	if (t->lost > 0)
		return t->ring_full > 0 ? SEARCH_MISSED : SEARCH_LOST;
	if (strcmp(t->limit, "rate") == 0)
		return SEARCH_CLEAN;
	return strcmp(t->limit, "backend") == 0 ? SEARCH_HELD : SEARCH_SHORT;
}

static void
add_directions(const struct bench *b, struct report *r)
{
	json_t *directions = json_array();
	const struct bench_counts *c;
	size_t i;

	for (i = 0; i < (b->settings->both ? 2 : 1); i++) {
		c = &b->shown.counts[i];
		json_array_append_new(directions,
				json_pack("{sssssIsIsI}", "from", b->streams[i].from->path, "to",
						b->streams[i].to->path, "sent", (json_int_t)c->sent,
						"received", (json_int_t)c->received, "reordered",
						(json_int_t)c->reordered));
	}
	json_object_set_new(report_json(r), "directions", directions);
}

static void
add_counts(const struct bench *b, struct report *r)
{
	const struct bench_trial *t = &b->shown;
	char duration[32];

	report_bool(r, "both", b->settings->both);
	report_bool(r, "imix", b->settings->imix);
	report_integer(r, "size", b->settings->size);
	report_real(r, "seconds", t->seconds);
	report_integer(r, "sent", t->sent);
	report_integer(r, "received", t->received);
	report_integer(r, "lost", t->lost);
	report_integer(r, "reordered", t->reordered);
	report_line(r,
			"sent %" PRIu64 " frames in %s, received %" PRIu64 "; %" PRIu64
			" lost (%.3g %%), %" PRIu64 " reordered",
			t->sent, text_format_duration(t->seconds, duration, sizeof(duration)),
			t->received, t->lost,
			t->sent > 0 ? 100.0 * (double)t->lost / (double)t->sent : 0.0,
			t->reordered);
	report_integer(r, "receive_ring_full", t->ring_full);
	if (t->lost > 0 && t->ring_full > 0 && !b->settings->no_loss)
		report_line(r,
				"this program emptied its receive ring too late, so the losses may be "
				"its own");
}

static void
add_rates(const struct bench *b, struct report *r)
{
	const struct bench_trial *t = &b->shown;
	double received = bench_fps(t->received, t->receive_seconds);
	double bits = 8 * bench_fps(t->received_bytes, t->receive_seconds);
	double line = bits + received * LINE_OVERHEAD * 8;
	char text[3][32];

	report_real(r, "sent_fps", bench_fps(t->sent, t->seconds));
	report_real(r, "received_fps", received);
	report_real(r, "received_bps", bits);
	report_real(r, "line_bps", line);
	report_line(r, "received %s, %s of frames (%s with FCS, preamble and gap of a wire)",
			text_format_number(received, "fps", text[0], sizeof(text[0])),
			text_format_number(bits, "bit/s", text[1], sizeof(text[1])),
			text_format_number(line, "bit/s", text[2], sizeof(text[2])));
	if (t->limit == NULL)
		return;
	report_text(r, "limit", t->limit);
	if (!b->settings->no_loss)
		report_line(r, "%s", explain_limit(t->limit));
}

static double
micros(const struct histogram *h, double percent)
{
	return (double)histogram_percentile(h, percent) / 1e3;
}

static void
add_latency(const struct bench *b, struct report *r)
{
	const struct histogram *h = &b->times;
	double p50 = micros(h, 50), p90 = micros(h, 90), p99 = micros(h, 99);
	double p999 = micros(h, 99.9), min = (double)h->min / 1e3, max = (double)h->max / 1e3;

	if (b->settings->rate <= 0)
		return;
	report_real(r, "rate_fps", b->settings->rate);
	report_integer(r, "latency_samples", h->count);
	if (h->count == 0) {
		json_object_set_new(report_json(r), "latency_us", json_null());
		return;
	}
	json_object_set_new(report_json(r), "latency_us",
			json_pack("{sfsfsfsfsfsfsf}", "min", min, "avg", h->mean / 1e3, "p50", p50,
					"p90", p90, "p99", p99, "p99.9", p999, "max", max));
	report_line(r,
			"one-way latency min/avg/p50/p90/p99/p99.9/max = "
			"%.1f/%.1f/%.1f/%.1f/%.1f/%.1f/%.1f us",
			min, h->mean / 1e3, p50, p90, p99, p999, max);
}

void
bench_report(const struct bench *b, struct report *r)
{
	add_counts(b, r);
	add_rates(b, r);
	add_latency(b, r);
	add_directions(b, r);
	if (b->settings->no_loss)
		bench_report_search(b, r);
}
