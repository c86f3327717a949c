/* SPDX-License-Identifier: BSD-3-Clause */
/* deliver.c: every copy of a burst is delivered or dropped once, and counted at the right port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/account.h"
#include "worker/deliver.h"
#include "base/tsc.h"
#include "switching/observer.h"
#include "switching/policy.h"

#define PORTS 5
#define SINKS 3 /* of a port that has several */

#define HEADERS 54    /* Ethernet, IPv4, TCP */
#define SILENT_LEN 77 /* after a frame of this length a sink has nothing to call */

/* A sink that writes down what it was given: numbers of the burst's frames, or split ones. */
struct recorder {
	struct sink sink;
	uint32_t n;
	uint8_t frames[BURST_MAX];
	uint16_t types[BURST_MAX]; /* EtherTypes */
	uint16_t lens[BURST_MAX];
	uint32_t n_split;
	uint32_t split_bytes;
	uint32_t calls;
	bool silent;
};

#define SPLIT 0xff /* in frames[]: made for this receiver */

static struct recorder recorders[PORTS];
static struct forward_table *table;
static struct flood_group *everybody;
static struct delivery *delivery;
static struct source source;
static struct burst *burst;
static struct verdict verdicts[BURST_MAX];

static const void *
record(struct sink *sink, const struct burst *frames, const uint8_t *list, uint32_t n)
{
	struct recorder *recorder = (struct recorder *)sink;

	assert_int_equal(sink->lock.held, 1);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(burst_needs(frames, list[i]) & ~sink->takes, 0);
		recorder->silent = frames->frames[list[i]].len == SILENT_LEN;
		if (frames != burst) {
			recorder->n_split++;
			recorder->split_bytes += frames->frames[list[i]].len;
		}
		if (recorder->n < BURST_MAX) {
			const uint8_t *head = frames->frames[list[i]].head;

			recorder->frames[recorder->n] = frames == burst ? list[i] : SPLIT;
			recorder->types[recorder->n] = (uint16_t)(head[12] << 8 | head[13]);
			recorder->lens[recorder->n] = (uint16_t)frames->frames[list[i]].len;
		}
		recorder->n++;
	}
	counter_add(&sink->counters.frames, n);
	return recorder->silent ? NULL : recorder;
}

static void
call(const void *placed)
{
	struct recorder *recorder = (struct recorder *)(uintptr_t)placed;

	assert_int_equal(recorder->sink.lock.held, 0);
	recorder->calls++;
}

static const struct sink_ops recorder_ops = { .place = record, .call = call };

