/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames per second and the backend's cycles for each.
 *
 * Without a rate no more frames are under way than the receivers have buffers, so that nothing is
 * lost for lack of them; with one, frames leave when they are due, whatever becomes of them.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw_bench.h"
#include "raw_clock.h"

#define BURST 64u
/* No port has this number: frames to its stations are flooded. */
#define UNKNOWN_PORT 0xffu
/* Frames that are under way for so long are lost. */
#define LOST_AFTER 0.05
#define INTRODUCTION_LIMIT 20.0
/* Turns in which frames moved, from one look at the clock to the next: it costs as much as a frame. */
#define CLOCK_TURNS 32

struct flow {
	uint32_t sender;   /* its port */
	uint32_t first, n; /* the receivers: ports first .. first + n - 1 */
	uint32_t next;	   /* receiver of the next frame */
	uint32_t to, from; /* stations of the next frame */
	uint32_t length;   /* of the next frame: index in bench.lengths */
};

struct run {
	struct bench *bench;
	struct flow flows[2];
	uint32_t n_flows;
	uint32_t window;		    /* frames under way to each receiver at most */
	uint32_t burst;			    /* frames sent at a time */
	uint64_t due[RAW_PORTS_MAX];	    /* frames sent to each port */
	uint64_t got[RAW_PORTS_MAX];	    /* frames that it received */
	int64_t written_off[RAW_PORTS_MAX]; /* of due - got, what is not awaited any more */
	uint64_t sent, received, bytes, lost;
	uint64_t waiting; /* cycles in turns that could neither send nor receive */
	double lag;	  /* the longest that a frame left after its time, seconds */
};

/* Station n of a port as a number whose bytes, from the highest, are the address: 02:PORT:00:N. */
static inline uint64_t
mac_of(uint32_t port, uint32_t n)
{
	return UINT64_C(0x02) << 40 | (uint64_t)port << 32 | n;
}

void
raw_put_addresses(uint8_t *frame, uint32_t target, uint32_t to, uint32_t source, uint32_t from)
{
	uint64_t src = mac_of(source, from);
	uint64_t first = htobe64(mac_of(target, to) << 16 | src >> 32);
	uint32_t last = htobe32((uint32_t)src);

	memcpy(frame, &first, sizeof(first));
	memcpy(frame + sizeof(first), &last, sizeof(last));
}

static uint32_t
stations_of_side(const struct bench *bench)
{
	return bench->addresses > 2 ? bench->addresses / 2 : 1;
}

static uint32_t
advance(uint32_t i, uint32_t n)
{
	return i + 1 < n ? i + 1 : 0;
}

/* Writes the flow's next frame into buffer `index`. */
static inline void
put_frame(const struct bench *bench, const struct flow *flow, const struct raw_ring *ring,
		uint16_t index)
{
	uint32_t target = bench->flood ? UNKNOWN_PORT : flow->first + flow->next;

	raw_tx_put(ring, index, bench->lengths[flow->length]);
	raw_put_addresses(raw_buffer(ring, index) + RAW_HEADER_LEN, target, flow->to, flow->sender,
			flow->from);
}

static inline void
advance_flow(const struct bench *bench, struct flow *flow, uint32_t stations)
{
	flow->length = advance(flow->length, bench->n_lengths);
	flow->from = advance(flow->from, stations);
	flow->next = advance(flow->next, flow->n);
	if (flow->next == 0)
		flow->to = advance(flow->to, stations);
}

/* With flooding, frames for one receiver are due at all. */
static void
count_flood(struct run *run, const struct flow *flow, uint32_t n)
{
	for (uint32_t i = 0; i < flow->n; i++)
		run->due[flow->first + i] = run->sent + n;
}

/* More than were sent may come, as copies that are flooded: negative then. */
static int64_t
missing(const struct run *run, uint32_t port)
{
	return (int64_t)(run->due[port] - run->got[port]);
}

/* Frames that are awaited at a port. */
static int64_t
under_way(struct run *run, uint32_t port)
{
	/* What was written off came late after all: it must not widen the window for good. */
	if (missing(run, port) < run->written_off[port])
		run->written_off[port] = missing(run, port);
	return missing(run, port) - run->written_off[port];
}

static bool
window_open(struct run *run, const struct flow *flow)
{
	for (uint32_t i = flow->first; i < flow->first + flow->n; i++)
		if (under_way(run, i) + run->burst > run->window)
			return false;
	return true;
}

