/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role send: sends frames that prove themselves (check_frame.h), at a rate or as many as possible, spread
 * over flows in turn.
 *
 * Frames that the ring does not take are kept and offered again, so that none is lost here. Frames that
 * the backend has not taken at the end do not count as sent.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "backend/buffers.h"
#include "packets/check_frame.h"
#include "process/clock.h"
#include "loop.h"
#include "measure/pacer.h"
#include "text/text.h"
#include "packets/wire.h"

#define DRAIN_SECONDS 2
#define FULL_RING_WAIT_NS UINT64_C(50000)

struct send {
	struct client *c;
	struct device *d;
	struct pacer pacer;
	uint32_t run;
	uint64_t made;	/* frames built so far */
	uint64_t sent;	/* frames that the ring took */
	uint64_t shown; /* sent when progress was last shown */
	uint64_t start;
	struct rte_mbuf *burst[DEVICE_BURST]; /* built; the ring has taken those before `taken` */
	unsigned int burst_count, taken;
	uint8_t frame[WIRE_FRAME_MAX];
};

static void
write_plain(uint8_t *frame, size_t size, const struct send *self)
{
	memcpy(frame, self->c->settings->destination, WIRE_MAC_SIZE);
	memcpy(frame + WIRE_SOURCE, self->d->mac, WIRE_MAC_SIZE);
	wire_put16(frame + WIRE_TYPE, WIRE_TYPE_FILL);
	memset(frame + WIRE_ETHER_SIZE, 0x5a, size - WIRE_ETHER_SIZE);
}

/* Writes frame number self->made. */
static void
write_frame(const struct send *self, uint8_t *frame, size_t size)
{
	const struct settings *s = self->c->settings;
	struct check_frame c = { .run = self->run };

	c.flow = (uint32_t)(self->made % s->flows);
	c.sequence = self->made / s->flows;
	if (s->no_check)
		write_plain(frame, size, self);
	else
		check_frame_write(frame, size, s->destination, self->d->mac, &c);
}

static struct rte_mbuf *
build(struct send *self)
{
	size_t size = settings_frame_size(self->c->settings, self->made);
	struct rte_mbuf *m = buffers_alloc(self->c->pool, size);

	if (m == NULL)
		return NULL;
	if (m->nb_segs == 1) {
		write_frame(self, rte_pktmbuf_mtod(m, uint8_t *), size);
	} else {
		write_frame(self, self->frame, size);
		buffers_fill(m, self->frame);
	}
	self->made++;
	return m;
}

/* How many frames are still to be built for --count. */
static uint64_t
left(const struct send *self)
{
	uint64_t count = self->c->settings->count;

	return count == 0 ? UINT64_MAX : count - self->made;
}

static void
build_burst(struct send *self, uint64_t now)
{
	uint64_t due = pacer_due(&self->pacer, now, DEVICE_BURST);
	uint64_t limit = left(self);
	struct rte_mbuf *m;

	if (due > limit)
		due = limit;
	while (self->burst_count < due) {
		m = build(self);
		if (m == NULL)
			return; /* the ring holds all buffers; the backend must use some first */
		self->burst[self->burst_count++] = m;
	}
}

/* Offers the burst to the ring. False: it is full. */
static bool
push(struct send *self)
{
	unsigned int sent = device_send(
			self->d, self->burst + self->taken, self->burst_count - self->taken);

	self->taken += sent;
	self->sent += sent;
	pacer_sent(&self->pacer, sent);
	if (self->taken < self->burst_count)
		return false;
	self->taken = self->burst_count = 0;
	return true;
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	struct send *self = argument;
	bool paced = self->c->settings->rate > 0;

	if (self->burst_count == 0)
		build_burst(self, now);
	if (self->burst_count > 0 && !push(self))
		return paced ? now + FULL_RING_WAIT_NS : LOOP_YIELD;
	if (left(self) == 0)
		return LOOP_DONE;
	return paced ? pacer_next(&self->pacer) : LOOP_AGAIN;
}

/* Drops received frames, because flooded frames must not fill the ring. */
static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	(void)argument;
	(void)d;
	(void)now;
	rte_pktmbuf_free_bulk(frames, count);
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct send *self = argument;
	char rate[32];

	snprintf(line, size, "%" PRIu64 " frames sent, %s", self->sent,
			text_format_number((double)(self->sent - self->shown), "fps", rate,
					sizeof(rate)));
	self->shown = self->sent;
}

static void
fill_report(const struct send *self, uint64_t frames, uint64_t untaken, double seconds,
		struct report *r)
{
	const struct settings *s = self->c->settings;
	uint64_t bytes = settings_frame_bytes(s, frames);
	double divisor = seconds > 0 ? seconds : 1;
	double rate = (double)frames / divisor, bit_rate = (double)bytes * 8 / divisor;
	char duration[32], fps[32], bits[32], sizes[32] = "IMIX sizes";

	if (!s->imix)
		snprintf(sizes, sizeof(sizes), "%u bytes", s->size);
	report_integer(r, "frames", frames);
	report_integer(r, "bytes", bytes);
	report_bool(r, "imix", s->imix);
	report_integer(r, "size", s->size);
	report_integer(r, "flows", s->flows);
	report_integer(r, "run", self->run);
	report_integer(r, "untaken", untaken);
	report_real(r, "seconds", seconds);
	report_real(r, "rate_fps", rate);
	report_real(r, "rate_bps", bit_rate);
	report_line(r, "sent %" PRIu64 " frames of %s in %s: %s, %s", frames, sizes,
			text_format_duration(seconds, duration, sizeof(duration)),
			text_format_number(rate, "fps", fps, sizeof(fps)),
			text_format_number(bit_rate, "bit/s", bits, sizeof(bits)));
	if (untaken > 0)
		report_line(r,
				"%" PRIu64
				" frames more were left in the ring: the backend did not take them",
				untaken);
}

enum status
role_send(struct client *c, struct report *r)
{
	static const struct loop_role role = {
		.frames = on_frames,
		.tick = on_tick,
		.progress = on_progress,
	};
	static struct send self;
	unsigned int untaken;
	enum loop_end end;
	double seconds;
	bool good;

	self.c = c;
	self.d = &c->devices[0];
	self.start = clock_now();
	if (getrandom(&self.run, sizeof(self.run), 0) != sizeof(self.run))
		self.run = (uint32_t)self.start;
	pacer_init(&self.pacer, c->settings->rate, self.start);
	end = loop_run(c, &role, &self, r);
	rte_pktmbuf_free_bulk(self.burst + self.taken, self.burst_count - self.taken);
	untaken = device_drain(self.d, DRAIN_SECONDS);
	seconds = clock_seconds(clock_now() - self.start);
	fill_report(&self, self.sent - untaken, untaken, seconds, r);
	good = untaken == 0 && self.sent > 0 &&
			(end == LOOP_END_SIGNAL || self.sent >= c->settings->count);
	return loop_status(end, good);
}
