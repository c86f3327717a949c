/* SPDX-License-Identifier: BSD-3-Clause */
/* fdb.c: a full table; who is evicted, and that a port that floods harms only its own. */
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

#define STRANGERS 255 /* a group of stations for addresses that a flood makes up */

static struct fdb *fdb;
static uint32_t random_state;

static int
setup(void **state)
{
	(void)state;
	random_state = 4711;
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

static uint16_t
look_up(struct fdb_key key)
{
	return fdb_lookup(fdb, &key, 0);
}

/* `n` new stations of a group at a port, all in one second. */
static void
add_stations(uint8_t group, uint32_t n, uint16_t port, uint32_t now)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		assert_int_equal(learn(station(group, i), port, now), FDB_NEW);
}

static void
flood(uint32_t n, uint16_t port, uint32_t now)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		learn(station(STRANGERS, next_random(&random_state)), port, now);
}

/* How many of the first `n` stations of a group are behind `port`. */
static uint32_t
survivors(uint8_t group, uint32_t n, uint16_t port)
{
	uint32_t i, found = 0;

	for (i = 0; i < n; i++)
		found += look_up(station(group, i)) == port;
	return found;
}

/* What is said of the table as a whole agrees with what is in it. */
static void
check_books(void)
{
	static struct fdb_entry out[FDB_ENTRIES_MAX + 1];
	uint32_t counts[PORTS_MAX] = { 0 };
	uint32_t i, n, statics = 0;

	n = fdb_list(fdb, FDB_NO_PORT, 0, out, FDB_ENTRIES_MAX + 1);
	assert_int_equal(n, fdb_count(fdb));
	for (i = 0; i < n; i++) {
		assert_int_equal(look_up(out[i].key), out[i].port);
		statics += out[i].is_static;
		counts[out[i].port] += !out[i].is_static;
	}
	assert_int_equal(statics, fdb_count_static(fdb));
	for (i = 0; i < PORTS_MAX; i++)
		assert_int_equal(counts[i], fdb_count_port(fdb, (uint16_t)i));
}

/* Whatever the hash makes of them: addresses in a row, as a test tool sends, or at random. */
static void
test_holds_65536(void **state)
{
	uint64_t seed;
	uint32_t i;

	(void)state;
	for (seed = 0; seed < 12; seed++) {
		fdb_destroy(fdb);
		fdb = fdb_create(seed);
		assert_non_null(fdb);
		for (i = 0; i < FDB_ENTRIES_MAX; i++)
			assert_int_equal(learn(station(0, i), i % 5, 0), FDB_NEW);
		assert_int_equal(fdb_count(fdb), FDB_ENTRIES_MAX);
		for (i = 0; i < FDB_ENTRIES_MAX; i++)
			assert_int_equal(look_up(station(0, i)), i % 5);
	}
	check_books();
}

/* The same address in every domain. */
static void
test_holds_65536_domains(void **state)
{
	struct fdb_key key = station(0, 0);
	uint32_t i;

	(void)state;
	for (i = 0; i < FDB_ENTRIES_MAX; i++) {
		key.domain = (uint16_t)i;
		assert_int_equal(learn(key, i % 5, 0), FDB_NEW);
	}
	for (i = 0; i < FDB_ENTRIES_MAX; i++) {
		key.domain = (uint16_t)i;
		assert_int_equal(look_up(key), i % 5);
	}
	check_books();
}

/* Stations never heard again go in the order of coming, whatever moves the table made meanwhile. */
static void
test_evicts_the_oldest(void **state)
{
	uint32_t i;

	(void)state;
	add_stations(0, FDB_ENTRIES_MAX, 1, 0);
	for (i = 0; i < FDB_ENTRIES_MAX; i++) {
		assert_int_equal(look_up(station(0, i)), 1);
		assert_int_equal(learn(station(1, i), 1, 0), FDB_NEW);
		assert_int_equal(look_up(station(0, i)), FDB_NO_PORT);
		assert_int_equal(look_up(station(1, i)), 1);
	}
	assert_int_equal(fdb_count(fdb), FDB_ENTRIES_MAX);
	check_books();
}

static void
test_evicts_from_the_fattest(void **state)
{
	(void)state;
	add_stations(0, 20000, 1, 0);
	add_stations(1, 25536, 2, 50);
	add_stations(2, 20000, 3, 0);
	assert_int_equal(learn(station(3, 0), 4, 60), FDB_NEW);
	assert_int_equal(look_up(station(1, 0)), FDB_NO_PORT);
	assert_int_equal(learn(station(3, 1), 1, 60), FDB_NEW);
	assert_int_equal(look_up(station(1, 1)), FDB_NO_PORT);
	assert_int_equal(fdb_count_port(fdb, 1), 20001);
	assert_int_equal(fdb_count_port(fdb, 2), 25534);
	assert_int_equal(survivors(0, 20000, 1) + survivors(2, 20000, 3), 40000);
}

