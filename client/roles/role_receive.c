/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role receive: proves which of send's frames were lost, duplicated, reordered or corrupted. See
 * check_frame.h, tracker.h.
 *
 * The number of a corrupt frame cannot be trusted. So the frame counts as corrupted, and its real number as
 * lost.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>

#include "backend/buffers.h"
#include "packets/check_frame.h"
#include "process/clock.h"
#include "loop.h"
#include "text/text.h"
#include "measure/tracker.h"
#include "packets/wire.h"

struct receive {
	const struct settings *s;
	struct tracker *tracker;
	uint64_t good, good_bytes;
	uint64_t other;	      /* not made by send */
	uint64_t untracked;   /* frames of flows beyond TRACKER_FLOWS_MAX */
	uint64_t first, last; /* when the first and the last frame of send came */
	uint64_t shown;	      /* good frames when progress was last shown */
	uint8_t frame[WIRE_FRAME_MAX];
};

static void
take(struct receive *self, const struct rte_mbuf *m, uint64_t now)
{
	struct check_frame c;
	enum check_result result = CHECK_OTHER;

	if (m->pkt_len <= sizeof(self->frame))
		result = check_frame_read(buffers_frame(m, self->frame), m->pkt_len, &c);
	if (result == CHECK_OTHER) {
		self->other++;
		return;
	}
	if (self->first == 0)
		self->first = now;
	self->last = now;
	if (result == CHECK_CORRUPT) {
		tracker_note_corrupt(self->tracker, c.run, c.flow);
		return;
	}
	self->good++;
	self->good_bytes += m->pkt_len;
	if (tracker_note(self->tracker, c.run, c.flow, c.sequence) != 0)
		self->untracked++;
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct receive *self = argument;
	unsigned int i;

	(void)d;
	for (i = 0; i < count; i++)
		take(self, frames[i], now);
	rte_pktmbuf_free_bulk(frames, count);
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	const struct receive *self = argument;
	uint64_t idle_end = self->last + clock_from_seconds(self->s->idle);

	if (self->s->count != 0 && self->good >= self->s->count)
		return LOOP_DONE;
	if (self->s->idle <= 0 || self->first == 0)
		return LOOP_NEVER;
	return now >= idle_end ? LOOP_DONE : idle_end;
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct receive *self = argument;
	struct tracker_counts c = tracker_total(self->tracker);
	char rate[32];

	snprintf(line, size, "%" PRIu64 " frames, %s; %" PRIu64 " lost, %" PRIu64 " corrupted",
			self->good,
			text_format_number((double)(self->good - self->shown), "fps", rate,
					sizeof(rate)),
			c.lost, c.corrupted);
	self->shown = self->good;
}

static void
add_flows(const struct receive *self, struct report *r)
{
	json_t *flows = json_array();
	struct tracker_counts c;
	uint32_t run, flow;
	size_t i;

	for (i = 0; i < tracker_flow_count(self->tracker); i++) {
		c = tracker_flow(self->tracker, i, &run, &flow);
		json_array_append_new(flows,
				json_pack("{sIsIsIsIsIsIsI}", "run", (json_int_t)run, "flow",
						(json_int_t)flow, "frames", (json_int_t)c.frames,
						"lost", (json_int_t)c.lost, "duplicated",
						(json_int_t)c.duplicated, "reordered",
						(json_int_t)c.reordered, "corrupted",
						(json_int_t)c.corrupted));
	}
	json_object_set_new(report_json(r), "flows", flows);
}

static void
print(const struct receive *self, const struct tracker_counts *c, double seconds, struct report *r)
{
	double divisor = seconds > 0 ? seconds : 1;
	char duration[32], rate[32], bits[32];

	report_line(r, "received %" PRIu64 " frames, %" PRIu64 " bytes, %zu flows in %s: %s, %s",
			self->good, self->good_bytes, tracker_flow_count(self->tracker),
			text_format_duration(seconds, duration, sizeof(duration)),
			text_format_number((double)self->good / divisor, "fps", rate, sizeof(rate)),
			text_format_number((double)self->good_bytes * 8 / divisor, "bit/s", bits,
					sizeof(bits)));
	report_line(r,
			"%" PRIu64 " lost, %" PRIu64 " duplicated, %" PRIu64 " reordered, %" PRIu64
			" corrupted; %" PRIu64 " other frames",
			c->lost, c->duplicated, c->reordered, c->corrupted, self->other);
	if (self->untracked > 0)
		report_line(r,
				"%" PRIu64
				" frames were of more flows than %zu and are not in these numbers",
				self->untracked, TRACKER_FLOWS_MAX);
}

/* Fills in the report. Returns whether everything was proven: all frames came, and none is wrong. */
static bool
fill_report(const struct receive *self, struct report *r)
{
	struct tracker_counts c = tracker_total(self->tracker);
	double seconds = clock_seconds(self->last - self->first);

	report_integer(r, "frames", self->good);
	report_integer(r, "bytes", self->good_bytes);
	report_integer(r, "lost", c.lost);
	report_integer(r, "duplicated", c.duplicated);
	report_integer(r, "reordered", c.reordered);
	report_integer(r, "corrupted", c.corrupted);
	report_integer(r, "other", self->other);
	report_integer(r, "untracked", self->untracked);
	report_real(r, "seconds", seconds);
	report_real(r, "rate_fps", seconds > 0 ? (double)self->good / seconds : 0);
	report_real(r, "rate_bps", seconds > 0 ? (double)self->good_bytes * 8 / seconds : 0);
	add_flows(self, r);
	print(self, &c, seconds, r);
	if (self->good < self->s->count)
		report_error(r, "%" PRIu64 " of %" PRIu64 " frames came", self->good,
				self->s->count);
	return self->good > 0 && self->good >= self->s->count &&
			c.lost + c.duplicated + c.reordered + c.corrupted + self->untracked == 0;
}

enum status
role_receive(struct client *c, struct report *r)
{
	static const struct loop_role role = {
		.frames = on_frames,
		.tick = on_tick,
		.progress = on_progress,
	};
	static struct receive self;
	enum loop_end end;
	bool good;

	self.s = c->settings;
	self.tracker = tracker_create(c->settings->join);
	if (self.tracker == NULL) {
		report_error(r, "no memory to keep track of flows");
		return STATUS_NO_START;
	}
	end = loop_run(c, &role, &self, r);
	good = fill_report(&self, r);
	tracker_destroy(self.tracker);
	return loop_status(end, good);
}