static int
setup(void **state)
{
	(void)state;
	memset(recorders, 0, sizeof(recorders));
	memset(&source, 0, sizeof(source));
	table = forward_table_create(1, PORTS + SINKS);
	everybody = flood_group_create(PORTS);
	(void)forward_table_add_group(table, everybody);
	delivery = calloc(1, sizeof(*delivery));
	burst = aligned_alloc(64, sizeof(*burst));
	burst->n = burst->longest = 0;
	burst->offload_mask = 0;
	delivery->split = aligned_alloc(64, sizeof(*burst));
	delivery->edited = aligned_alloc(64, sizeof(*delivery->edited));
	for (uint16_t i = 0; i < PORTS; i++) {
		recorders[i].sink.ops = &recorder_ops;
		recorders[i].sink.port = i;
		table->ports[i] = (struct forward_port){ .max_frame = 1518, .enabled = true };
		forward_table_set_sinks(table, i, &(struct sink *){ &recorders[i].sink }, 1);
		everybody->ports[everybody->n++] = i;
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	forward_table_free(table);
	free(delivery->split);
	free(delivery->edited);
	free(delivery);
	free(burst);
	return 0;
}

static void
add(uint32_t len, enum verdict_kind kind, uint16_t port, enum drop_reason reason)
{
	burst->frames[burst->n].len = len;
	memset(burst->frames[burst->n].head, 0, sizeof(burst->frames[burst->n].head));
	if (len > burst->longest)
		burst->longest = len;
	verdicts[burst->n] = (struct verdict){ .kind = kind, .reason = reason };
	if (kind != VERDICT_FLOOD)
		verdicts[burst->n].port = port;
	burst->n++;
}

static void
deliver(void)
{
	deliver_burst(delivery, table, &source, burst, verdicts);
}

/* Makes the last frame one that needs a checksum and, with a gso_size, segments. */
static void
set_offload(uint32_t i, uint8_t needs, uint16_t gso_size)
{
	static struct frame_segment segment;
	static uint8_t bytes[65536];
	uint8_t *headers = burst->headers[i];

	memset(headers, 0, FRAME_HEADERS_MAX);
	headers[12] = 0x08;
	headers[14] = 0x45;
	headers[23] = 6;
	headers[46] = 0x50;
	memcpy(bytes, headers, HEADERS);
	segment = (struct frame_segment){ .data = bytes, .len = burst->frames[i].len };
	burst->frames[i].segments = &segment;
	burst->frames[i].n_segments = 1;
	burst->offload_mask |= 1ull << i;
	burst->offloads[i] = (struct frame_offload){
		.needs = needs,
		.copied = burst->frames[i].len < FRAME_HEADERS_MAX ? burst->frames[i].len
								   : FRAME_HEADERS_MAX,
		.csum_start = 34,
		.csum_offset = 16,
		.gso_size = gso_size,
		.header_len = gso_size != 0 ? HEADERS : 0,
	};
}

/* copies due, and what segments added, = delivered + dropped, over all ports. */
static void
check_conservation(void)
{
	uint64_t done = 0, more = 0;

	for (uint32_t i = 0; i < PORTS; i++) {
		more += recorders[i].sink.counters.segments - recorders[i].sink.counters.segmented;
		done += recorders[i].sink.counters.frames;
		for (uint32_t r = 0; r < DROP_REASONS; r++)
			done += recorders[i].sink.counters.drops[r];
	}
	for (uint32_t r = 0; r < DROP_REASONS; r++)
		done += source.counters.drops[r];
	assert_int_equal(source.counters.copies_due + more, done);
}

static void
test_unicast_keeps_order(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < BURST_MAX; i++)
		add(60, VERDICT_PORT, 1 + i % 2, 0);
	deliver();
	assert_int_equal(recorders[1].n, 32);
	assert_int_equal(recorders[2].n, 32);
	for (uint32_t i = 0; i < 32; i++)
		assert_int_equal(recorders[1].frames[i], 2 * i);
	assert_int_equal(recorders[1].calls, 1);
	check_conservation();
}

static void
test_flood_to_all_but_the_sender(void **state)
{
	(void)state;
	add(60, VERDICT_FLOOD, 0, 0);
	add(60, VERDICT_PORT, 3, 0);
	add(60, VERDICT_FLOOD, 0, 0);
	deliver();
	assert_int_equal(recorders[0].n, 0);
	assert_int_equal(recorders[1].n, 2);
	assert_int_equal(recorders[3].n, 3);
	assert_int_equal(recorders[3].frames[1], 1);
	assert_int_equal(source.counters.copies_due, 2 * (PORTS - 1) + 1);
	check_conservation();
}

static void
test_flood_with_nobody_else(void **state)
{
	(void)state;
	everybody->n = 1;
	add(60, VERDICT_FLOOD, 0, 0);
	deliver();
	assert_int_equal(source.counters.copies_due, 0);
	check_conservation();
}

static void
test_drops_count_at_the_sender(void **state)
{
	(void)state;
	add(60, VERDICT_DROP, 0, DROP_SAME_PORT);
	add(60, VERDICT_DROP, 0, DROP_RESERVED_ADDRESS);
	add(60, VERDICT_DROP, 0, DROP_SAME_PORT);
	deliver();
	assert_int_equal(source.counters.drops[DROP_SAME_PORT], 2);
	assert_int_equal(source.counters.drops[DROP_RESERVED_ADDRESS], 1);
	check_conservation();
}

