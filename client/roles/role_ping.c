/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The role ping: resolves an address, then measures round trips to it, and reports them as ping does.
 *
 * It repeats the request for the address, quickly at first, because the backend may still be busy with the
 * handshake, and no echo request is to be lost to that. Meanwhile it replies to requests for its own
 * address, because the other side may ask for it. See probe.h, station.h.
 */
#include "role.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "backend/buffers.h"
#include "process/clock.h"
#include "measure/histogram.h"
#include "loop.h"
#include "packets/probe.h"
#include "packets/station.h"
#include "text/text.h"
#include "packets/wire.h"

#define RESOLVE_FIRST_NS (CLOCK_SECOND / 100)
#define RESOLVE_SLOWEST_NS (CLOCK_SECOND / 5)
#define RESOLVE_TIMEOUTS 3 /* with --count: how many times --timeout resolving may take */
#define FULL_RING_WAIT_NS UINT64_C(100000)
#define SEQUENCES 65536

struct ping {
	const struct settings *s;
	struct rte_mempool *pool;
	struct device *d;
	const struct report *report;
	struct probe probe;
	struct station station;
	bool resolved;
	uint64_t start;
	uint64_t resolve_next, resolve_delay, resolve_end;
	uint64_t next; /* when the next request is due */
	uint64_t sent, received, duplicates, damaged;
	uint64_t settled;	     /* requests before this one were replied to or given up */
	uint64_t sent_at[SEQUENCES]; /* by sequence number; 0: replied to or given up */
	struct histogram times;
	char target_text[INET_TEXT_SIZE];
	uint8_t frame[WIRE_FRAME_MAX], reply[WIRE_FRAME_MAX];
};

/* Makes an address in the target's /24 from our MAC address, different from the target's. */
static void
choose_v4(const uint8_t mac[6], const struct inet_addr *target, struct inet_addr *out)
{
	*out = *target;
	out->prefix = 24;
	out->bytes[3] = (uint8_t)(1 + (mac[3] * 31u + mac[4] * 7u + mac[5]) % 254);
	if (out->bytes[3] == target->bytes[3])
		out->bytes[3] = (uint8_t)(out->bytes[3] == 254 ? 1 : out->bytes[3] + 1);
}

/* Warns if the target is not a neighbour: neither our request nor its reply has a route. */
static void
warn_of_strangers(const struct ping *self)
{
	const struct inet_addr *own = &self->probe.addr, *target = &self->s->target;
	char text[INET_TEXT_SIZE], own_text[INET_TEXT_SIZE];

	if (inet_is_neighbour(own, target))
		return;
	fprintf(stderr,
			"vuser-client: %s is outside of %s/%u, and there is no router between them: "
			"choose an --ip of its network\n",
			inet_format(target, text), inet_format(own, own_text), own->prefix);
}

/* Chooses our address: the --ip of the target's version, or else one that is made up. */
static void
choose_address(struct ping *self)
{
	const struct settings *s = self->s;
	char text[INET_TEXT_SIZE];
	size_t i;

	for (i = 0; i < s->addr_count; i++)
		if (s->addrs[i].version == s->target.version) {
			self->probe.addr = s->addrs[i];
			warn_of_strangers(self);
			return;
		}
	if (s->target.version == 6)
		inet_link_local(self->d->mac, &self->probe.addr);
	else
		choose_v4(self->d->mac, &s->target, &self->probe.addr);
	report_line(self->report, "using the address %s; --ip chooses another",
			inet_format(&self->probe.addr, text));
}