/* Stations go from port to port; a stranger now and then shows which port has most. */
static void
test_knows_the_fattest(void **state)
{
	enum {
		FAT_PORTS = 40
	};
	uint32_t before[FAT_PORTS], i, port, most, lost;

	(void)state;
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		learn(station(0, i), i % FAT_PORTS, 0);
	for (i = 0; i < 100000; i++) {
		port = next_random(&random_state) / 16 % (i / 10000 + 2);
		port = (port * 7 + i / 5000) % FAT_PORTS;
		learn(station(0, next_random(&random_state) % FDB_ENTRIES_MAX), port, 0);
		if (i % 100 != 0)
			continue;
		for (port = 0, most = 0; port < FAT_PORTS; port++) {
			before[port] = fdb_count_port(fdb, port);
			most = before[port] > most ? before[port] : most;
		}
		assert_int_equal(learn(station(1, i), 1000, 0), FDB_NEW);
		for (port = 0, lost = 0; port < FAT_PORTS; port++)
			if (fdb_count_port(fdb, port) != before[port]) {
				assert_int_equal(before[port], most);
				lost++;
			}
		assert_int_equal(lost, 1);
	}
}

static void
test_flood_harms_only_its_own(void **state)
{
	(void)state;
	add_stations(0, 1000, 1, 0);
	add_stations(1, 30000, 2, 0);
	flood(1000000, 3, 100);
	assert_int_equal(survivors(0, 1000, 1), 1000);
	assert_int_equal(survivors(1, 30000, 2), 30000);
	assert_int_equal(fdb_count_port(fdb, 3), FDB_ENTRIES_MAX - 31000);
	/* and a station that comes late finds its place */
	add_stations(2, 1000, 4, 100);
	flood(100000, 3, 100);
	assert_int_equal(survivors(2, 1000, 4), 1000);
	check_books();
}

/* Two that flood share what others leave; each that has most evicts its own. */
static void
test_two_floods_share(void **state)
{
	int i;

	(void)state;
	add_stations(0, 2000, 1, 0);
	flood(200000, 2, 0);
	for (i = 0; i < 100; i++) {
		flood(2000, 3, 0);
		flood(2000, 2, 0);
	}
	assert_int_equal(survivors(0, 2000, 1), 2000);
	assert_int_equal(fdb_count_port(fdb, 2), (FDB_ENTRIES_MAX - 2000) / 2);
	assert_int_equal(fdb_count_port(fdb, 3), (FDB_ENTRIES_MAX - 2000) / 2);
}

/* Every port of the switch full of its share: whoever learns then evicts its own. */
static void
test_equals_evict_their_own(void **state)
{
	uint32_t port, share = FDB_ENTRIES_MAX / PORTS_MAX, i;

	(void)state;
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		learn(station(0, i), i % PORTS_MAX, 0);
	for (port = 0; port < PORTS_MAX; port += 11) {
		flood(3, port, 0);
		assert_int_equal(fdb_count_port(fdb, port), share);
		for (i = 0; i < 3; i++)
			assert_int_equal(look_up(station(0, i * PORTS_MAX + port)), FDB_NO_PORT);
	}
	check_books();
}

/* In second 1 each tenth of the stations is heard again; those outlive all the others, once. */
static void
test_those_who_talk_outlive_the_silent(void **state)
{
	uint32_t i, talkers = 0;

	(void)state;
	add_stations(0, FDB_ENTRIES_MAX, 1, 0);
	for (i = 0; i < FDB_ENTRIES_MAX; i += 10, talkers++)
		learn(station(0, i), 1, 1);
	flood(FDB_ENTRIES_MAX - talkers, 1, 2);
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		assert_int_equal(look_up(station(0, i)), i % 10 == 0 ? 1 : FDB_NO_PORT);
	flood(FDB_ENTRIES_MAX, 1, 3);
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX, 1), 0);
}

/* A station that moved is the newest one of its new port, and no more than that. */
static void
test_moved_station_is_as_new(void **state)
{
	(void)state;
	add_stations(1, 1, 2, 0);
	add_stations(0, FDB_ENTRIES_MAX - 1, 1, 0);
	assert_int_equal(learn(station(1, 0), 1, 5), FDB_MOVED);
	flood(FDB_ENTRIES_MAX - 1, 1, 6);
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX - 1, 1), 0);
	assert_int_equal(look_up(station(1, 0)), 1);
	flood(1, 1, 6);
	assert_int_equal(look_up(station(1, 0)), FDB_NO_PORT);
}

/* All are heard again all the time: the search is bounded, and one that talks goes. */
static void
test_all_talk(void **state)
{
	uint32_t i, now;

	(void)state;
	add_stations(0, FDB_ENTRIES_MAX, 1, 0);
	for (now = 1; now <= 20; now++) {
		for (i = 0; i < FDB_ENTRIES_MAX; i++)
			if (look_up(station(0, i)) == 1)
				learn(station(0, i), 1, now);
		assert_int_equal(learn(station(1, now), 1, now), FDB_NEW);
		assert_int_equal(look_up(station(1, now)), 1);
	}
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX, 1), FDB_ENTRIES_MAX - 20);
}

