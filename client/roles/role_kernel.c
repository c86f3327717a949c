/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role kernel: a DPDK application that handles the frames of its fast path itself. It passes all others
 * to the kernel through its exception port, and the kernel's frames back.
 *
 * The kernel has the application's addresses on its end of that port. It replies to ARP, ping, TCP and
 * everything else that the application does not know. See fast_path.h and exception.h.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>

#include "backend/buffers.h"
#include "process/clock.h"
#include "packets/fast_path.h"
#include "loop.h"
#include "relay.h"
#include "text/text.h"
#include "packets/wire.h"

/* Frames of one direction. */
struct flow {
	uint64_t frames, bytes; /* passed on */
	uint64_t dropped; /* because the ring is full, the interface is down, or the frame is bad */
};

struct kernel {
	struct client *c;
	struct device *to_switch, *to_kernel;
	struct fast_path path;
	uint64_t start;
	struct flow fast;     /* replies of the fast path */
	struct flow up, down; /* to the kernel, from the kernel */
	uint8_t scratch[WIRE_FRAME_MAX];
};

/* One by one, and without a second try: a TAP refuses a single frame, not the next ones, and for good. */
static void
send_to_tap(struct device *d, struct rte_mbuf **frames, unsigned int count, struct flow *flow)
{
	unsigned int i;
	uint32_t size;

	for (i = 0; i < count; i++) {
		size = frames[i]->pkt_len;
		if (device_send(d, &frames[i], 1) == 1) {
			flow->frames++;
			flow->bytes += size;
		} else {
			rte_pktmbuf_free(frames[i]);
			flow->dropped++;
		}
	}
}

/* Reads the sizes first, because a frame that the ring took may be freed already. */
static void
send_to_ring(struct device *d, struct rte_mbuf **frames, unsigned int count, struct flow *flow)
{
	uint32_t sizes[DEVICE_BURST];
	unsigned int i, sent;

	for (i = 0; i < count; i++)
		sizes[i] = frames[i]->pkt_len;
	sent = device_send_or_free(d, frames, count);
	flow->frames += sent;
	flow->dropped += count - sent;
	for (i = 0; i < count; i++)
		flow->bytes += i < sent ? sizes[i] : 0;
}

/* Whether the frame is for the fast path. If so, it is turned into the reply. */
static bool
answer(struct kernel *self, struct rte_mbuf *m)
{
	const uint8_t *frame;

	if (self->path.port_count == 0 || m->pkt_len > sizeof(self->scratch) ||
			m->data_len < RTE_MIN(m->pkt_len, (uint32_t)FAST_PATH_HEADERS))
		return false;
	frame = buffers_frame(m, self->scratch);
	if (!fast_path_takes(&self->path, frame, m->pkt_len, relay_is_verified(m)))
		return false;
	fast_path_turn(rte_pktmbuf_mtod(m, uint8_t *));
	return true;
}

static void
drop(struct rte_mbuf *m, struct flow *flow)
{
	rte_pktmbuf_free(m);
	flow->dropped++;
}

static void
from_switch(struct kernel *self, struct rte_mbuf **frames, unsigned int count)
{
	struct rte_mbuf *answers[DEVICE_BURST], *others[DEVICE_BURST];
	unsigned int i, n_answers = 0, n_others = 0;
	bool ours;

	memcpy(self->path.mac, self->to_kernel->mac, sizeof(self->path.mac));
	for (i = 0; i < count; i++) {
		ours = answer(self, frames[i]);
		if (!relay_prepare(frames[i]))
			drop(frames[i], &self->up);
		else if (ours)
			answers[n_answers++] = frames[i];
		else
			others[n_others++] = frames[i];
	}
	send_to_ring(self->to_switch, answers, n_answers, &self->fast);
	if (self->to_kernel->frames_in_call_fd)
		send_to_tap(self->to_kernel, others, n_others, &self->up);
	else
		send_to_ring(self->to_kernel, others, n_others, &self->up);
}

static void
from_kernel(struct kernel *self, struct rte_mbuf **frames, unsigned int count)
{
	struct rte_mbuf *good[DEVICE_BURST];
	unsigned int i, n = 0;

	for (i = 0; i < count; i++) {
		if (relay_prepare(frames[i]))
			good[n++] = frames[i];
		else
			drop(frames[i], &self->down);
	}
	send_to_ring(self->to_switch, good, n, &self->down);
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct kernel *self = argument;

	(void)now;
	if (d == self->to_kernel)
		from_kernel(self, frames, count);
	else
		from_switch(self, frames, count);
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	(void)argument;
	(void)now;
	return LOOP_NEVER;
}

static void
on_progress(void *argument, char *line, size_t size)
{
	struct kernel *self = argument;

	snprintf(line, size, "%" PRIu64 " fast, %" PRIu64 " to the kernel, %" PRIu64 " from it",
			self->fast.frames, self->up.frames, self->down.frames);
}

static void
report_flow(struct report *r, const char *name, const char *title, const struct flow *flow)
{
	json_object_set_new(report_json(r), name,
			json_pack("{sIsIsI}", "frames", (json_int_t)flow->frames, "bytes",
					(json_int_t)flow->bytes, "dropped",
					(json_int_t)flow->dropped));
	report_line(r, "%s: %" PRIu64 " frames, %" PRIu64 " bytes; %" PRIu64 " dropped", title,
			flow->frames, flow->bytes, flow->dropped);
}

static void
fill_report(const struct kernel *self, struct report *r)
{
	double seconds = clock_seconds(clock_now() - self->start);
	char duration[32];

	report_flow(r, "fast", "fast path", &self->fast);
	report_flow(r, "to_kernel", "to the kernel", &self->up);
	report_flow(r, "from_kernel", "from the kernel", &self->down);
	report_real(r, "seconds", seconds);
	report_line(r, "in %s", text_format_duration(seconds, duration, sizeof(duration)));
}

enum status
role_kernel(struct client *c, struct report *r)
{
	static const struct loop_role role = {
		.frames = on_frames,
		.tick = on_tick,
		.progress = on_progress,
	};
	static struct kernel self;
	const struct settings *s = c->settings;
	enum loop_end end;

	self.c = c;
	self.to_switch = &c->devices[0];
	self.to_kernel = c->exception.d;
	self.path = (struct fast_path){
		.addrs = s->addrs,
		.addr_count = s->addr_count,
		.ports = s->fast_udp,
		.port_count = s->fast_udp_count,
	};
	self.start = clock_now();
	end = loop_run(c, &role, &self, r);
	fill_report(&self, r);
	return loop_status(end, true);
}