static bool
send_frame(struct ping *self, const uint8_t *frame, size_t size)
{
	struct rte_mbuf *m = buffers_alloc(self->pool, size);

	if (m == NULL)
		return false;
	buffers_fill(m, frame);
	if (device_send(self->d, &m, 1) == 1)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static uint64_t
resolve(struct ping *self, uint64_t now)
{
	if (self->s->count != 0 && now >= self->resolve_end)
		return LOOP_DONE;
	if (now >= self->resolve_next) {
		send_frame(self, self->frame, probe_write_resolve(&self->probe, self->frame));
		self->resolve_next = now + self->resolve_delay;
		self->resolve_delay = RTE_MIN(self->resolve_delay * 2, RESOLVE_SLOWEST_NS);
	}
	return self->resolve_next;
}

static bool
all_sent(const struct ping *self)
{
	return self->s->count != 0 && self->sent >= self->s->count;
}

static uint64_t
timeout(const struct ping *self)
{
	return clock_from_seconds(self->s->timeout);
}

/* Gives up requests that are too old, in order. Request n has sequence number n + 1, as in ping. */
static void
settle(struct ping *self, uint64_t now)
{
	uint64_t *at;

	for (; self->settled < self->sent; self->settled++) {
		at = &self->sent_at[(self->settled + 1) % SEQUENCES];
		if (*at != 0 && now < *at + timeout(self))
			break;
		if (*at != 0)
			report_line(self->report, "no answer from %s: icmp_seq=%" PRIu64,
					self->target_text, self->settled + 1);
		*at = 0;
	}
}

/* Sends the next request. False: the ring is full. */
static bool
send_request(struct ping *self)
{
	uint16_t sequence = (uint16_t)(self->sent + 1);

	probe_write_echo(&self->probe, sequence, self->frame, self->s->size);
	self->sent_at[sequence] = clock_now();
	if (!send_frame(self, self->frame, self->s->size)) {
		self->sent_at[sequence] = 0;
		return false;
	}
	self->sent++;
	return true;
}

/* With an interval of 0 a request is due when the one before is settled. */
static bool
is_due(const struct ping *self, uint64_t now)
{
	if (all_sent(self) || self->sent - self->settled >= SEQUENCES - 1)
		return false;
	return self->s->interval > 0 ? now >= self->next : self->settled == self->sent;
}

static uint64_t
next_event(const struct ping *self)
{
	uint64_t give_up = LOOP_NEVER;

	if (self->settled < self->sent)
		give_up = self->sent_at[(self->settled + 1) % SEQUENCES] + timeout(self);
	if (all_sent(self) || self->s->interval <= 0)
		return give_up;
	return RTE_MIN(give_up, self->next);
}

static uint64_t
on_tick(void *argument, uint64_t now)
{
	struct ping *self = argument;

	if (!self->resolved)
		return resolve(self, now);
	settle(self, now);
	if (is_due(self, now)) {
		if (!send_request(self))
			return now + FULL_RING_WAIT_NS;
		self->next += clock_from_seconds(self->s->interval);
		if (self->next < now)
			self->next = now;
	}
	if (all_sent(self) && self->settled == self->sent)
		return LOOP_DONE;
	return next_event(self);
}

static void
on_reply(struct ping *self, const struct probe_reply *reply, uint64_t now)
{
	uint64_t *at = &self->sent_at[reply->sequence], time = now - *at;
	const char *remark = reply->damaged ? " (DAMAGED!)" : "";

	if (*at == 0) {
		self->duplicates++;
		report_line(self->report, "from %s: icmp_seq=%u (DUP! or too late)",
				self->target_text, reply->sequence);
		return;
	}
	*at = 0;
	if (reply->damaged)
		self->damaged++;
	self->received++;
	histogram_add(&self->times, time);
	report_line(self->report, "%zu bytes from %s: icmp_seq=%u ttl=%u time=%.3f ms%s",
			reply->message_size, self->target_text, reply->sequence, reply->hop_limit,
			(double)time / 1e6, remark);
}

/* Replies to a frame, if it is a request for us. */
static void
answer(struct ping *self, const uint8_t *frame, size_t size)
{
	size_t reply_size = 0;

	station_answer(&self->station, frame, size, self->reply, &reply_size);
	if (reply_size > 0)
		send_frame(self, self->reply, reply_size);
}

static void
take(struct ping *self, const uint8_t *frame, size_t size, uint64_t now)
{
	struct probe_reply reply;

	if (!self->resolved && probe_read_resolve(&self->probe, frame, size)) {
		self->resolved = true;
		self->next = now;
	} else if (probe_read_echo(&self->probe, frame, size, &reply)) {
		on_reply(self, &reply, now);
	} else {
		answer(self, frame, size);
	}
}

static void
on_frames(void *argument, struct device *d, struct rte_mbuf **frames, unsigned int count,
		uint64_t now)
{
	struct ping *self = argument;
	unsigned int i;

	(void)d;
	for (i = 0; i < count; i++)
		if (frames[i]->pkt_len <= sizeof(self->frame))
			take(self, buffers_frame(frames[i], self->frame), frames[i]->pkt_len, now);
	rte_pktmbuf_free_bulk(frames, count);
}

static void
add_times(const struct ping *self, struct report *r)
{
	const struct histogram *h = &self->times;
	double p50 = (double)histogram_percentile(h, 50), p99 = (double)histogram_percentile(h, 99);
	double mdev = histogram_deviation(h);

	if (h->count == 0) {
		json_object_set_new(report_json(r), "rtt_us", json_null());
		return;
	}
	json_object_set_new(report_json(r), "rtt_us",
			json_pack("{sfsfsfsfsfsf}", "min", (double)h->min / 1e3, "avg",
					h->mean / 1e3, "p50", p50 / 1e3, "p99", p99 / 1e3, "max",
					(double)h->max / 1e3, "mdev", mdev / 1e3));
	report_line(r, "rtt min/avg/p50/p99/max/mdev = %.3f/%.3f/%.3f/%.3f/%.3f/%.3f ms",
			(double)h->min / 1e6, h->mean / 1e6, p50 / 1e6, p99 / 1e6,
			(double)h->max / 1e6, mdev / 1e6);
}

static void
fill_report(const struct ping *self, enum loop_end end, struct report *r)
{
	uint64_t lost = self->sent - self->received;
	char mac[TEXT_MAC_SIZE];

	report_text(r, "target", self->target_text);
	report_bool(r, "resolved", self->resolved);
	if (self->resolved)
		report_text(r, "target_mac", text_format_mac(self->probe.peer_mac, mac));
	report_integer(r, "size", self->s->size);
	report_integer(r, "sent", self->sent);
	report_integer(r, "received", self->received);
	report_integer(r, "lost", lost);
	report_integer(r, "duplicated", self->duplicates);
	report_integer(r, "damaged", self->damaged);
	report_line(r, "--- %s ping statistics ---", self->target_text);
	report_line(r,
			"%" PRIu64 " packets transmitted, %" PRIu64
			" received, %.4g%% packet loss, time %.0fms",
			self->sent, self->received,
			self->sent > 0 ? 100.0 * (double)lost / (double)self->sent : 100.0,
			(double)(clock_now() - self->start) / 1e6);
	add_times(self, r);
	if (!self->resolved && end != LOOP_END_BACKEND_GONE)
		report_error(r,
				"nobody answers for %s; is its station up (vuser-client respond), and "
				"on a port of the same switch?",
				self->target_text);
}

static void
init(struct ping *self, struct client *c, const struct report *r)
{
	*self = (struct ping){
		.s = c->settings, .pool = c->pool, .d = &c->devices[0], .report = r
	};
	self->start = clock_now();
	self->resolve_delay = RESOLVE_FIRST_NS;
	self->resolve_end = self->start + RESOLVE_TIMEOUTS * timeout(self);
	inet_format(&self->s->target, self->target_text);
	memcpy(self->probe.mac, self->d->mac, sizeof(self->probe.mac));
	self->probe.peer = self->s->target;
	if (getrandom(&self->probe.id, sizeof(self->probe.id), 0) != sizeof(self->probe.id))
		self->probe.id = (uint16_t)self->start;
	choose_address(self);
	memcpy(self->station.mac, self->d->mac, sizeof(self->station.mac));
	self->station.addrs = &self->probe.addr;
	self->station.addr_count = 1;
}

enum status
role_ping(struct client *c, struct report *r)
{
	static const struct loop_role role = { .frames = on_frames, .tick = on_tick };
	static struct ping self;
	enum loop_end end;

	init(&self, c, r);
	report_line(r, "PING %s with frames of %u bytes", self.target_text, self.s->size);
	end = loop_run(c, &role, &self, r);
	fill_report(&self, end, r);
	return loop_status(end, self.received > 0 && self.damaged == 0);
}