static void
test_receiver_disabled(void **state)
{
	(void)state;
	table->ports[2].enabled = false;
	add(60, VERDICT_PORT, 2, 0);
	deliver();
	assert_int_equal(recorders[2].n, 0);
	assert_int_equal(recorders[2].calls, 0);
	assert_int_equal(recorders[2].sink.counters.drops[DROP_DISABLED], 1);
	check_conservation();
}

static void
test_too_big_for_the_receiver(void **state)
{
	(void)state;
	table->ports[1].max_frame = 100;
	add(101, VERDICT_FLOOD, 0, 0);
	add(100, VERDICT_FLOOD, 0, 0);
	add(101, VERDICT_PORT, 1, 0);
	deliver();
	assert_int_equal(recorders[1].n, 1);
	assert_int_equal(recorders[1].frames[0], 1);
	assert_int_equal(recorders[2].n, 2);
	assert_int_equal(recorders[1].sink.counters.drops[DROP_TOO_BIG], 2);
	check_conservation();
}

static void
test_scratch_is_clean_after_a_burst(void **state)
{
	(void)state;
	add(60, VERDICT_FLOOD, 0, 0);
	deliver();
	deliver();
	assert_int_equal(recorders[1].n, 2);
	assert_int_equal(delivery->n_receivers, 0);
	check_conservation();
}

/* Who takes a frame undone gets it as it is; the others what comes of it, in the right place. */
static void
test_offload_is_split_for_who_does_not_take_it(void **state)
{
	(void)state;
	recorders[1].sink.takes = FRAME_NEEDS_ALL;
	recorders[2].sink.takes = FRAME_NEEDS_CSUM;
	add(60, VERDICT_FLOOD, 0, 0);
	add(HEADERS + 2500, VERDICT_FLOOD, 0, 0);
	add(61, VERDICT_FLOOD, 0, 0);
	set_offload(1, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4, 1000);
	burst->longest = HEADERS + 1000;
	deliver();
	assert_int_equal(recorders[1].n, 3);
	assert_int_equal(recorders[1].n_split, 0);
	for (uint32_t i = 2; i < PORTS; i++) {
		const uint8_t order[] = { 0, SPLIT, SPLIT, SPLIT, 2 };

		assert_int_equal(recorders[i].n, 5);
		assert_memory_equal(recorders[i].frames, order, sizeof(order));
		assert_int_equal(recorders[i].split_bytes, 3 * HEADERS + 2500);
		assert_int_equal(recorders[i].calls, 1);
		assert_int_equal(recorders[i].sink.counters.segmented, 1);
		assert_int_equal(recorders[i].sink.counters.segments, 3);
		assert_int_equal(recorders[i].sink.counters.checksummed, 0);
	}
	check_conservation();
}

static void
test_checksum_for_who_does_not_take_it(void **state)
{
	(void)state;
	recorders[1].sink.takes = FRAME_NEEDS_CSUM;
	add(100, VERDICT_FLOOD, 0, 0);
	set_offload(0, FRAME_NEEDS_CSUM, 0);
	deliver();
	assert_int_equal(recorders[1].n_split, 0);
	assert_int_equal(recorders[2].n_split, 1);
	assert_int_equal(recorders[1].sink.counters.checksummed, 0);
	assert_int_equal(recorders[2].sink.counters.checksummed, 1);
	check_conservation();
}

/* What was placed first is to be called for, too. */
static void
test_call_for_any_of_several(void **state)
{
	(void)state;
	add(HEADERS + 1000, VERDICT_PORT, 1, 0);
	add(SILENT_LEN, VERDICT_PORT, 1, 0);
	set_offload(0, FRAME_NEEDS_CSUM, 0);
	deliver();
	assert_int_equal(recorders[1].calls, 1);
}

