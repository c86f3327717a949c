/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two frontends in one thread, B and C: numbered frames go from B to C at a given rate, with at most
 * half a ring outstanding, and every one is accounted for. `siege/honest.py` runs it:
 *
 *   honest-pair B_SOCKET C_SOCKET B_MAC C_MAC
 *
 * It obeys lines on its standard input: `rate N` (frames a second; 0 none, `max` as fast as half a
 * ring goes), `mark NAME` (tells what happened since the last mark, as one line of JSON), and `end`
 * (sends no more, waits for what is outstanding, tells, leaves). Exit status 1: a port was taken away.
 *
 * It sleeps whenever nothing is due, because the attackers and the switch need the CPUs as well.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "honest_account.h"
#include "honest_frame.h"
#include "latency.h"
#include "raw_port.h"
#include "text/text.h"

#define RING_SIZE 1024
#define OUTSTANDING_MAX (RING_SIZE / 2)
#define BURST 64
#define CANARY 0xA5
#define CANARY_CHECKED 64 /* bytes behind a frame that must be untouched */

#define NS_PER_US 1000ull
#define NS_PER_S 1000000000ull
/* A frame that could not be sent for so long after it was due is counted with its delay, not sent. */
#define HELD_LIMIT (2000 * NS_PER_US)
/* Frames that are due within it are sent together. */
#define PACE (50 * NS_PER_US)
#define IDLE_WAIT (20000 * NS_PER_US)
#define DRAIN_LIMIT (10 * NS_PER_S)

struct pair {
	struct raw_port b, c;
	uint8_t b_mac[6], c_mac[6];
	uint64_t key;
	double step; /* ns from one frame to the next; 0: as fast as it goes; < 0: none */
	double due;  /* of the next frame */
	bool ends;
	uint64_t ends_at;

	/* Since the last mark. */
	uint64_t marked_at;
	uint64_t spoilt;  /* ours, with a wrong byte, or bytes written behind it */
	uint64_t foreign; /* frames at C that B did not send: an attacker's broadcasts */
	uint64_t held;	  /* frames that were not sent, as half a ring was outstanding too long */
	struct latency latency; /* from made available to seen used */
	struct latency delay;	/* from due to seen used; of held frames, to the end of the wait */

	struct honest_account account;
};

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Sending. */

static void
send_frame(struct pair *pair, uint16_t n, uint64_t due, uint64_t now)
{
	struct honest_stamp stamp = {
		.key = pair->key,
		.number = pair->account.sent,
		.due = due,
		.shown = now,
	};

	raw_tx_put(&pair->b.tx, pair->b.tx.avail_idx + n, honest_frame_len(stamp.number));
	honest_frame_write(raw_tx_frame(&pair->b, n), pair->c_mac, pair->b_mac, &stamp);
	honest_account_sent(&pair->account);
}

/* Those that waited too long for room count with the time that they waited. */
static void
give_up_held(struct pair *pair, uint64_t now)
{
	while (pair->due + (double)HELD_LIMIT < (double)now) {
		pair->held++;
		latency_add(&pair->delay, now - (uint64_t)pair->due);
		pair->due += pair->step;
	}
}

static void
send_due(struct pair *pair)
{
	uint64_t now = now_ns();
	uint16_t n = 0;

	if (pair->step < 0 || pair->ends)
		return;
	if (pair->step == 0)
		pair->due = (double)now;
	else
		give_up_held(pair, now);
	while (n < BURST && pair->due <= (double)now &&
			honest_account_outstanding(&pair->account) < OUTSTANDING_MAX) {
		send_frame(pair, n++, (uint64_t)pair->due, now);
		pair->due += pair->step;
	}
	if (n > 0)
		raw_offer(&pair->b.tx, n);
}

/* Receiving. */

static bool
is_untouched(const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len && i < CANARY_CHECKED; i++)
		if (bytes[i] != CANARY)
			return false;
	return true;
}

/* A header that leaves nothing to be done, and says that the frame has one buffer. */
static bool
is_plain_header(const uint8_t *header)
{
	static const uint8_t plain[RAW_HEADER_LEN] = { [10] = 1 };

	return memcmp(header, plain, sizeof(plain)) == 0;
}

/* A frame in one buffer; what C receives in several is none of B's. */
static void
look_at_frame(struct pair *pair, const uint8_t *buffer, uint32_t used, uint64_t now)
{
	const uint8_t *frame = buffer + RAW_HEADER_LEN;
	uint32_t len = used - RAW_HEADER_LEN;
	struct honest_stamp stamp;

	if (used < RAW_HEADER_LEN || used > RAW_RX_BUFFER_LEN ||
			!honest_frame_is_ours(frame, len, pair->key, &stamp) ||
			stamp.number >= pair->account.sent) {
		pair->foreign++;
		return;
	}
	if (!is_plain_header(buffer) ||
			!honest_frame_is_whole(frame, len, pair->c_mac, pair->b_mac, &stamp) ||
			!is_untouched(buffer + used, RAW_RX_BUFFER_LEN - used))
		pair->spoilt++;
	honest_account_seen(&pair->account, stamp.number);
	latency_add(&pair->latency, now - stamp.shown);
	latency_add(&pair->delay, now - stamp.due);
}

