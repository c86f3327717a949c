/* SPDX-License-Identifier: BSD-3-Clause */
/* forward.c: the verdict on every kind of frame, what teaches an address, copies due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "switching/forward.h"
#include "switching/observer.h"
#include "switching/policy.h"
#include "stations.h"

#define PORTS 6
#define MAX_FRAME 1518

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static struct fdb *fdb;
static struct forward_table table;
static struct burst burst;
static struct verdict verdicts[BURST_MAX];

static int
setup(void **state)
{
	uint16_t i;

	(void)state;
	memset(&table, 0, sizeof(table));
	memset(&burst, 0xa5, sizeof(burst));
	burst.n = 0;
	burst.offload_mask = 0;
	for (i = 0; i < PORTS; i++) {
		table.ports[i].n_sinks = 1; /* they are not looked at */
		table.ports[i].max_frame = MAX_FRAME;
		table.ports[i].enabled = true;
		table.ports[i].flood = 100 + i;
	}
	fdb = fdb_create(1);
	return fdb == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	fdb_destroy(fdb);
	return 0;
}

static void
add_frame(const uint8_t *destination, const uint8_t *source, uint32_t len)
{
	struct frame *frame = &burst.frames[burst.n++];

	memcpy(frame->head, destination, 6);
	memcpy(frame->head + 6, source, 6);
	frame->len = len;
}

/* A broadcast whose EtherTypes, with 4 bytes between them, are these. */
static void
add_tagged(uint32_t len, const uint16_t *types)
{
	uint8_t *head = burst.frames[burst.n].head;

	add_frame(broadcast, (const uint8_t[]){ 2, 0, 0, 0, 0, 1 }, len);
	for (uint32_t i = 0; i < 2; i++) {
		head[12 + 4 * i] = types[i] >> 8;
		head[13 + 4 * i] = types[i] & 0xff;
	}
}

/* From station `source` to station `destination` of group 0. */
static void
add_unicast(uint32_t destination, uint32_t source)
{
	struct fdb_key to = station(0, destination), from = station(0, source);

	add_frame(to.mac, from.mac, 60);
}

static void
forward(uint16_t ingress, uint32_t now)
{
	memset(verdicts, 0xa5, sizeof(verdicts));
	forward_burst(&table, fdb, ingress, now, &burst, verdicts);
	burst.n = 0;
}

static uint16_t
port_of(uint32_t n, uint32_t now)
{
	struct fdb_key key = station(0, n);

	return fdb_lookup(fdb, &key, now);
}

static void
assert_port(const struct verdict *verdict, uint16_t port)
{
	assert_int_equal(verdict->kind, VERDICT_PORT);
	assert_int_equal(verdict->port, port);
}

static void
assert_flood(const struct verdict *verdict)
{
	assert_int_equal(verdict->kind, VERDICT_FLOOD);
	assert_uint_in_range(verdict->group, 100, 100 + PORTS - 1);
}

static void
assert_drop(const struct verdict *verdict, enum drop_reason reason)
{
	assert_int_equal(verdict->kind, VERDICT_DROP);
	assert_int_equal(verdict->reason, reason);
}

static void
test_learns_and_forwards(void **state)
{
	(void)state;
	add_unicast(2, 1);
	forward(0, 0);
	assert_flood(&verdicts[0]);
	add_unicast(1, 2);
	add_unicast(1, 2);
	add_unicast(3, 2);
	forward(4, 0);
	assert_port(&verdicts[0], 0);
	assert_port(&verdicts[1], 0);
	assert_flood(&verdicts[2]);
	add_unicast(2, 1);
	forward(0, 300);
	assert_port(&verdicts[0], 4);
	add_unicast(2, 1);
	forward(0, 301);
	assert_flood(&verdicts[0]);
}

static void
test_empty_burst(void **state)
{
	(void)state;
	forward(0, 0);
	assert_int_equal(verdicts[0].kind, 0xa5);
	assert_int_equal(fdb_count(fdb), 0);
}

