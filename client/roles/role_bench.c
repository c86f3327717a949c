/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role bench: measures rate, loss and latency of a backend between two of its ports.
 *
 * Both ports send introductions until each has received one. Then trials follow: one or, with --no-loss, as
 * many as search.h asks for. A trial sends for its time and then waits for frames that are on their way. One
 * thread sends and receives, so that one clock stamps both. It polls, and yields its CPU only when there
 * was nothing to do. It receives before it sends, so that its receive rings overflow only while it has no
 * CPU.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "measure/bench.h"
#include "process/clock.h"
#include "backend/endpoint_socket.h"
#include "loop.h"
#include "text/text.h"

#define INTRODUCE_EVERY_NS (CLOCK_SECOND / 50)
#define INTRODUCE_SECONDS 5
#define QUIET_NS (CLOCK_SECOND / 5) /* after so long without a frame the others count as lost */
#define DRAIN_NS (2 * CLOCK_SECOND) /* RFC 2544, 23: the longest wait for frames */

static uint64_t
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * CLOCK_SECOND + (uint64_t)t.tv_nsec;
}

static size_t
measured(const struct bench *b)
{
	return b->settings->both ? 2 : 1;
}

static void
begin_trial(struct bench *b, double rate, uint64_t now)
{
	size_t i;

	b->phase = BENCH_SEND;
	b->trial = (struct bench_trial){ .rate = rate };
	b->start = now;
	b->cpu_start = cpu_now();
	for (i = 0; i < measured(b); i++)
		bench_stream_start(&b->streams[i], rate, now);
}

static uint64_t
introduce(struct bench *b, uint64_t now)
{
	if (b->streams[0].introduced && b->streams[1].introduced) {
		begin_trial(b, b->settings->rate, now);
		return LOOP_AGAIN;
	}
	if (now > b->start + INTRODUCE_SECONDS * CLOCK_SECOND) {
		b->mute = b->streams[0].introduced ? &b->streams[1] : &b->streams[0];
		return LOOP_DONE;
	}
	if (now >= b->introduce_next) {
		bench_stream_introduce(&b->streams[0]);
		bench_stream_introduce(&b->streams[1]);
		b->introduce_next = now + INTRODUCE_EVERY_NS;
	}
	return b->introduce_next;
}

static void
end_sending(struct bench *b, uint64_t now)
{
	size_t i;

	for (i = 0; i < measured(b); i++)
		bench_stream_stop(&b->streams[i]);
	b->phase = BENCH_DRAIN;
	b->send_end = now;
	b->trial.seconds = clock_seconds(now - b->start);
	b->trial.cpu_seconds = clock_seconds(cpu_now() - b->cpu_start);
}

static uint64_t
send_more(struct bench *b, uint64_t now)
{
	bool busy = b->received;
	size_t i;

	if (now >= b->start + clock_from_seconds(b->settings->trial)) {
		end_sending(b, now);
		return LOOP_AGAIN;
	}
	for (i = 0; i < measured(b) && !b->backlog; i++)
		busy |= bench_stream_send(&b->streams[i], now);
	return busy || b->backlog ? LOOP_AGAIN : LOOP_YIELD;
}

/* True when all frames of the trial have come, or no further ones are to be expected. */
static bool
is_drained(const struct bench *b, uint64_t now)
{
	uint64_t missing = 0, last = b->send_end;
	size_t i;

	for (i = 0; i < measured(b); i++) {
		missing += bench_stream_missing(&b->streams[i]);
		if (b->streams[i].last > last)
			last = b->streams[i].last;
	}
	return missing == 0 || now > last + QUIET_NS || now > b->send_end + DRAIN_NS;
}

/*
 * Adds up both directions. Frames that the backend has not taken do not count as sent. Frames that came do,
 * even if the backend has not given their buffers back yet.
 */
static void
end_trial(struct bench *b)
{
	struct bench_trial *t = &b->trial;
	struct bench_counts *c;
	uint64_t last = b->send_end, pending, came, gone;
	size_t i;

	for (i = 0; i < measured(b); i++) {
		c = &t->counts[i];
		*c = b->streams[i].counts;
		pending = (uint64_t)device_pending(b->streams[i].from);
		came = RTE_MIN(c->sent, c->received);
		gone = c->sent - RTE_MIN(c->sent, pending);
		c->sent = RTE_MAX(gone, came);
		last = RTE_MAX(last, b->streams[i].last);
		t->lost += c->sent > c->received ? c->sent - c->received : 0;
		t->sent += c->sent;
		t->received += c->received;
		t->received_bytes += c->received_bytes;
		t->reordered += c->reordered;
		t->offers += c->offers;
		t->refusals += c->refusals;
	}
	t->receive_seconds = clock_seconds(last - b->start);
	t->limit = bench_limit(t, (double)measured(b));
}