/* Buffers that the frame in the next used one takes. */
static uint16_t
buffers_of_frame(const struct raw_ring *ring, uint16_t there)
{
	const uint8_t *header = raw_buffer(ring, ring->used_idx);
	uint16_t n = (uint16_t)(header[10] | header[11] << 8);

	return n == 0 || n > there ? 1 : n;
}

/* Takes all that was received at a port, and gives the buffers back as they were. */
static void
receive(struct pair *pair, struct raw_port *port)
{
	struct raw_ring *ring = &port->rx;
	uint16_t used = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);
	uint16_t taken = used - ring->used_idx;
	uint64_t now = now_ns();

	if (taken == 0)
		return;
	while (ring->used_idx != used) {
		uint16_t n = buffers_of_frame(ring, used - ring->used_idx);

		if (port == &pair->c && n == 1)
			look_at_frame(pair, raw_buffer(ring, ring->used_idx),
					ring->used->ring[ring->used_idx % ring->size].len, now);
		else if (port == &pair->c)
			pair->foreign++;
		for (; n > 0; n--) {
			uint32_t len = ring->used->ring[ring->used_idx % ring->size].len;

			memset(raw_buffer(ring, ring->used_idx), CANARY,
					len < RAW_RX_BUFFER_LEN ? len : RAW_RX_BUFFER_LEN);
			ring->used_idx++;
		}
	}
	raw_offer(ring, taken);
}

/*
 * Frames of B that are completed, then those that C has: in this order, because a frame that was
 * completed and is not there is lost.
 */
static void
take_stock(struct pair *pair)
{
	struct raw_ring *tx = &pair->b.tx;
	uint16_t used = __atomic_load_n(&tx->used->idx, __ATOMIC_ACQUIRE);
	uint16_t pending = tx->avail_idx - used;
	uint64_t taken = pair->account.sent - pending;

	tx->used_idx = used;
	receive(pair, &pair->c);
	receive(pair, &pair->b);
	honest_account_settle(&pair->account, taken);
}

/* Telling. */

static void
tell(struct pair *pair, const char *name)
{
	uint64_t now = now_ns();
	const struct honest_counts *counts = &pair->account.counts;

	printf("{\"mark\": \"%s\", \"seconds\": %.3f, \"sent\": %llu, \"seen\": %llu, "
	       "\"lost\": %llu, \"doubled\": %llu, \"disordered\": %llu, \"spoilt\": %llu, "
	       "\"foreign\": %llu, \"held\": %llu, \"outstanding\": %llu, \"latency_ms\": ",
			name, (double)(now - pair->marked_at) * 1e-9,
			(unsigned long long)counts->sent, (unsigned long long)counts->seen,
			(unsigned long long)counts->lost, (unsigned long long)counts->doubled,
			(unsigned long long)counts->disordered, (unsigned long long)pair->spoilt,
			(unsigned long long)pair->foreign, (unsigned long long)pair->held,
			(unsigned long long)honest_account_outstanding(&pair->account));
	latency_print(&pair->latency, stdout);
	fputs(", \"delay_ms\": ", stdout);
	latency_print(&pair->delay, stdout);
	fputs("}\n", stdout);
	fflush(stdout);
	pair->account.counts = (struct honest_counts){ 0 };
	pair->spoilt = pair->foreign = pair->held = 0;
	latency_clear(&pair->latency);
	latency_clear(&pair->delay);
	pair->marked_at = now_ns();
}

/* Obeying. */

static void
set_rate(struct pair *pair, const char *word)
{
	double rate = strtod(word, NULL);

	if (strcmp(word, "max") == 0)
		pair->step = 0;
	else
		pair->step = rate > 0 ? (double)NS_PER_S / rate : -1;
	pair->due = (double)now_ns();
}

static void
end_sending(struct pair *pair)
{
	pair->ends = true;
	pair->ends_at = now_ns() + DRAIN_LIMIT;
}

static void
obey(struct pair *pair, char *line)
{
	char *word = strchr(line, ' ');

	if (word != NULL)
		*word++ = '\0';
	if (strcmp(line, "rate") == 0 && word != NULL)
		set_rate(pair, word);
	else if (strcmp(line, "mark") == 0 && word != NULL)
		tell(pair, word);
	else if (strcmp(line, "end") == 0)
		end_sending(pair);
	else
		fprintf(stderr, "honest-pair: '%s' is no command: rate N, mark NAME, or end\n",
				line);
}