/* A frame whose last segment leaves nothing to call. */
static void
test_call_for_any_segment(void **state)
{
	const uint32_t gso_size = 100, last = SILENT_LEN - HEADERS;

	(void)state;
	add(HEADERS + gso_size * BURST_MAX + last, VERDICT_PORT, 1, 0);
	set_offload(0, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4, gso_size);
	burst->longest = HEADERS + gso_size;
	deliver();
	assert_int_equal(recorders[1].n_split, BURST_MAX + 1);
	assert_int_equal(recorders[1].calls, 1);
}

/* More segments than a burst holds. */
static void
test_many_segments(void **state)
{
	(void)state;
	add(HEADERS + 60000, VERDICT_PORT, 1, 0);
	set_offload(0, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4, 100);
	burst->longest = HEADERS + 100;
	deliver();
	assert_int_equal(recorders[1].n_split, 600);
	assert_int_equal(recorders[1].split_bytes, 600 * HEADERS + 60000);
	check_conservation();
}

/* A limit bounds the segments, not the frame that they are cut from. */
static void
test_limit_of_a_frame_to_be_cut(void **state)
{
	(void)state;
	recorders[1].sink.takes = FRAME_NEEDS_ALL;
	add(HEADERS + 9000, VERDICT_PORT, 1, 0);
	add(HEADERS + 9000, VERDICT_PORT, 1, 0);
	set_offload(0, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4, 1518 - HEADERS);
	set_offload(1, FRAME_NEEDS_CSUM | FRAME_NEEDS_TSO4, 1518 - HEADERS + 1);
	burst->longest = 1519;
	deliver();
	assert_int_equal(recorders[1].n, 1);
	assert_int_equal(recorders[1].frames[0], 0);
	assert_int_equal(recorders[1].sink.counters.drops[DROP_TOO_BIG], 1);
	check_conservation();
}

/* Cycles of a second that is far longer than the test. */
#define AGE 1000000000000000

/* A sink that can spare 40 buffers, of which each frame takes one. */
static struct sink *limited;

static uint32_t
spare(struct sink *sink)
{
	const struct recorder *recorder = (const struct recorder *)sink;

	assert_int_equal(sink->lock.held, 1);
	return recorder->n < 40 ? 40 - recorder->n : 0;
}

static const struct sink_ops limited_ops = { .place = record, .spare = spare, .call = call };

static void
send_burst(enum verdict_kind kind, uint32_t n)
{
	burst->n = 0;
	for (uint32_t i = 0; i < n; i++)
		add(60, kind, 1, 0);
	deliver();
}

/* A few frames to everybody may take the last buffer; a flood leaves what the sink cannot spare. */
static void
test_a_flood_takes_only_what_can_be_spared(void **state)
{
	(void)state;
	account_init(AGE); /* so that no time passes by itself, however slowly this runs */
	limited = &recorders[1].sink;
	limited->ops = &limited_ops;
	delivery->now = tsc_read();
	source.port = 3;
	send_burst(VERDICT_PORT, 1);
	source.port = 0;
	send_burst(VERDICT_FLOOD, 29);
	assert_int_equal(recorders[1].n, 30);
	send_burst(VERDICT_FLOOD, 30);
	assert_int_equal(recorders[1].n, 40);
	assert_int_equal(limited->counters.drops[DROP_RING_FULL], 20);
	assert_int_equal(recorders[2].n, 59); /* has no spare() */
	send_burst(VERDICT_FLOOD, 1);
	assert_int_equal(limited->counters.drops[DROP_RING_FULL], 21);
	send_burst(VERDICT_PORT, 5); /* meant for it */
	assert_int_equal(recorders[1].n, 45);
	delivery->now += AGE; /* a second later: no flood */
	send_burst(VERDICT_FLOOD, 1);
	assert_int_equal(recorders[1].n, 46);
	limited->meant_at -= AGE; /* and nobody else has sent to it since */
	send_burst(VERDICT_FLOOD, 60);
	assert_int_equal(recorders[1].n, 106);
	send_burst(VERDICT_PORT, 1); /* nor hides the flood by frames of its own */
	send_burst(VERDICT_FLOOD, 10);
	assert_int_equal(recorders[1].n, 117);
	check_conservation();
}