/* After a trial of a search: reports it, and begins the next one if there is one. */
static uint64_t
search_on(struct bench *b, uint64_t now)
{
	const struct bench_trial *t = &b->trial;
	enum search_outcome outcome = bench_outcome(t);
	double directions = (double)measured(b), rate;
	double best = b->search.best;

	search_note(&b->search, bench_fps(t->sent, t->seconds) / directions, outcome);
	bench_report_trial(b, outcome);
	if (b->search.best > best || b->search.best <= 0)
		b->shown = *t;
	if (!search_next(&b->search, &rate))
		return LOOP_DONE;
	begin_trial(b, rate, now);
	return LOOP_AGAIN;
}

static uint64_t
drain(struct bench *b, uint64_t now)
{
	if (!is_drained(b, now))
		return b->received ? LOOP_AGAIN : LOOP_YIELD;
	end_trial(b);
	if (b->settings->no_loss)
		return search_on(b, now);
	b->shown = b->trial;
	return LOOP_DONE;
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	static uint64_t (*const phases[])(struct bench * b, uint64_t now) = {
		[BENCH_INTRODUCE] = introduce,
		[BENCH_SEND] = send_more,
		[BENCH_DRAIN] = drain,
	};
	struct bench *b = argument;
	uint64_t next = phases[b->phase](b, now);

	b->received = b->backlog = false;
	return next;
}

/*
 * Whether the receive ring had no buffer left for the backend before these frames were taken: then it has at
 * most as many now as taking them has given back.
 */
static bool
was_full(const struct device *d, struct rte_mbuf **frames, unsigned int count)
{
	return device_room(d) <= count * frames[0]->nb_segs;
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct bench *b = argument;
	uint64_t tsc = rte_rdtsc();
	size_t i;

	if (was_full(d, frames, count))
		b->trial.ring_full++;
	for (i = 0; i < 2; i++)
		if (b->streams[i].to == d)
			bench_stream_take(&b->streams[i], frames, count, tsc, now);
	rte_pktmbuf_free_bulk(frames, count);
	b->received = true;
	b->backlog |= count == DEVICE_BURST;
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct bench *b = argument;
	uint64_t received = b->streams[0].counts.received;
	char rate[32];

	if (measured(b) == 2)
		received += b->streams[1].counts.received;
	snprintf(line, size, "%" PRIu64 " frames received, %s", received,
			text_format_number((double)(received - b->progress), "fps", rate,
					sizeof(rate)));
	b->progress = received;
}

static void
init(struct bench *b, struct client *c, struct report *r)
{
	uint32_t run;
	size_t i;

	*b = (struct bench){ .settings = c->settings, .report = r, .start = clock_now() };
	if (getrandom(&run, sizeof(run), 0) != sizeof(run))
		run = (uint32_t)b->start;
	for (i = 0; i < 2; i++)
		b->streams[i] = (struct bench_stream){
			.settings = c->settings,
			.pool = c->pool,
			.from = &c->devices[i],
			.to = &c->devices[1 - i],
			.run = run,
			.cycle_ns = 1e9 / (double)rte_get_tsc_hz(),
			.times = c->settings->rate > 0 ? &b->times : NULL,
		};
}

/* Ends a run that was cut short: waits for frames that are on their way, and counts them. */
static void
finish_early(struct bench *b)
{
	struct rte_mbuf *frames[DEVICE_BURST];
	unsigned int count;
	uint64_t now;
	size_t i;

	if (b->phase == BENCH_SEND)
		end_sending(b, clock_now());
	do {
		for (i = 0; i < 2; i++) {
			count = device_receive(b->streams[i].to, frames, DEVICE_BURST);
			if (count > 0)
				on_frames(b, b->streams[i].to, frames, count, clock_now());
		}
		now = clock_now();
	} while (!is_drained(b, now));
	end_trial(b);
	if (!b->settings->no_loss || b->search.trials == 0)
		b->shown = b->trial;
}

static void
tell_mute(const struct bench_stream *mute, struct report *r)
{
	report_error(r,
			"bench: no frame came from %s to %s within %d s; are both ports of one switch, "
			"up and allowed to talk%s?",
			mute->from->path, mute->to->path, INTRODUCE_SECONDS,
			endpoint_socket_is_of_switch(mute->from->path)
					? " (vswitchctl show-port NAME, drops NAME)"
					: "");
}

enum status
role_bench(struct client *c, struct report *r)
{
	static const struct loop_role plain = { on_frames, on_tick, on_progress };
	static const struct loop_role search = { on_frames, on_tick, NULL };
	static struct bench b;
	enum loop_end end;

	init(&b, c, r);
	end = loop_run(c, c->settings->no_loss ? &search : &plain, &b, r);
	if (end != LOOP_END_DONE && b.phase != BENCH_INTRODUCE)
		finish_early(&b);
	if (b.mute != NULL)
		tell_mute(b.mute, r);
	b.interrupted = end != LOOP_END_DONE;
	bench_report(&b, r);
	if (end == LOOP_END_BACKEND_GONE || b.mute != NULL || bench_has_result(&b))
		return loop_status(end,
				b.shown.received > 0 &&
						(!c->settings->no_loss || b.search.best > 0));
	return STATUS_NO_RESULT;
}