/* Reads what is there; the end of the input is the command `end`. */
static void
read_commands(struct pair *pair)
{
	static char text[512];
	static size_t have;
	ssize_t n = read(STDIN_FILENO, text + have, sizeof(text) - 1 - have);
	char *line = text, *end;

	if (n <= 0) {
		if (n == 0 && !pair->ends)
			end_sending(pair);
		return;
	}
	have += (size_t)n;
	text[have] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		obey(pair, line);
		line = end + 1;
	}
	have -= (size_t)(line - text);
	memmove(text, line, have);
}

/* Waiting. */

static uint64_t
time_to_wait(const struct pair *pair)
{
	uint64_t outstanding = honest_account_outstanding(&pair->account);
	bool sends = pair->step >= 0 && !pair->ends;
	double left = pair->due - (double)now_ns();

	if (sends && outstanding < OUTSTANDING_MAX && left <= 0)
		return 0;
	if (outstanding > 0 || (sends && left < (double)PACE))
		return PACE;
	return sends && left < (double)IDLE_WAIT ? (uint64_t)left : IDLE_WAIT;
}

/* Until C is called, something is said, or a frame is due. -1 when the switch has left a port. */
static int
wait_a_while(struct pair *pair)
{
	struct raw_ring *rx = &pair->c.rx;
	struct pollfd fds[] = {
		{ .fd = rx->call_fd, .events = POLLIN },
		{ .fd = pair->b.fd, .events = POLLIN },
		{ .fd = pair->c.fd, .events = POLLIN },
		{ .fd = pair->ends ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	uint64_t wait = time_to_wait(pair);
	struct timespec limit = { .tv_nsec = (long)wait };
	eventfd_t calls;

	__atomic_store_n(&rx->avail->flags, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&rx->used->idx, __ATOMIC_ACQUIRE) != rx->used_idx)
		limit.tv_nsec = 0;
	ppoll(fds, sizeof(fds) / sizeof(fds[0]), &limit, NULL);
	rx->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	if (fds[0].revents != 0)
		eventfd_read(rx->call_fd, &calls);
	if (fds[1].revents != 0 || fds[2].revents != 0) {
		fprintf(stderr, "honest-pair: the switch has ended the session of port %s\n",
				fds[1].revents != 0 ? "B" : "C");
		return -1;
	}
	if (fds[3].revents != 0)
		read_commands(pair);
	return 0;
}

static int
run(struct pair *pair)
{
	for (;;) {
		take_stock(pair);
		send_due(pair);
		if (pair->ends &&
				(honest_account_outstanding(&pair->account) == 0 ||
						now_ns() > pair->ends_at)) {
			tell(pair, "end");
			return 0;
		}
		if (wait_a_while(pair) < 0)
			return -1;
	}
}

/* Starting. */

static int
read_mac(const char *text, uint8_t mac[6])
{
	char words[128];

	if (text_parse_mac(text, mac, words, sizeof(words)) == 0)
		return 0;
	fprintf(stderr, "honest-pair: %s\n", words);
	return -1;
}

static int
open_port(struct raw_port *port, const char *path)
{
	struct raw_config config = {
		.path = path,
		.ring_size = RING_SIZE,
		.frame_max = HONEST_FRAME_MAX,
	};
	int ret = raw_port_open(port, &config);

	if (ret == 0)
		memset(port->rx.buffers, CANARY, (size_t)port->rx.size * port->rx.stride);
	return ret;
}

int
main(int argc, char **argv)
{
	static struct pair pair = { .step = -1 };
	int ret;

	if (argc != 5) {
		fprintf(stderr, "usage: honest-pair B_SOCKET C_SOCKET B_MAC C_MAC\n");
		return 2;
	}
	if (read_mac(argv[3], pair.b_mac) < 0 || read_mac(argv[4], pair.c_mac) < 0)
		return 2;
	prctl(PR_SET_TIMERSLACK, (unsigned long)NS_PER_US, 0, 0, 0);
	if (getrandom(&pair.key, sizeof(pair.key), 0) != sizeof(pair.key)) {
		fprintf(stderr, "honest-pair: no random key: %s\n", strerror(errno));
		return 1;
	}
	if (open_port(&pair.b, argv[1]) < 0)
		return 1;
	if (open_port(&pair.c, argv[2]) < 0) {
		raw_port_close(&pair.b);
		return 1;
	}
	puts("{\"mark\": \"ready\"}");
	fflush(stdout);
	pair.marked_at = now_ns();
	ret = run(&pair);
	raw_port_close(&pair.b);
	raw_port_close(&pair.c);
	return ret < 0 ? 1 : 0;
}