static void
test_groups_are_flooded(void **state)
{
	static const uint8_t multicast[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct fdb_key from = station(0, 1);

	(void)state;
	add_frame(broadcast, from.mac, 60);
	add_frame(multicast, from.mac, 60);
	forward(2, 0);
	assert_flood(&verdicts[0]);
	assert_flood(&verdicts[1]);
	assert_int_equal(port_of(1, 0), 2);
}

/* All its bytes are ones, as the worker's note before the first frame of a burst. */
static void
test_broadcast_from_broadcast_is_flooded(void **state)
{
	(void)state;
	add_frame(broadcast, broadcast, 60);
	forward(2, 0);
	assert_flood(&verdicts[0]);
	assert_int_equal(fdb_count(fdb), 0);
}

/* Addresses that differ from a reserved one in one bit, but the last four. */
static void
test_neighbours_of_reserved_addresses(void **state)
{
	struct fdb_key from = station(0, 1);
	uint32_t bit;

	(void)state;
	for (bit = 0; bit < 44; bit++) {
		uint8_t near[6] = { 0x01, 0x80, 0xc2, 0, 0, 0 };

		if (bit < 40)
			near[bit / 8] ^= 1 << bit % 8;
		else
			near[5] ^= 1 << (bit - 36);
		add_frame(near, from.mac, 60);
	}
	forward(1, 0);
	for (bit = 0; bit < 44; bit++)
		assert_flood(&verdicts[bit]);
}

/* Received, so learned from, and then filtered. */
static void
test_reserved_addresses_are_dropped(void **state)
{
	uint8_t reserved[6] = { 0x01, 0x80, 0xc2, 0, 0, 0 };
	struct fdb_key from;
	uint8_t i;

	(void)state;
	for (i = 0; i <= 0x0f; i++) {
		from = station(0, i);
		reserved[5] = i;
		add_frame(reserved, from.mac, 60);
	}
	forward(1, 0);
	for (i = 0; i <= 0x0f; i++) {
		assert_drop(&verdicts[i], DROP_RESERVED_ADDRESS);
		assert_int_equal(port_of(i, 0), 1);
	}
}

static void
test_frame_lengths(void **state)
{
	struct fdb_key to = station(0, 99), from;
	uint32_t lengths[] = { 0, 1, 13, 14, 60, MAX_FRAME, MAX_FRAME + 1, 70000 };
	uint32_t i;

	(void)state;
	for (i = 0; i < 8; i++) {
		from = station(0, i);
		add_frame(to.mac, from.mac, lengths[i]);
	}
	forward(1, 0);
	for (i = 0; i < 8; i++) {
		if (i < 3)
			assert_drop(&verdicts[i], DROP_TOO_SHORT);
		else if (i < 6)
			assert_flood(&verdicts[i]);
		else
			assert_drop(&verdicts[i], DROP_TOO_BIG);
		assert_int_equal(port_of(i, 0), i < 3 || i >= 6 ? FDB_NO_PORT : 1);
	}
}

/* Of a frame that is to be cut the limit bounds the segments. */
static void
test_length_of_a_frame_to_be_cut(void **state)
{
	struct fdb_key to = station(0, 99), from = station(0, 1);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		add_frame(to.mac, from.mac, 60000);
	burst.offload_mask = 7;
	for (uint32_t i = 0; i < 3; i++)
		burst.offloads[i] = (struct frame_offload){ .header_len = 54,
			.gso_size = (uint16_t)(MAX_FRAME - 54 + i) };
	burst.offloads[2].gso_size = 0;
	forward(1, 0);
	assert_flood(&verdicts[0]);
	assert_drop(&verdicts[1], DROP_TOO_BIG);
	assert_drop(&verdicts[2], DROP_TOO_BIG);
}

/* A second VLAN tag has room of its own, where it really is; a TSO segment's too. */
static void
test_two_tags(void **state)
{
	static const struct {
		uint16_t types[2];
		bool fits;
	} cases[] = {
		{ { 0x88a8, 0x8100 }, true },
		{ { 0x8100, 0x8100 }, true },
		{ { 0x8100, 0x88a8 }, true },
		{ { 0x8100, 0x0800 }, false },
		{ { 0x0800, 0x8100 }, false },
		{ { 0x0800, 0x0800 }, false },
		{ { 0x9100, 0x8100 }, false },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		burst.n = 0;
		for (uint32_t len = MAX_FRAME; len <= MAX_FRAME + 5; len++)
			add_tagged(len, cases[i].types);
		forward(1, 0);
		for (uint32_t more = 0; more <= 5; more++) {
			if (more == 0 || (cases[i].fits && more <= 4))
				assert_flood(&verdicts[more]);
			else
				assert_drop(&verdicts[more], DROP_TOO_BIG);
		}
	}
	burst.n = 0;
	for (uint32_t more = 4; more <= 5; more++) {
		add_tagged(60000, cases[0].types);
		burst.offload_mask |= 1ull << (more - 4);
		burst.offloads[more - 4] = (struct frame_offload){
			.needs = FRAME_NEEDS_TSO4 | FRAME_NEEDS_CSUM,
			.header_len = 62,
			.gso_size = (uint16_t)(MAX_FRAME + more - 62),
		};
	}
	forward(1, 0);
	assert_flood(&verdicts[0]);
	assert_drop(&verdicts[1], DROP_TOO_BIG);
}

/* A frame that is too big for the receiver only is the delivery's business. */
static void
test_receiver_is_not_judged(void **state)
{
	struct fdb_key to = station(0, 2), from = station(0, 1);

	(void)state;
	add_unicast(1, 2);
	forward(3, 0);
	table.ports[3].max_frame = 64;
	table.ports[3].enabled = false;
	add_frame(to.mac, from.mac, 1000);
	forward(0, 0);
	assert_port(&verdicts[0], 3);
}

static void
test_disabled_sender(void **state)
{
	(void)state;
	add_unicast(1, 2);
	forward(3, 0);
	table.ports[0].enabled = false;
	add_unicast(2, 1);
	add_frame(broadcast, broadcast, 5);
	forward(0, 0);
	assert_drop(&verdicts[0], DROP_DISABLED);
	assert_drop(&verdicts[1], DROP_DISABLED);
	assert_int_equal(verdicts[2].kind, 0xa5);
	assert_int_equal(port_of(1, 0), FDB_NO_PORT);
}

static void
test_own_port(void **state)
{
	(void)state;
	add_unicast(9, 1);
	add_unicast(1, 2);
	add_unicast(2, 2);
	forward(5, 0);
	assert_flood(&verdicts[0]);
	assert_drop(&verdicts[1], DROP_SAME_PORT);
	assert_drop(&verdicts[2], DROP_SAME_PORT);
}

/* The answer for a destination is remembered, but not when a frame in between changed it. */
static void
test_source_learned_between_two_frames(void **state)
{
	(void)state;
	add_unicast(2, 1);
	add_unicast(2, 1);
	add_unicast(2, 2);
	add_unicast(2, 1);
	forward(5, 0);
	assert_flood(&verdicts[0]);
	assert_flood(&verdicts[1]);
	assert_drop(&verdicts[2], DROP_SAME_PORT);
	assert_drop(&verdicts[3], DROP_SAME_PORT);
}

static void
test_no_station_as_source(void **state)
{
	static const uint8_t zero[6];
	struct fdb_key to = station(0, 1);

	(void)state;
	add_frame(to.mac, broadcast, 60);
	add_frame(to.mac, zero, 60);
	add_frame(zero, to.mac, 60);
	forward(5, 0);
	assert_flood(&verdicts[0]);
	assert_flood(&verdicts[1]);
	assert_flood(&verdicts[2]);
	assert_int_equal(fdb_count(fdb), 1);
}

static void
test_limit_of_the_port(void **state)
{
	(void)state;
	table.ports[1].mac_limit = 1;
	add_unicast(9, 1);
	add_unicast(9, 2);
	forward(1, 0);
	assert_flood(&verdicts[1]);
	assert_int_equal(port_of(1, 0), 1);
	assert_int_equal(port_of(2, 0), FDB_NO_PORT);
}

static void
test_port_that_is_gone(void **state)
{
	(void)state;
	add_unicast(9, 1);
	forward(3, 0);
	table.ports[3].n_sinks = 0;
	add_unicast(1, 2);
	forward(0, 0);
	assert_flood(&verdicts[0]);
}

/* What is for a station that was named for it is for nobody else. */
static void
test_port_that_is_to_come(void **state)
{
	struct fdb_key key = station(0, 1);

	(void)state;
	assert_int_equal(fdb_add_static(fdb, &key, 3), 0);
	table.ports[3].n_sinks = 0;
	table.ports[3].awaits = true;
	add_unicast(1, 2);
	forward(0, 0);
	assert_drop(&verdicts[0], DROP_NOT_READY);
}

static void
test_domains_are_apart(void **state)
{
	struct fdb_key key = station(0, 1);

	(void)state;
	table.ports[2].domain = 7;
	table.ports[3].domain = 7;
	add_unicast(9, 1);
	forward(2, 0);
	add_unicast(1, 8);
	forward(0, 0);
	assert_flood(&verdicts[0]);
	add_unicast(1, 8);
	forward(3, 0);
	assert_port(&verdicts[0], 2);
	key.domain = 7;
	assert_int_equal(fdb_lookup(fdb, &key, 0), 2);
	assert_int_equal(port_of(1, 0), FDB_NO_PORT);
}

/* A policy that drops frames of odd length before they teach anything, and has a tag put on others. */
static uint32_t released;

static void
drop_odd(const struct policy *policy, const struct burst *frames, struct verdict *out)
{
	(void)policy;
	for (uint32_t i = 0; i < frames->n; i++) {
		assert_int_equal(out[i].kind, VERDICT_NONE);
		if (frames->frames[i].len % 2 != 0)
			out[i] = (struct verdict){ .kind = VERDICT_DROP, .reason = DROP_REFUSED };
	}
}

static void
tag_others(const struct policy *policy, const struct burst *frames, struct verdict *out)
{
	(void)policy;
	for (uint32_t i = 0; i < frames->n; i++) {
		assert_int_not_equal(out[i].kind, VERDICT_NONE);
		out[i].edit = (struct edit){ .push = EDIT_PUSH_CVLAN, .tci = 5 };
	}
}

static void
release_policy(struct shared *shared)
{
	(void)shared;
	released++;
}

static void
test_policy(void **state)
{
	struct policy policy = {
		.shared = { .release = release_policy }, .admit = drop_odd, .judge = tag_others
	};

	(void)state;
	forward_table_set_policy(&table, 0, &policy);
	add_unicast(9, 1);
	add_unicast(9, 2);
	burst.frames[1].len = 61;
	forward(0, 0);
	assert_flood(&verdicts[0]);
	assert_int_equal(verdicts[0].edit.push, EDIT_PUSH_CVLAN);
	assert_drop(&verdicts[1], DROP_REFUSED);
	assert_int_equal(port_of(1, 0), 0);
	assert_int_equal(port_of(2, 0), FDB_NO_PORT);
	add_unicast(9, 3); /* of a port without one */
	burst.frames[0].len = 61;
	forward(1, 0);
	assert_flood(&verdicts[0]);
	assert_int_equal(verdicts[0].edit.push, EDIT_PUSH_NONE);
	policy.admit = NULL;
	policy.judge = NULL;
	add_unicast(1, 4);
	forward(0, 0);
	assert_drop(&verdicts[0], DROP_SAME_PORT);
}

/* What tables share goes with the last of them that points to it, and not before. */
static void
test_last_table_releases(void **state)
{
	struct policy policy = { .shared = { .release = release_policy } };
	struct observer observer = { .shared = { .release = release_policy } };
	struct forward_table *first = forward_table_create(1, 0),
			     *second = forward_table_create(2, 0);
	struct flood_group *group = flood_group_create(PORTS);

	(void)state;
	released = 0;
	forward_table_set_policy(first, 1, &policy);
	forward_table_set_policy(first, 2, &policy);
	forward_table_set_policy(second, 2, &policy);
	forward_table_set_observer(first, &observer);
	assert_int_equal(forward_table_add_group(first, group), 0);
	assert_int_equal(forward_table_add_group(second, group), 0);
	assert_int_equal(forward_table_add_group(second, group), 1);
	assert_int_equal(policy.shared.holders, 3);
	assert_int_equal(group->shared.holders, 3);
	forward_table_free(first);
	assert_int_equal(released, 1); /* the observer */
	assert_int_equal(policy.shared.holders, 1);
	assert_int_equal(group->shared.holders, 2);
	forward_table_free(second);
	assert_int_equal(released, 2);
}

/* The rules once more, frame by frame, in the plainest way. */
static struct verdict
plain_verdict(struct fdb *plain, uint16_t ingress, uint32_t now, const struct frame *frame)
{
	static const uint8_t reserved[5] = { 0x01, 0x80, 0xc2, 0, 0 };
	struct fdb_key to = { 0 }, from = { 0 };
	struct verdict verdict = { .kind = VERDICT_DROP, .reason = DROP_TOO_SHORT };

	if (frame->len < 14)
		return verdict;
	verdict.reason = DROP_TOO_BIG;
	if (frame->len > MAX_FRAME)
		return verdict;
	memcpy(to.mac, frame->head, 6);
	memcpy(from.mac, frame->head + 6, 6);
	fdb_learn(plain, &from, ingress, table.ports[ingress].mac_limit, now);
	verdict.reason = DROP_RESERVED_ADDRESS;
	if (memcmp(to.mac, reserved, 5) == 0 && to.mac[5] < 16)
		return verdict;
	verdict.reason = DROP_SAME_PORT;
	verdict.port = fdb_lookup(plain, &to, now);
	if (verdict.port == ingress)
		return verdict;
	verdict.kind = verdict.port == FDB_NO_PORT ? VERDICT_FLOOD : VERDICT_PORT;
	return verdict;
}

static void
add_random_frame(uint32_t *random)
{
	static const uint32_t lengths[8] = { 13, 60, 60, 60, 60, 60, MAX_FRAME, MAX_FRAME + 1 };
	struct fdb_key to = station(next_random(random) / 16 % 2, next_random(random) % 3);
	struct fdb_key from = station(next_random(random) / 16 % 2, next_random(random) % 3);
	uint32_t what = next_random(random) % 16;

	if (what == 0)
		memcpy(to.mac, broadcast, 6);
	if (what == 1)
		memcpy(to.mac, "\x01\x80\xc2\0\0\x0e", 6);
	if (what == 2)
		from.mac[0] |= 1;
	add_frame(to.mac, from.mac, lengths[next_random(random) / 16 % 8]);
}

static void
compare(struct fdb *plain, uint16_t ingress, uint32_t now, uint32_t n)
{
	struct verdict verdict;
	uint32_t i;

	forward(ingress, now);
	for (i = 0; i < n; i++) {
		verdict = plain_verdict(plain, ingress, now, &burst.frames[i]);
		assert_int_equal(verdicts[i].kind, verdict.kind);
		if (verdict.kind == VERDICT_DROP)
			assert_int_equal(verdicts[i].reason, verdict.reason);
		if (verdict.kind == VERDICT_PORT)
			assert_int_equal(verdicts[i].port, verdict.port);
	}
}

/* Random bursts of few stations, so that all that is remembered in a burst is put to the test. */
static void
test_agrees_with_the_plain_rules(void **state)
{
	struct fdb *plain = fdb_create(2);
	uint32_t random = 42, round, i, n;

	(void)state;
	assert_non_null(plain);
	table.ports[1].mac_limit = 2;
	for (round = 0; round < 20000; round++) {
		n = next_random(&random) % (BURST_MAX + 1);
		for (i = 0; i < n; i++)
			add_random_frame(&random);
		compare(plain, next_random(&random) % PORTS, round / 2, n);
	}
	fdb_destroy(plain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns_and_forwards),
		TEST(test_empty_burst),
		TEST(test_groups_are_flooded),
		TEST(test_broadcast_from_broadcast_is_flooded),
		TEST(test_neighbours_of_reserved_addresses),
		TEST(test_reserved_addresses_are_dropped),
		TEST(test_frame_lengths),
		TEST(test_length_of_a_frame_to_be_cut),
		TEST(test_two_tags),
		TEST(test_receiver_is_not_judged),
		TEST(test_disabled_sender),
		TEST(test_own_port),
		TEST(test_source_learned_between_two_frames),
		TEST(test_no_station_as_source),
		TEST(test_limit_of_the_port),
		TEST(test_port_that_is_gone),
		TEST(test_port_that_is_to_come),
		TEST(test_domains_are_apart),
		TEST(test_policy),
		TEST(test_last_table_releases),
		TEST(test_agrees_with_the_plain_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