/* Gives the last port several sinks. */
static void
widen(struct recorder *queues)
{
	struct sink *sinks[SINKS];

	memset(queues, 0, SINKS * sizeof(*queues));
	for (uint16_t q = 0; q < SINKS; q++) {
		queues[q].sink.ops = &recorder_ops;
		queues[q].sink.port = PORTS - 1;
		queues[q].sink.queue = q;
		sinks[q] = &queues[q].sink;
	}
	forward_table_set_sinks(table, PORTS - 1, sinks, SINKS);
}

/* Each flow goes to one sink of the port, in order, and each frame is counted once. */
static void
test_flows_of_a_port_with_several_sinks(void **state)
{
	struct recorder queues[SINKS];
	int queue_of[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	uint32_t n = 0;

	(void)state;
	widen(queues);
	for (uint32_t i = 0; i < BURST_MAX; i++) {
		add(60, i % 3 == 0 ? VERDICT_FLOOD : VERDICT_PORT, PORTS - 1, 0);
		burst->frames[i].head[11] = i % 8;
	}
	deliver();
	for (uint32_t q = 0; q < SINKS; q++) {
		assert_uint_in_range(queues[q].n, 1, BURST_MAX - 2);
		assert_int_equal(queues[q].calls, 1);
		for (uint32_t k = 0; k < queues[q].n; k++) {
			int *known = &queue_of[queues[q].frames[k] % 8];

			assert_true(*known < 0 || *known == (int)q);
			*known = (int)q;
			if (k > 0)
				assert_true(queues[q].frames[k] > queues[q].frames[k - 1]);
		}
		n += queues[q].n;
	}
	assert_int_equal(n, BURST_MAX);
	assert_int_equal(recorders[1].n, 22);
	assert_int_equal(source.counters.copies_due, BURST_MAX - 22 + 22 * (PORTS - 1));
}

/* What is dropped for the port is counted, in all sinks together. */
static void
test_drops_of_a_port_with_several_sinks(void **state)
{
	struct recorder queues[SINKS];
	uint64_t drops = 0;

	(void)state;
	widen(queues);
	table->ports[PORTS - 1].enabled = false;
	for (uint32_t i = 0; i < 20; i++) {
		add(60, VERDICT_PORT, PORTS - 1, 0);
		burst->frames[i].head[11] = (uint8_t)i;
	}
	deliver();
	for (uint32_t q = 0; q < SINKS; q++)
		drops += queues[q].sink.counters.drops[DROP_DISABLED];
	assert_int_equal(drops, 20);
}

/* A frame that lies somewhere, whose EtherType is `type`. */
static void
add_real(enum verdict_kind kind, uint16_t port, uint16_t type)
{
	static uint8_t bytes[BURST_MAX][100];
	struct frame *frame = &burst->frames[burst->n];
	uint8_t *own = bytes[burst->n];

	own[12] = (uint8_t)(type >> 8);
	own[13] = (uint8_t)type;
	burst->segments[burst->n] = (struct frame_segment){ .data = own, .len = 100 };
	frame->segments = &burst->segments[burst->n];
	frame->n_segments = 1;
	add(100, kind, port, 0);
	memcpy(frame->head, own, FRAME_HEAD_LEN);
}

/* One receiver's frames have another header, and the others' are as they came. */
static void
test_edits(void **state)
{
	static struct edit edits[PORTS_MAX];
	static struct policy policy;

	(void)state;
	policy.shared.holders = 1;
	forward_table_set_policy(table, 4, &policy);
	edits[2] = (struct edit){ .pops = 1 };
	add_real(VERDICT_PORT, 1, 0x0800);
	verdicts[0].edit = (struct edit){ .push = EDIT_PUSH_CVLAN };
	add_real(VERDICT_PORT, 1, 0x86dd);
	add_real(VERDICT_FLOOD, 0, ETHERTYPE_CVLAN);
	everybody->edits = edits;
	deliver();
	assert_int_equal(recorders[1].n, 3);
	assert_int_equal(recorders[1].types[0], ETHERTYPE_CVLAN);
	assert_int_equal(recorders[1].lens[0], 104);
	assert_int_equal(recorders[1].types[1], 0x86dd);
	assert_int_equal(recorders[1].types[2], ETHERTYPE_CVLAN);
	assert_int_equal(recorders[1].lens[2], 100);
	assert_int_equal(recorders[2].n, 1);
	assert_int_equal(recorders[2].types[0], 0);
	assert_int_equal(recorders[2].lens[0], 96);
	assert_int_equal(recorders[3].frames[0], 2); /* the burst's own frame */
	check_conservation();
}

/* The receiver's limit holds for what it would get. */
static void
test_edit_makes_it_too_big(void **state)
{
	static struct policy policy;

	(void)state;
	policy.shared.holders = 1;
	forward_table_set_policy(table, 4, &policy);
	table->ports[1].max_frame = 100;
	add_real(VERDICT_PORT, 1, 0x0800);
	add_real(VERDICT_PORT, 1, 0x0800);
	verdicts[1].edit = (struct edit){ .push = EDIT_PUSH_CVLAN };
	deliver();
	assert_int_equal(recorders[1].n, 1);
	assert_int_equal(recorders[1].sink.counters.drops[DROP_TOO_BIG], 1);
	check_conservation();
}

struct watcher {
	struct observer base;
	uint32_t frames[PORTS]; /* by receiver */
};

static void
on_placing(struct observer *observer, const struct sink *sink, const struct burst *frames,
		const uint8_t *list, uint32_t n)
{
	struct watcher *watcher = (struct watcher *)observer;

	assert_int_equal(sink->lock.held, 0);
	for (uint32_t i = 0; i < n; i++)
		assert_true(list[i] < frames->n);
	watcher->frames[sink->port] += n;
}

static void
test_observer(void **state)
{
	struct watcher watcher = { .base = { .shared = { .holders = 1 }, .placing = on_placing } };

	(void)state;
	forward_table_set_observer(table, &watcher.base);
	table->ports[3].enabled = false;
	add(60, VERDICT_FLOOD, 0, 0);
	add(60, VERDICT_PORT, 2, 0);
	add(60, VERDICT_DROP, 0, DROP_SAME_PORT);
	deliver();
	for (uint32_t i = 0; i < PORTS; i++)
		assert_int_equal(watcher.frames[i], i == 0 ? 0 : i == 2 ? 2 : 1);
	check_conservation();
	table->observer = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_flood_takes_only_what_can_be_spared),
		TEST(test_unicast_keeps_order),
		TEST(test_flood_to_all_but_the_sender),
		TEST(test_flood_with_nobody_else),
		TEST(test_drops_count_at_the_sender),
		TEST(test_receiver_disabled),
		TEST(test_too_big_for_the_receiver),
		TEST(test_scratch_is_clean_after_a_burst),
		TEST(test_offload_is_split_for_who_does_not_take_it),
		TEST(test_checksum_for_who_does_not_take_it),
		TEST(test_call_for_any_of_several),
		TEST(test_call_for_any_segment),
		TEST(test_many_segments),
		TEST(test_limit_of_a_frame_to_be_cut),
		TEST(test_flows_of_a_port_with_several_sinks),
		TEST(test_drops_of_a_port_with_several_sinks),
		TEST(test_edits),
		TEST(test_edit_makes_it_too_big),
		TEST(test_observer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
