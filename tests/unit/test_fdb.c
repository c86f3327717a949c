/* SPDX-License-Identifier: BSD-3-Clause */
/* fdb.c: what is learned, found, aged, moved, refused, flushed and listed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "switching/fdb.h"
#include "stations.h"
#include "base/switch_limits.h"

/* Enough sweeps to have looked at the whole table. */
#define SWEEPS 8

static struct fdb *fdb;

static int
setup(void **state)
{
	(void)state;
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

static enum fdb_learned
learn(struct fdb_key key, uint16_t port, uint32_t now)
{
	return fdb_learn(fdb, &key, port, 0, now);
}

static enum fdb_learned
learn_limited(struct fdb_key key, uint16_t port, uint32_t limit, uint32_t now)
{
	return fdb_learn(fdb, &key, port, limit, now);
}

static uint16_t
look_up(struct fdb_key key, uint32_t now)
{
	fdb_prefetch(fdb, &key);
	return fdb_lookup(fdb, &key, now);
}

static int
add_static(struct fdb_key key, uint16_t port)
{
	return fdb_add_static(fdb, &key, port);
}

static int delete (struct fdb_key key)
{
	return fdb_delete(fdb, &key);
}

static void
sweep_all(uint32_t now)
{
	int i;

	for (i = 0; i < SWEEPS; i++)
		fdb_sweep(fdb, now);
}

static void
test_learns_and_finds(void **state)
{
	(void)state;
	assert_int_equal(look_up(station(0, 1), 10), FDB_NO_PORT);
	assert_int_equal(learn(station(0, 1), 3, 10), FDB_NEW);
	assert_int_equal(look_up(station(0, 1), 10), 3);
	assert_int_equal(look_up(station(0, 2), 10), FDB_NO_PORT);
	assert_int_equal(learn(station(0, 1), 3, 10), FDB_KNOWN);
	assert_int_equal(learn(station(0, 1), 3, 11), FDB_KNOWN);
	assert_int_equal(learn(station(0, 2), PORTS_MAX - 1, 10), FDB_NEW);
	assert_int_equal(look_up(station(0, 2), 10), PORTS_MAX - 1);
	assert_int_equal(fdb_count(fdb), 2);
	assert_int_equal(fdb_count_port(fdb, 3), 1);
	assert_int_equal(fdb_count_port(fdb, 4), 0);
	assert_int_equal(fdb_count_port(fdb, FDB_NO_PORT), 0);
}

static void
test_vlan_and_domain_are_in_the_key(void **state)
{
	struct fdb_key key = station(0, 1), vlan = key, domain = key, both = key;

	(void)state;
	vlan.vlan = 4094;
	domain.domain = UINT16_MAX;
	both.vlan = 4094;
	both.domain = UINT16_MAX;
	assert_int_equal(learn(key, 1, 0), FDB_NEW);
	assert_int_equal(learn(vlan, 2, 0), FDB_NEW);
	assert_int_equal(learn(domain, 3, 0), FDB_NEW);
	assert_int_equal(look_up(both, 0), FDB_NO_PORT);
	assert_int_equal(learn(both, 4, 0), FDB_NEW);
	assert_int_equal(look_up(key, 0), 1);
	assert_int_equal(look_up(vlan, 0), 2);
	assert_int_equal(look_up(domain, 0), 3);
	assert_int_equal(look_up(both, 0), 4);
}

static void
test_refuses_what_is_no_station(void **state)
{
	struct fdb_key group = station(0, 1), zero = { .vlan = 5, .domain = 6 };
	struct fdb_key odd = { .mac = { 0, 0, 0, 0, 0, 1 } };

	(void)state;
	group.mac[0] |= 1;
	assert_int_equal(learn(group, 1, 0), FDB_REFUSED);
	assert_int_equal(learn(zero, 1, 0), FDB_REFUSED);
	assert_int_equal(learn(odd, 1, 0), FDB_NEW);
	assert_int_equal(learn(station(0, 1), PORTS_MAX, 0), FDB_REFUSED);
	assert_int_equal(learn(station(0, 1), 0x8001, 0), FDB_REFUSED);
	assert_int_equal(learn(station(0, 1), FDB_NO_PORT, 0), FDB_REFUSED);
	assert_int_equal(add_static(group, 1), -EINVAL);
	assert_int_equal(add_static(zero, 1), -EINVAL);
	assert_int_equal(add_static(station(0, 1), PORTS_MAX), -EINVAL);
	assert_int_equal(look_up(group, 0), FDB_NO_PORT);
	assert_int_equal(look_up(zero, 0), FDB_NO_PORT);
	assert_int_equal(fdb_count(fdb), 1);
}

static void
test_ages(void **state)
{
	struct fdb_key key = station(0, 1);

	(void)state;
	assert_int_equal(fdb_ageing(fdb), 300);
	learn(key, 1, 1000);
	assert_int_equal(look_up(key, 1300), 1);
	assert_int_equal(look_up(key, 1301), FDB_NO_PORT);
	assert_int_equal(learn(key, 1, 1300), FDB_KNOWN);
	assert_int_equal(look_up(key, 1600), 1);
	assert_int_equal(look_up(key, 1601), FDB_NO_PORT);
	fdb_set_ageing(fdb, 1000);
	assert_int_equal(fdb_ageing(fdb), 1000);
	assert_int_equal(look_up(key, 2300), 1);
	assert_int_equal(look_up(key, 2301), FDB_NO_PORT);
	fdb_set_ageing(fdb, UINT32_MAX);
	assert_int_equal(look_up(key, 1300 + (1u << 31) - 1), 1);
}

/* Two workers may read the time on either side of a second; the seconds may wrap around. */
static void
test_clock_behind_and_around(void **state)
{
	(void)state;
	learn(station(0, 1), 1, 500);
	assert_int_equal(look_up(station(0, 1), 499), 1);
	assert_int_equal(learn(station(0, 1), 1, 499), FDB_KNOWN);
	assert_int_equal(look_up(station(0, 1), 800), 1);
	learn(station(0, 2), 1, UINT32_MAX);
	assert_int_equal(look_up(station(0, 2), 299), 1);
	assert_int_equal(look_up(station(0, 2), 300), FDB_NO_PORT);
	assert_int_equal(learn(station(0, 2), 1, 100), FDB_KNOWN);
	assert_int_equal(look_up(station(0, 2), 400), 1);
}

/* What has expired is gone, whether or not it was swept. */
static void
test_expired_station_is_new(void **state)
{
	uint64_t lost;
	struct fdb_move move;

	(void)state;
	learn(station(0, 1), 1, 0);
	learn(station(0, 2), 1, 0);
	assert_int_equal(learn(station(0, 1), 1, 301), FDB_NEW);
	assert_int_equal(learn(station(0, 2), 2, 301), FDB_NEW);
	assert_int_equal(look_up(station(0, 2), 301), 2);
	assert_int_equal(fdb_count(fdb), 2);
	assert_int_equal(fdb_count_port(fdb, 1), 1);
	assert_int_equal(fdb_count_port(fdb, 2), 1);
	assert_int_equal(fdb_take_moves(fdb, &move, 1, &lost), 0);
}

static void
test_sweeps_what_expired(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		learn(station(0, i), i % 7, i < 4000 ? 0 : 100);
	add_static(station(1, 0), 1);
	fdb_sweep(fdb, 300);
	assert_int_equal(fdb_count(fdb), 5001);
	fdb_sweep(fdb, 301);
	assert_uint_in_range(fdb_count(fdb), 1002, 5000);
	sweep_all(301);
	assert_int_equal(fdb_count(fdb), 1001);
	assert_int_equal(look_up(station(0, 4000), 301), 4000 % 7);
	sweep_all(1000000);
	assert_int_equal(fdb_count(fdb), 1);
	for (i = 0; i < 7; i++)
		assert_int_equal(fdb_count_port(fdb, i), 0);
	assert_int_equal(look_up(station(1, 0), 1000000), 1);
}

static void
test_follows_a_move(void **state)
{
	struct fdb_key key = station(0, 1);
	struct fdb_move moves[3];
	uint64_t lost = 7;

	(void)state;
	key.vlan = 9;
	key.domain = 8;
	learn(key, 1, 0);
	assert_int_equal(learn(key, 2, 5), FDB_MOVED);
	assert_int_equal(look_up(key, 305), 2);
	assert_int_equal(learn(key, 3, 5), FDB_MOVED);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(fdb_count_port(fdb, 1), 0);
	assert_int_equal(fdb_count_port(fdb, 3), 1);
	assert_int_equal(fdb_take_moves(fdb, moves, 3, &lost), 2);
	assert_int_equal(lost, 0);
	assert_memory_equal(&moves[1].key, &key, sizeof(key));
	assert_int_equal(moves[0].from, 1);
	assert_int_equal(moves[0].to, 2);
	assert_int_equal(moves[1].from, 2);
	assert_int_equal(moves[1].to, 3);
	assert_int_equal(fdb_take_moves(fdb, moves, 3, &lost), 0);
}

/* To and fro: told from the third move on, with both ports, until ten seconds have passed. */
static void
test_station_that_flaps(void **state)
{
	struct fdb_flap flaps[FDB_FLAPS_MAX];
	struct fdb_key key = station(0, 1);
	uint32_t i;

	(void)state;
	learn(key, 4, 100);
	learn(key, 7, 100);
	learn(key, 4, 103);
	assert_int_equal(fdb_list_flaps(fdb, 103, flaps, FDB_FLAPS_MAX), 0);
	learn(key, 7, 105);
	assert_int_equal(fdb_list_flaps(fdb, 105, flaps, FDB_FLAPS_MAX), 1);
	assert_memory_equal(&flaps[0].move.key, &key, sizeof(key));
	assert_int_equal(flaps[0].move.from, 4);
	assert_int_equal(flaps[0].move.to, 7);
	assert_int_equal(flaps[0].moves, 3);
	assert_int_equal(fdb_list_flaps(fdb, 109, flaps, FDB_FLAPS_MAX), 1);
	assert_int_equal(fdb_list_flaps(fdb, 110, flaps, FDB_FLAPS_MAX), 0);
	for (i = 0; i < 70000; i++)
		learn(key, i % 2, 111);
	assert_int_equal(fdb_list_flaps(fdb, 111, flaps, FDB_FLAPS_MAX), 1);
	assert_uint_in_range(flaps[0].moves, 65535, 70002);
	assert_int_equal(fdb_list_flaps(fdb, 5000, flaps, FDB_FLAPS_MAX), 0);
	assert_int_equal(learn(key, 2, 4000), FDB_NEW);
}

/* One move is no flapping; the record is bounded, and a port that goes takes its stations along. */
static void
test_record_of_flaps(void **state)
{
	struct fdb_flap flaps[FDB_FLAPS_MAX + 1];
	uint32_t i, round;

	(void)state;
	for (i = 0; i < 1000; i++) {
		learn(station(0, i), 1, 0);
		learn(station(0, i), 2, 0);
	}
	assert_int_equal(fdb_list_flaps(fdb, 0, flaps, FDB_FLAPS_MAX + 1), 0);
	for (i = 0; i < 2 * FDB_FLAPS_MAX; i++)
		for (round = 0; round < 4; round++)
			learn(station(0, i), i < FDB_FLAPS_MAX + 2 ? round % 2 : 4 + round % 2,
					1 + i);
	assert_int_equal(fdb_list_flaps(fdb, 10 + FDB_FLAPS_MAX, flaps, 3), 3);
	i = fdb_list_flaps(fdb, 2 * FDB_FLAPS_MAX, flaps, FDB_FLAPS_MAX + 1);
	assert_int_equal(i, 10);
	assert_int_equal(fdb_flush(fdb, 5, true) > 0, 1);
	assert_true(fdb_list_flaps(fdb, 2 * FDB_FLAPS_MAX, flaps, FDB_FLAPS_MAX + 1) < i);
}

static void
test_record_of_moves_is_bounded(void **state)
{
	static struct fdb_move moves[5000];
	uint32_t i, n;
	uint64_t lost;

	(void)state;
	learn(station(0, 1), 0, 0);
	for (i = 1; i <= 5000; i++)
		assert_int_equal(learn(station(0, 1), i % 2, 0), FDB_MOVED);
	n = fdb_take_moves(fdb, moves, 10, &lost);
	assert_int_equal(n, 10);
	n += fdb_take_moves(fdb, moves + 10, 4990, &lost);
	assert_int_equal(lost, 0);
	assert_uint_in_range(n, 100, 4999);
	for (i = 0; i < n; i++)
		assert_int_equal(moves[i].from, i % 2);
	learn(station(0, 1), 1, 0);
	learn(station(0, 1), 2, 0);
	assert_int_equal(fdb_take_moves(fdb, moves, 1, &lost), 1);
	assert_int_equal(moves[0].to, 1);
	learn(station(0, 1), 3, 0);
	assert_int_equal(fdb_take_moves(fdb, moves, 10, &lost), 2);
	assert_int_equal(moves[0].to, 2);
	assert_int_equal(moves[1].to, 3);
}

static void
test_counts_lost_moves(void **state)
{
	static struct fdb_move moves[5000];
	uint64_t lost;
	uint32_t i, n;

	(void)state;
	learn(station(0, 1), 0, 0);
	for (i = 1; i <= 5000; i++)
		learn(station(0, 1), i % 2, 0);
	n = fdb_take_moves(fdb, moves, 5000, &lost);
	assert_int_equal(n + lost, 5000);
	fdb_take_moves(fdb, moves, 5000, &lost);
	assert_int_equal(lost, 0);
}

static void
test_static_stays(void **state)
{
	struct fdb_move move;
	uint64_t lost;

	(void)state;
	assert_int_equal(add_static(station(0, 1), 1), 0);
	assert_int_equal(fdb_count_static(fdb), 1);
	assert_int_equal(fdb_count_port(fdb, 1), 0);
	assert_int_equal(look_up(station(0, 1), 1000000), 1);
	assert_int_equal(learn(station(0, 1), 1, 1000000), FDB_KNOWN);
	assert_int_equal(learn(station(0, 1), 2, 1000000), FDB_REFUSED);
	assert_int_equal(look_up(station(0, 1), 2000000), 1);
	assert_int_equal(add_static(station(0, 1), 3), 0);
	assert_int_equal(look_up(station(0, 1), 0), 3);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(fdb_count_static(fdb), 1);
	assert_int_equal(fdb_take_moves(fdb, &move, 1, &lost), 0);
}

static void
test_static_replaces_learned(void **state)
{
	(void)state;
	learn(station(0, 1), 1, 0);
	assert_int_equal(add_static(station(0, 1), 2), 0);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(fdb_count_static(fdb), 1);
	assert_int_equal(fdb_count_port(fdb, 1), 0);
	assert_int_equal(look_up(station(0, 1), 0), 2);
	assert_int_equal(delete (station(0, 1)), 0);
	assert_int_equal(fdb_count_static(fdb), 0);
	assert_int_equal(learn(station(0, 1), 1, 0), FDB_NEW);
}

static void
test_deletes(void **state)
{
	(void)state;
	learn(station(0, 1), 1, 0);
	add_static(station(0, 2), 1);
	assert_int_equal(delete (station(0, 3)), -ENOENT);
	assert_int_equal(delete (station(0, 1)), 0);
	assert_int_equal(delete (station(0, 1)), -ENOENT);
	assert_int_equal(look_up(station(0, 1), 0), FDB_NO_PORT);
	assert_int_equal(delete (station(0, 2)), 0);
	assert_int_equal(fdb_count(fdb), 0);
	assert_int_equal(fdb_count_static(fdb), 0);
	assert_int_equal(fdb_count_port(fdb, 1), 0);
}

static void
test_limit_of_a_port(void **state)
{
	(void)state;
	assert_int_equal(learn_limited(station(0, 1), 1, 2, 0), FDB_NEW);
	assert_int_equal(learn_limited(station(0, 2), 1, 2, 100), FDB_NEW);
	assert_int_equal(learn_limited(station(0, 3), 1, 2, 100), FDB_REFUSED);
	assert_int_equal(look_up(station(0, 3), 100), FDB_NO_PORT);
	assert_int_equal(learn_limited(station(0, 1), 1, 2, 200), FDB_KNOWN);
	assert_int_equal(learn_limited(station(0, 3), 2, 2, 100), FDB_NEW);
	/* a move to a port that has its number */
	assert_int_equal(learn_limited(station(0, 3), 1, 2, 100), FDB_REFUSED);
	assert_int_equal(look_up(station(0, 3), 100), 2);
	/* static ones do not count */
	add_static(station(0, 4), 2);
	assert_int_equal(learn_limited(station(0, 5), 2, 2, 100), FDB_NEW);
	assert_int_equal(learn(station(0, 6), 1, 100), FDB_NEW);
}

/* Station 1 was learned first but station 2 is the one that has expired. */
static void
test_limit_counts_no_expired_station(void **state)
{
	(void)state;
	learn_limited(station(0, 1), 1, 2, 0);
	learn_limited(station(0, 2), 1, 2, 0);
	learn_limited(station(0, 1), 1, 2, 200);
	assert_int_equal(learn_limited(station(0, 3), 1, 2, 300), FDB_REFUSED);
	assert_int_equal(learn_limited(station(0, 3), 1, 2, 301), FDB_NEW);
	assert_int_equal(learn_limited(station(0, 4), 1, 2, 301), FDB_REFUSED);
	assert_int_equal(look_up(station(0, 1), 301), 1);
	assert_int_equal(fdb_count_port(fdb, 1), 2);
	/* a limit that was lowered lets nobody in */
	assert_int_equal(learn_limited(station(0, 4), 1, 1, 301), FDB_REFUSED);
	assert_int_equal(learn_limited(station(0, 4), 1, 1, 1000), FDB_REFUSED);
	assert_int_equal(learn_limited(station(0, 4), 1, 1, 1000), FDB_NEW);
	assert_int_equal(fdb_count(fdb), 1);
}

static void
fill_three_ports(void)
{
	uint32_t i;

	for (i = 0; i < 3000; i++)
		learn(station(0, i), i % 3, 0);
	for (i = 0; i < 300; i++)
		add_static(station(1, i), i % 3);
}

static void
test_flushes_learned_of_a_port(void **state)
{
	uint32_t i;

	(void)state;
	fill_three_ports();
	assert_int_equal(fdb_flush(fdb, 1, false), 1000);
	assert_int_equal(fdb_flush(fdb, 1, false), 0);
	assert_int_equal(fdb_flush(fdb, PORTS_MAX, false), 0);
	assert_int_equal(fdb_count(fdb), 2300);
	assert_int_equal(fdb_count_static(fdb), 300);
	assert_int_equal(fdb_count_port(fdb, 1), 0);
	for (i = 0; i < 3000; i++)
		assert_int_equal(look_up(station(0, i), 0), i % 3 == 1 ? FDB_NO_PORT : i % 3);
	for (i = 0; i < 300; i++)
		assert_int_equal(look_up(station(1, i), 0), i % 3);
	assert_int_equal(learn(station(0, 1), 1, 0), FDB_NEW);
}

static void
test_flushes_statics_of_a_port(void **state)
{
	uint32_t i;

	(void)state;
	fill_three_ports();
	assert_int_equal(fdb_flush(fdb, 2, true), 1100);
	assert_int_equal(fdb_count_static(fdb), 200);
	for (i = 0; i < 300; i++)
		assert_int_equal(look_up(station(1, i), 0), i % 3 == 2 ? FDB_NO_PORT : i % 3);
}

static void
test_flushes_all(void **state)
{
	(void)state;
	fill_three_ports();
	assert_int_equal(fdb_flush(fdb, FDB_NO_PORT, false), 3000);
	assert_int_equal(fdb_count(fdb), 300);
	assert_int_equal(look_up(station(1, 299), 0), 299 % 3);
	assert_int_equal(fdb_flush(fdb, FDB_NO_PORT, true), 300);
	assert_int_equal(fdb_count(fdb), 0);
	assert_int_equal(fdb_count_static(fdb), 0);
}

static void
test_lists(void **state)
{
	struct fdb_entry out[8];

	(void)state;
	learn(station(0, 1), 1, 10);
	learn(station(0, 2), 1, 110);
	add_static(station(0, 3), 1);
	learn(station(0, 4), 2, 111);
	assert_int_equal(fdb_list(fdb, FDB_NO_PORT, 310, out, 8), 4);
	assert_int_equal(fdb_list(fdb, FDB_NO_PORT, 310, out, 3), 3);
	assert_int_equal(fdb_list(fdb, FDB_NO_PORT, 310, out, 0), 0);
	assert_int_equal(fdb_list(fdb, 1, 310, out, 8), 3);
	assert_int_equal(fdb_list(fdb, 1, 311, out, 8), 2);
	assert_int_equal(fdb_list(fdb, 3, 310, out, 8), 0);
}

static void
test_lists_every_field(void **state)
{
	struct fdb_key key = station(7, 0x01020304);
	struct fdb_entry out;

	(void)state;
	key.vlan = 4094;
	key.domain = 65535;
	learn(key, 1023, 10);
	assert_int_equal(fdb_list(fdb, FDB_NO_PORT, 300, &out, 1), 1);
	assert_memory_equal(&out.key, &key, sizeof(key));
	assert_int_equal(out.port, 1023);
	assert_int_equal(out.age, 290);
	assert_false(out.is_static);
	fdb_list(fdb, FDB_NO_PORT, 9, &out, 1);
	assert_int_equal(out.age, 0);
	add_static(key, 1022);
	assert_int_equal(fdb_list(fdb, 1022, 300, &out, 1), 1);
	assert_int_equal(out.age, 0);
	assert_true(out.is_static);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns_and_finds),
		TEST(test_vlan_and_domain_are_in_the_key),
		TEST(test_refuses_what_is_no_station),
		TEST(test_ages),
		TEST(test_clock_behind_and_around),
		TEST(test_expired_station_is_new),
		TEST(test_sweeps_what_expired),
		TEST(test_follows_a_move),
		TEST(test_station_that_flaps),
		TEST(test_record_of_flaps),
		TEST(test_record_of_moves_is_bounded),
		TEST(test_counts_lost_moves),
		TEST(test_static_stays),
		TEST(test_static_replaces_learned),
		TEST(test_deletes),
		TEST(test_limit_of_a_port),
		TEST(test_limit_counts_no_expired_station),
		TEST(test_flushes_learned_of_a_port),
		TEST(test_flushes_statics_of_a_port),
		TEST(test_flushes_all),
		TEST(test_lists),
		TEST(test_lists_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
