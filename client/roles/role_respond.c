/* SPDX-License-Identifier: BSD-3-Clause */
/* The role respond: a station that replies for its addresses, on each port. See station.h. */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>

#include "backend/buffers.h"
#include "process/clock.h"
#include "loop.h"
#include "packets/station.h"
#include "text/text.h"
#include "packets/wire.h"

struct respond {
	struct client *c;
	uint64_t start;
	uint64_t frames, bytes;
	uint64_t results[STATION_RESULTS];
	uint64_t unsent; /* replies that were dropped, because the ring was full */
	uint8_t frame[WIRE_FRAME_MAX], reply[WIRE_FRAME_MAX];
};

/* The reply to a frame in mbufs; NULL: there is none. */
static struct rte_mbuf *
answer(struct respond *self, const struct device *d, const struct rte_mbuf *m)
{
	const struct settings *s = self->c->settings;
	struct station station = { .addrs = s->addrs, .addr_count = s->addr_count };
	enum station_result result;
	struct rte_mbuf *out;
	size_t size = 0;

	if (m->pkt_len > sizeof(self->frame))
		return NULL;
	memcpy(station.mac, d->mac, sizeof(station.mac));
	result = station_answer(
			&station, buffers_frame(m, self->frame), m->pkt_len, self->reply, &size);
	self->results[result]++;
	if (size == 0)
		return NULL;
	out = buffers_alloc(self->c->pool, size);
	if (out != NULL)
		buffers_fill(out, self->reply);
	else
		self->unsent++;
	return out;
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct rte_mbuf *answers[DEVICE_BURST], *one;
	struct respond *self = argument;
	unsigned int i, n = 0;

	(void)now;
	for (i = 0; i < count; i++) {
		self->frames++;
		self->bytes += frames[i]->pkt_len;
		one = answer(self, d, frames[i]);
		if (one != NULL)
			answers[n++] = one;
	}
	rte_pktmbuf_free_bulk(frames, count);
	self->unsent += n - device_send_or_free(d, answers, n);
}

static uint64_t
answered(const struct respond *self)
{
	return self->results[STATION_ARP] + self->results[STATION_ECHO] +
			self->results[STATION_ECHO6] + self->results[STATION_NEIGHBOUR];
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	struct respond *self = argument;
	uint64_t count = self->c->settings->count;

	(void)now;
	return count != 0 && answered(self) >= count ? LOOP_DONE : LOOP_NEVER;
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct respond *self = argument;

	snprintf(line, size, "%" PRIu64 " answered, %" PRIu64 " frames", answered(self),
			self->frames);
}

static void
fill_report(const struct respond *self, struct report *r)
{
	const uint64_t *n = self->results;
	double seconds = clock_seconds(clock_now() - self->start);
	char duration[32];

	report_integer(r, "frames", self->frames);
	report_integer(r, "bytes", self->bytes);
	report_integer(r, "answered", answered(self));
	report_integer(r, "arp_replies", n[STATION_ARP]);
	report_integer(r, "echo_replies", n[STATION_ECHO] + n[STATION_ECHO6]);
	report_integer(r, "neighbour_replies", n[STATION_NEIGHBOUR]);
	report_integer(r, "malformed", n[STATION_MALFORMED]);
	report_integer(r, "ignored", n[STATION_IGNORED]);
	report_integer(r, "unsent", self->unsent);
	report_real(r, "seconds", seconds);
	report_line(r,
			"answered %" PRIu64 ": %" PRIu64 " ARP, %" PRIu64 " echo, %" PRIu64
			" neighbour solicitation",
			answered(self), n[STATION_ARP], (n[STATION_ECHO] + n[STATION_ECHO6]),
			n[STATION_NEIGHBOUR]);
	report_line(r,
			"of %" PRIu64 " frames in %s; %" PRIu64 " malformed, %" PRIu64
			" answers not sent",
			self->frames, text_format_duration(seconds, duration, sizeof(duration)),
			n[STATION_MALFORMED], self->unsent);
}

enum status
role_respond(struct client *c, struct report *r)
{
	static const struct loop_role role = {
		.frames = on_frames,
		.tick = on_tick,
		.progress = on_progress,
	};
	static struct respond self;
	enum loop_end end;

	self.c = c;
	self.start = clock_now();
	end = loop_run(c, &role, &self, r);
	fill_report(&self, r);
	return loop_status(end, true);
}
