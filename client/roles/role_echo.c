/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role echo: swaps the addresses of a frame and sends it back through the same port.
 *
 * Frames for other stations, which a switch floods while it does not know these, are ignored without
 * --promiscuous, because a reply with the other station's address would mislead the switch.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process/clock.h"
#include "loop.h"
#include "text/text.h"
#include "packets/wire.h"

struct echo {
	struct client *c;
	uint64_t start;
	uint64_t frames, bytes; /* received */
	uint64_t echoed;
	uint64_t ignored; /* for other stations */
	uint64_t unsent;  /* dropped, because the ring was full */
};

/* Swaps the addresses of a frame. False: the frame is not for us. */
static bool
turn_round(const struct echo *self, const struct device *d, uint8_t *frame)
{
	bool group = (frame[0] & 1) != 0;
	bool ours = memcmp(frame, d->mac, WIRE_MAC_SIZE) == 0;
	uint8_t sender[6];

	if (!group && !ours && !self->c->settings->promiscuous)
		return false;
	memcpy(sender, group ? d->mac : frame, WIRE_MAC_SIZE);
	memcpy(frame, frame + WIRE_SOURCE, WIRE_MAC_SIZE);
	memcpy(frame + WIRE_SOURCE, sender, WIRE_MAC_SIZE);
	return true;
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct rte_mbuf *back[DEVICE_BURST];
	struct echo *self = argument;
	unsigned int i, n = 0, sent;

	(void)now;
	for (i = 0; i < count; i++) {
		self->frames++;
		self->bytes += frames[i]->pkt_len;
		if (turn_round(self, d, rte_pktmbuf_mtod(frames[i], uint8_t *))) {
			back[n++] = frames[i];
		} else {
			self->ignored++;
			rte_pktmbuf_free(frames[i]);
		}
	}
	sent = device_send_or_free(d, back, n);
	self->echoed += sent;
	self->unsent += n - sent;
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	struct echo *self = argument;
	uint64_t count = self->c->settings->count;

	(void)now;
	return count != 0 && self->echoed >= count ? LOOP_DONE : LOOP_NEVER;
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct echo *self = argument;

	snprintf(line, size, "%" PRIu64 " frames echoed", self->echoed);
}

static void
fill_report(const struct echo *self, struct report *r)
{
	double seconds = clock_seconds(clock_now() - self->start);
	char duration[32];

	report_integer(r, "frames", self->frames);
	report_integer(r, "bytes", self->bytes);
	report_integer(r, "echoed", self->echoed);
	report_integer(r, "ignored", self->ignored);
	report_integer(r, "unsent", self->unsent);
	report_real(r, "seconds", seconds);
	report_line(r,
			"echoed %" PRIu64 " of %" PRIu64 " frames in %s; %" PRIu64
			" for other stations, %" PRIu64 " not sent",
			self->echoed, self->frames,
			text_format_duration(seconds, duration, sizeof(duration)), self->ignored,
			self->unsent);
}

enum status
role_echo(struct client *c, struct report *r)
{
	static const struct loop_role role = {
		.frames = on_frames,
		.tick = on_tick,
		.progress = on_progress,
	};
	struct echo self = { .c = c, .start = clock_now() };
	enum loop_end end = loop_run(c, &role, &self, r);

	fill_report(&self, r);
	return loop_status(end, true);
}