/* Sends `n` frames if there are as many free buffers; returns how many. */
static uint32_t
send_burst(struct run *run, struct flow *flow, uint32_t n)
{
	const struct bench *bench = run->bench;
	const uint32_t stations = stations_of_side(bench);
	struct raw_port *port = &run->bench->ports[flow->sender];
	/* Copies of our own: no store to a frame can change them, as the compiler must fear else. */
	const struct raw_ring ring = port->tx;
	struct flow local = *flow;

	if (raw_tx_free(port) < n)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		put_frame(bench, &local, &ring, (uint16_t)(ring.avail_idx + i));
		run->due[local.first + local.next]++;
		advance_flow(bench, &local, stations);
	}
	*flow = local;
	if (bench->flood)
		count_flood(run, flow, n);
	raw_offer(&port->tx, (uint16_t)n);
	run->sent += n;
	return n;
}

static uint32_t
receive_all(struct run *run)
{
	struct bench *bench = run->bench;
	uint32_t total = 0;

	for (uint32_t i = 0; i < bench->n_ports; i++) {
		uint32_t n = raw_rx_take(&bench->ports[i], bench->touch, &run->bytes);

		run->got[i] += n;
		total += n;
	}
	run->received += total;
	return total;
}

/* What has not come by now keeps no window shut. */
static void
write_off(struct run *run)
{
	for (uint32_t i = 0; i < run->bench->n_ports; i++)
		run->written_off[i] = missing(run, i);
}

/* One turn of the closed loop: sends where the window is open. */
static uint32_t
send_in_window(struct run *run)
{
	uint32_t sent = 0;

	for (uint32_t i = 0; i < run->n_flows; i++)
		if (window_open(run, &run->flows[i]))
			sent += send_burst(run, &run->flows[i], run->burst);
	return sent;
}

/* One turn of the open loop: sends what is due at `now`, seconds from the start. */
static uint32_t
send_on_time(struct run *run, double now)
{
	double due = now * run->bench->rate;
	uint32_t sent = 0;

	for (uint32_t i = 0; i < run->n_flows && (double)run->sent < due; i++) {
		double behind = due - (double)run->sent;
		uint32_t n = behind > BURST ? BURST : (uint32_t)behind + 1;

		sent += send_burst(run, &run->flows[i], n);
		if (behind / run->bench->rate > run->lag)
			run->lag = behind / run->bench->rate;
	}
	return sent;
}

/* Receives until nothing comes any more; what is missing then is lost. */
static void
drain(struct run *run)
{
	double end = raw_now() + LOST_AFTER;

	while (raw_now() < end)
		if (receive_all(run) > 0)
			end = raw_now() + LOST_AFTER;
	for (uint32_t i = 0; i < run->bench->n_ports; i++)
		if (missing(run, i) > 0)
			run->lost += (uint64_t)missing(run, i);
}

/* Sends and receives until `seconds` are over; returns how long it took, seconds. */
static double
go(struct run *run, double seconds)
{
	double start = raw_now(), now = start, moved = start;
	uint64_t before = raw_cycles();
	uint32_t turn = 0;

	while (now - start < seconds) {
		uint32_t n = run->bench->rate > 0 ? send_on_time(run, now - start)
						  : send_in_window(run);
		uint64_t after;

		n += receive_all(run);
		after = raw_cycles();
		run->waiting += n == 0 ? after - before : 0;
		before = after;
		if (run->bench->rate == 0 && n > 0 && turn++ % CLOCK_TURNS != 0)
			continue;
		now = raw_now();
		if (n > 0)
			moved = now;
		else if (now - moved > LOST_AFTER)
			write_off(run);
	}
	return now - start;
}

static void
set_flow(struct run *run, uint32_t sender, uint32_t first, uint32_t n)
{
	run->flows[run->n_flows++] = (struct flow){
		.sender = sender,
		.first = first,
		.n = n,
	};
}

static void
init_run(struct run *run, struct bench *bench)
{
	const struct raw_port *port = &bench->ports[0];

	*run = (struct run){ .bench = bench };
	/* What the backend has, what it gives back, what is written: a part of the ring each. */
	run->window = port->rx.size * 3 / 4 / port->buffers_per_frame;
	run->burst = run->window / 3 < BURST ? run->window / 3 : BURST;
	set_flow(run, 0, 1, bench->n_ports - 1);
	if (bench->both)
		set_flow(run, 1, 0, 1);
}

