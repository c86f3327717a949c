/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soak-pair: two honest frontends that send each other numbered frames, and count every one. It is
 * what a soak is for: whatever others do to the switch meanwhile, no frame of this pair may be
 * lost, come twice, out of order or changed. One thread; tests/bench/raw_port.h is its frontend.
 *
 * Prints a JSON object a second, and the last one at SIGTERM or SIGINT, after what was under way
 * has arrived. Status 0: nothing was lost, doubled or changed.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "../bench/raw_port.h"

#define RING_SIZE 1024
#define FRAME_MIN 60
#define FRAME_MAX 1514
#define ETHERTYPE 0x88b5 /* IEEE 802: for local experiments */
#define MAGIC 0x736f616bu
#define TURN_US 100
/* Under way in one direction at most: half the receiver's ring. */
#define OUTSTANDING_MAX (RING_SIZE / 2)
#define LAST_LIMIT_US 5000000
#define NS_PER_US 1000u
#define BUCKETS 40

struct frame {
	uint8_t to[6], from[6];
	uint8_t ethertype[2];
	uint32_t magic;
	uint32_t len;
	uint64_t number;
	uint64_t sent_ns;
} __attribute__((packed));

struct side {
	struct raw_port port;
	uint8_t mac[6];
	uint64_t sent;	   /* numbers 0 to sent - 1 are on their way or there */
	uint64_t expected; /* the next number to come */
	uint64_t lost, doubled, changed, strange;
};

static struct side sides[2];
static uint64_t latencies[BUCKETS]; /* by the power of two of nanoseconds */
static uint64_t latency_max_ns;
static volatile sig_atomic_t stopping;

static void
on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Every byte of the payload follows from the number. */
static uint8_t
byte_of(uint64_t number, uint32_t at)
{
	return (uint8_t)(number * 31 + at * 7);
}

static uint32_t
length_of(uint64_t number)
{
	return FRAME_MIN + (uint32_t)(number * 2654435761u % (FRAME_MAX - FRAME_MIN + 1));
}

static void
send_frames(struct side *from, const struct side *to, uint32_t count)
{
	uint16_t room = raw_tx_free(&from->port);
	uint64_t under_way = from->sent - to->expected;
	uint16_t n = 0;

	while (n < count && n < room && under_way + n < OUTSTANDING_MAX) {
		uint8_t *at = raw_tx_frame(&from->port, n);
		struct frame head = { .ethertype = { ETHERTYPE >> 8, ETHERTYPE & 0xff },
			.magic = MAGIC,
			.len = length_of(from->sent),
			.number = from->sent,
			.sent_ns = now_ns() };

		memcpy(head.to, to->mac, sizeof(head.to));
		memcpy(head.from, from->mac, sizeof(head.from));
		memcpy(at, &head, sizeof(head));
		for (uint32_t i = sizeof(head); i < head.len; i++)
			at[i] = byte_of(head.number, i);
		raw_tx_put(&from->port.tx, (uint16_t)(from->port.tx.avail_idx + n), head.len);
		from->sent++;
		n++;
	}
	if (n > 0)
		raw_offer(&from->port.tx, n);
}

static void
note_latency(uint64_t ns)
{
	uint32_t bucket = 63u - (uint32_t)__builtin_clzll(ns | 1);

	latencies[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	if (ns > latency_max_ns)
		latency_max_ns = ns;
}

static bool
is_whole(const struct frame *head, const uint8_t *at, uint32_t len)
{
	if (head->len != len || length_of(head->number) != len)
		return false;
	for (uint32_t i = sizeof(*head); i < len; i++)
		if (at[i] != byte_of(head->number, i))
			return false;
	return true;
}

static void
take_frame(struct side *side, const uint8_t *at, uint32_t len)
{
	struct frame head = { 0 };

	if (len >= sizeof(head))
		memcpy(&head, at, sizeof(head));
	if (len < sizeof(head) || memcmp(head.to, side->mac, sizeof(head.to)) != 0 ||
			head.magic != MAGIC) {
		side->strange++; /* a flood, from others */
		return;
	}
	if (!is_whole(&head, at, len)) {
		side->changed++;
		return;
	}
	if (head.number < side->expected) {
		side->doubled++;
		return;
	}
	side->lost += head.number - side->expected;
	side->expected = head.number + 1;
	note_latency(now_ns() - head.sent_ns);
}

static void
receive(struct side *side)
{
	struct raw_ring *ring = &side->port.rx;
	uint16_t n = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE) - ring->used_idx;

	for (uint16_t i = 0; i < n; i++) {
		uint16_t index = ring->used_idx + i;
		const struct vring_used_elem *elem = &ring->used->ring[index & (ring->size - 1)];

		ring->astray |= elem->id != (index & (ring->size - 1u)) ||
				elem->len > ring->buffer_len;
		if (!ring->astray && elem->len > RAW_HEADER_LEN)
			take_frame(side, raw_buffer(ring, index) + RAW_HEADER_LEN,
					elem->len - RAW_HEADER_LEN);
	}
	ring->used_idx += n;
	if (n > 0)
		raw_offer(ring, n);
}