/* Among the first to go, all heard again, it is the one that has been silent for longest. */
static void
test_longest_silent_of_those_who_talk(void **state)
{
	static const uint32_t heard[8] = { 9, 7, 8, 5, 6, 9, 8, 7 };
	uint32_t i;

	(void)state;
	add_stations(0, FDB_ENTRIES_MAX, 1, 0);
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		learn(station(0, i), 1, heard[i % 8]);
	flood(1, 1, 10);
	assert_int_equal(look_up(station(0, 3)), FDB_NO_PORT);
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX, 1), FDB_ENTRIES_MAX - 1);
}

static void
test_statics_are_not_evicted(void **state)
{
	struct fdb_key key;
	uint32_t i;

	(void)state;
	for (i = 0; i < FDB_ENTRIES_MAX - 10; i++) {
		key = station(0, i);
		assert_int_equal(fdb_add_static(fdb, &key, 1), 0);
	}
	flood(10000, 2, 0);
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX - 10, 1), FDB_ENTRIES_MAX - 10);
	assert_int_equal(fdb_count_port(fdb, 2), 10);
	for (; i < FDB_ENTRIES_MAX; i++) {
		key = station(0, i);
		assert_int_equal(fdb_add_static(fdb, &key, 1), 0);
	}
	assert_int_equal(fdb_count_port(fdb, 2), 0);
	key = station(1, 0);
	assert_int_equal(fdb_add_static(fdb, &key, 1), -ENOSPC);
	for (i = 0; i < 100; i++)
		assert_int_equal(learn(station(1, i), 1, 0), FDB_REFUSED);
	assert_int_equal(survivors(0, FDB_ENTRIES_MAX, 1), FDB_ENTRIES_MAX);
	assert_int_equal(fdb_count_static(fdb), FDB_ENTRIES_MAX);
	check_books();
}

static void
test_full_of_expired(void **state)
{
	struct fdb_key key = station(1, 0);

	(void)state;
	add_stations(0, FDB_ENTRIES_MAX, 1, 0);
	assert_int_equal(learn(key, 2, 1000), FDB_NEW);
	assert_int_equal(fdb_lookup(fdb, &key, 1000), 2);
	assert_int_equal(fdb_count(fdb), FDB_ENTRIES_MAX);
}

/* One operation of many, done to the table and to a plain array; FDB_NO_PORT there: no station. */
static void
do_both(uint16_t *port_of, bool *is_static, uint32_t n, uint16_t port, uint32_t what)
{
	struct fdb_key key = station(0, n);
	bool there = port_of[n] != FDB_NO_PORT;

	if (what == 0) {
		assert_int_equal(fdb_delete(fdb, &key), there ? 0 : -ENOENT);
		port_of[n] = FDB_NO_PORT;
		is_static[n] = false;
	} else if (what == 1) {
		assert_int_equal(fdb_add_static(fdb, &key, port), 0);
		port_of[n] = port;
		is_static[n] = true;
	} else if (is_static[n] && port_of[n] != port) {
		assert_int_equal(learn(key, port, 0), FDB_REFUSED);
	} else {
		assert_int_equal(learn(key, port, 0),
				!there				     ? FDB_NEW
						: port_of[n] == port ? FDB_KNOWN
								     : FDB_MOVED);
		port_of[n] = port;
	}
}

/* A million operations on a table at nine tenths, against an array. */
static void
test_agrees_with_an_array(void **state)
{
	enum {
		STATIONS = 61000
	};
	static uint16_t port_of[STATIONS];
	static bool is_static[STATIONS];
	uint32_t i, n, random;

	(void)state;
	for (n = 0; n < STATIONS; n++)
		port_of[n] = FDB_NO_PORT;
	for (i = 0; i < 1000000; i++) {
		random = next_random(&random_state);
		n = random % STATIONS;
		random = next_random(&random_state);
		do_both(port_of, is_static, n, random % 30, random / 64 % 20);
	}
	for (n = 0; n < STATIONS; n++)
		assert_int_equal(look_up(station(0, n)), port_of[n]);
	check_books();
	for (i = 0; i < 30; i++) {
		n = fdb_count_port(fdb, (uint16_t)i);
		assert_int_equal(fdb_flush(fdb, (uint16_t)i, false), n);
	}
	assert_int_equal(fdb_count(fdb), fdb_count_static(fdb));
	check_books();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_holds_65536),
		TEST(test_holds_65536_domains),
		TEST(test_evicts_the_oldest),
		TEST(test_evicts_from_the_fattest),
		TEST(test_knows_the_fattest),
		TEST(test_flood_harms_only_its_own),
		TEST(test_two_floods_share),
		TEST(test_equals_evict_their_own),
		TEST(test_those_who_talk_outlive_the_silent),
		TEST(test_moved_station_is_as_new),
		TEST(test_all_talk),
		TEST(test_longest_silent_of_those_who_talk),
		TEST(test_statics_are_not_evicted),
		TEST(test_full_of_expired),
		TEST(test_agrees_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