/* Every station behind `sender` sends one frame to a station behind another port. */
static int
introduce_port(struct run *run, uint32_t sender)
{
	struct bench *bench = run->bench;
	uint32_t stations = stations_of_side(bench);
	struct raw_port *port = &bench->ports[sender];
	double limit = raw_now() + INTRODUCTION_LIMIT;

	for (uint32_t i = 0; i < stations;) {
		receive_all(run);
		if (raw_tx_free(port) < port->tx.size) {
			if (raw_now() > limit)
				return -1;
			continue;
		}
		raw_tx_put(&port->tx, port->tx.avail_idx, bench->lengths[0]);
		raw_put_addresses(raw_tx_frame(port, 0), sender == 0, i, sender, i);
		raw_offer(&port->tx, 1);
		i++;
	}
	return 0;
}

int
raw_introduce(struct bench *bench)
{
	struct run run;

	init_run(&run, bench);
	for (uint32_t i = 0; i < bench->n_ports; i++) {
		if (introduce_port(&run, i) < 0) {
			fprintf(stderr, "raw-bench: the backend does not take the frames of port %u\n",
					i);
			return -1;
		}
	}
	drain(&run);
	return 0;
}

/* CPU time of a thread, seconds: the first of the numbers that the kernel keeps. */
static int
thread_seconds(const char *backend, double *seconds)
{
	uint32_t pid, tid;
	char text[64], *end;
	bool got;
	FILE *file;

	if (!raw_two_numbers(backend, '/', &pid, &tid))
		return -1;
	snprintf(text, sizeof(text), "/proc/%u/task/%u/schedstat", pid, tid);
	file = fopen(text, "re");
	if (file == NULL)
		return -1;
	got = fgets(text, sizeof(text), file) != NULL;
	fclose(file);
	if (!got)
		return -1;
	*seconds = 1e-9 * (double)strtoull(text, &end, 10);
	return end != text && *end == ' ' ? 0 : -1;
}

static void
print_run(const struct run *run, double seconds, double cycles, double backend)
{
	double hz = cycles / seconds;

	printf("{\"seconds\": %.6f, \"sent\": %" PRIu64 ", \"received\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"fps\": %.0f, "
	       "\"lag_seconds\": %.6f, \"waiting\": %.4f, \"tsc_hz\": %.0f",
			seconds, run->sent, run->received, run->lost, run->bytes,
			(double)run->received / seconds, run->lag, (double)run->waiting / cycles,
			hz);
	if (backend >= 0)
		printf(", \"backend_seconds\": %.6f, \"backend_busy\": %.4f, "
		       "\"cycles_per_frame\": %.2f",
				backend, backend / seconds,
				run->received > 0 ? backend * hz / (double)run->received : 0);
	printf("}\n");
}

/* Traffic that nobody counts, so that the backend's caches hold what it is about. */
static void
warm_up(struct bench *bench)
{
	struct run run;

	init_run(&run, bench);
	go(&run, bench->warm);
	drain(&run);
}

int
raw_run(struct bench *bench)
{
	double seconds, cpu_before = 0, cpu_after = -1;
	uint64_t cycles;
	struct run run, counted;

	if (bench->introduce && raw_introduce(bench) < 0)
		return -1;
	if (bench->warm > 0)
		warm_up(bench);
	if (bench->backend != NULL && thread_seconds(bench->backend, &cpu_before) < 0) {
		fprintf(stderr, "raw-bench: --backend %s: there is no such thread; give PID/TID\n",
				bench->backend);
		return -1;
	}
	init_run(&run, bench);
	cycles = raw_cycles();
	seconds = go(&run, bench->seconds);
	cycles = raw_cycles() - cycles;
	if (bench->backend != NULL && thread_seconds(bench->backend, &cpu_after) < 0) {
		fprintf(stderr, "raw-bench: the backend's thread has ended\n");
		return -1;
	}
	/* What was still under way at the end is no part of the rate, but not lost either. */
	counted = run;
	drain(&run);
	counted.lost = run.lost;
	print_run(&counted, seconds, (double)cycles,
			bench->backend == NULL ? -1 : cpu_after - cpu_before);
	return 0;
}