/* The upper bound of the bucket that holds this share of all latencies, in microseconds. */
static double
latency_us(double share)
{
	uint64_t total = 0, seen = 0;
	uint32_t i;

	for (i = 0; i < BUCKETS; i++)
		total += latencies[i];
	for (i = 0; i + 1 < BUCKETS && (double)(seen + latencies[i]) < share * (double)total; i++)
		seen += latencies[i];
	return (double)(2ull << i) / NS_PER_US;
}

static bool
is_clean(void)
{
	for (uint32_t i = 0; i < 2; i++)
		if (sides[i].lost != 0 || sides[i].doubled != 0 || sides[i].changed != 0 ||
				sides[i].port.rx.astray)
			return false;
	return true;
}

static void
report(void)
{
	const struct side *a = &sides[0], *b = &sides[1];

	printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"doubled\": %" PRIu64 ", \"changed\": %" PRIu64 ", \"astray\": %s, "
	       "\"strange\": %" PRIu64 ", \"p50_us\": %.0f, \"p99_us\": %.0f, "
	       "\"max_us\": %.0f}\n",
			a->sent + b->sent, a->expected + b->expected - a->lost - b->lost,
			a->lost + b->lost, a->doubled + b->doubled, a->changed + b->changed,
			a->port.rx.astray || b->port.rx.astray ? "true" : "false",
			a->strange + b->strange, latency_us(0.5), latency_us(0.99),
			(double)latency_max_ns / NS_PER_US);
	fflush(stdout);
}

static void
exchange(uint32_t count)
{
	receive(&sides[0]);
	receive(&sides[1]);
	send_frames(&sides[0], &sides[1], count);
	send_frames(&sides[1], &sides[0], count);
}

static bool
is_done(void)
{
	return sides[0].sent == sides[1].expected && sides[1].sent == sides[0].expected;
}

/* Frames a second, both ways together, until a signal; then what is under way may arrive. */
static void
run(uint32_t rate)
{
	uint64_t start = now_ns(), next_report = start + 1000000000u, due = 0, stop_ns;

	while (!stopping) {
		uint64_t now = now_ns();
		uint64_t target = (uint64_t)((double)(now - start) * 1e-9 * rate / 2);

		exchange((uint32_t)(target - due));
		due = target; /* what found no room is not made up for */
		if (now >= next_report) {
			report();
			next_report += 1000000000u;
		}
		usleep(TURN_US);
	}
	stop_ns = now_ns() + (uint64_t)LAST_LIMIT_US * NS_PER_US;
	while (!is_done() && now_ns() < stop_ns) {
		exchange(0);
		usleep(TURN_US);
	}
	sides[1].lost += sides[0].sent - sides[1].expected;
	sides[1].expected = sides[0].sent;
	sides[0].lost += sides[1].sent - sides[0].expected;
	sides[0].expected = sides[1].sent;
}

static int
open_side(struct side *side, uint8_t number, const char *path)
{
	const struct raw_config config = {
		.path = path, .ring_size = RING_SIZE, .frame_max = FRAME_MAX
	};
	const uint8_t mac[6] = { 0x02, 0, 0, 0, 0xbb, number };

	memcpy(side->mac, mac, sizeof(side->mac));
	return raw_port_open(&side->port, &config);
}

int
main(int argc, char *argv[])
{
	const struct sigaction action = { .sa_handler = on_signal };
	uint32_t rate;

	if (argc != 4 || (rate = (uint32_t)strtoul(argv[3], NULL, 10)) == 0) {
		fprintf(stderr, "usage: soak-pair SOCKET SOCKET FRAMES_A_SECOND\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (open_side(&sides[0], 1, argv[1]) < 0 || open_side(&sides[1], 2, argv[2]) < 0)
		return 1;
	run(rate);
	report();
	raw_port_close(&sides[0].port);
	raw_port_close(&sides[1].port);
	return is_clean() ? 0 : 1;
}
