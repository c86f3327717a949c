/* SPDX-License-Identifier: BSD-3-Clause */
/* See bench_stream.h. */
#include "bench_stream.h"

#include <rte_cycles.h>

#include "packets/bench_frame.h"
#include "backend/buffers.h"

static struct rte_mbuf *
build(const struct bench_stream *st, size_t size, const struct bench_frame *f)
{
	struct rte_mbuf *m = buffers_alloc(st->pool, size);

	if (m != NULL)
		bench_frame_write(rte_pktmbuf_mtod(m, uint8_t *), st->to->mac, st->from->mac, f);
	return m;
}

void
bench_stream_introduce(struct bench_stream *st)
{
	struct bench_frame f = { .run = st->run };
	struct rte_mbuf *m = build(st, settings_frame_size(st->settings, 0), &f);

	if (m != NULL && device_send(st->from, &m, 1) == 0)
		rte_pktmbuf_free(m);
}

void
bench_stream_start(struct bench_stream *st, double rate, uint64_t now)
{
	st->trial++;
	st->counts = (struct bench_counts){ 0 };
	st->made = st->next = st->last = 0;
	pacer_init(&st->pacer, rate, now);
}

/* All frames of a burst have one stamp: they leave together. */
static void
build_burst(struct bench_stream *st, uint64_t now)
{
	unsigned int due = (unsigned int)pacer_due(&st->pacer, now, DEVICE_BURST);
	struct bench_frame f = { .run = st->run, .trial = st->trial };
	struct rte_mbuf *m;

	if (due == 0)
		return;
	f.stamp = rte_rdtsc();
	for (; st->burst_count < due; st->made++) {
		f.sequence = st->made;
		m = build(st, settings_frame_size(st->settings, st->made), &f);
		if (m == NULL)
			return; /* the rings hold all buffers; the backend must use some first */
		st->burst[st->burst_count++] = m;
	}
}

bool
bench_stream_send(struct bench_stream *st, uint64_t now)
{
	unsigned int left, sent;

	if (st->burst_count == 0)
		build_burst(st, now);
	left = st->burst_count - st->taken;
	if (left == 0)
		return false;
	sent = device_send(st->from, st->burst + st->taken, left);
	pacer_sent(&st->pacer, sent);
	st->counts.sent += sent;
	st->counts.offers++;
	st->taken += sent;
	if (sent < left)
		st->counts.refusals++;
	else
		st->taken = st->burst_count = 0;
	return sent > 0;
}

void
bench_stream_stop(struct bench_stream *st)
{
	rte_pktmbuf_free_bulk(st->burst + st->taken, st->burst_count - st->taken);
	st->burst_count = st->taken = 0;
}

static void
note(struct bench_stream *st, const struct bench_frame *f, uint32_t size, uint64_t tsc)
{
	st->counts.received++;
	st->counts.received_bytes += size;
	if (f->sequence >= st->next)
		st->next = f->sequence + 1;
	else
		st->counts.reordered++;
	if (st->times != NULL)
		histogram_add(st->times,
				tsc > f->stamp ? (uint64_t)((double)(tsc - f->stamp) * st->cycle_ns)
					       : 0);
}

void
bench_stream_take(struct bench_stream *st, struct rte_mbuf **frames, unsigned int count,
		uint64_t tsc, uint64_t now)
{
	struct bench_frame f;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (!bench_frame_read(rte_pktmbuf_mtod(frames[i], const uint8_t *),
				    frames[i]->data_len, &f) ||
				f.run != st->run)
			continue;
		st->introduced = true;
		if (f.trial != st->trial || f.trial == 0)
			continue;
		st->last = now;
		note(st, &f, frames[i]->pkt_len, tsc);
	}
}

uint64_t
bench_stream_missing(const struct bench_stream *st)
{
	uint64_t sent = st->counts.sent, received = st->counts.received;

	return received < sent ? sent - received : 0;
}
