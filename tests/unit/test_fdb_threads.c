/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fdb.c with real threads: workers that look up and learn while others flood a full table and the
 * control thread lists, sweeps, flushes and adds. Each does a bounded number of operations. Other
 * threads than the first only count what is wrong: a failed assertion leaves the test at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "switching/fdb.h"
#include "stations.h"
#include "base/switch_limits.h"

#define RESIDENTS 3000 /* learned at ports 0 to 9, a group of their own; nothing may touch them */
#define RESIDENT_PORTS 10
#define WANDERERS 16  /* go to and fro between ports 20 and 21 */
#define TRANSIENTS 16 /* added as static at port 22 and deleted, again and again */
#define FLOOD_PORT 30 /* and 31, one a thread */
#define FLOODERS 2
#define FLOOD 250000
#define ROUNDS 30 /* of the control thread */

enum {
	RESIDENT,
	WANDERER,
	TRANSIENT,
	STRANGER
};

static struct fdb *fdb;
static bool lists;     /* lists are being taken, so that a new station may be refused */
static int running;    /* flooders that are not done */
static uint32_t wrong; /* answers that cannot be */

static int
setup(void **state)
{
	(void)state;
	fdb = fdb_create(1);
	running = FLOODERS;
	lists = false;
	wrong = 0;
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
expect(bool right)
{
	if (!right)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static bool
floods_run(void)
{
	return __atomic_load_n(&running, __ATOMIC_RELAXED) > 0;
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

static void *
flooder(void *arg)
{
	uint16_t port = *(const uint16_t *)arg;
	uint32_t i, state = port;

	for (i = 0; i < FLOOD; i++) {
		expect(learn(station(STRANGER, next_random(&state)), port, i / 1000) == FDB_NEW ||
				lists);
		if (i % 64 == 0)
			expect(learn(station(WANDERER, i / 64 % WANDERERS), 20 + i / 1024 % 2, 0) !=
					FDB_REFUSED);
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *
reader(void *arg)
{
	uint32_t i = 0;
	uint16_t port;

	(void)arg;
	while (floods_run()) {
		i = (i + 1) % RESIDENTS;
		expect(look_up(station(RESIDENT, i)) == i % RESIDENT_PORTS);
		expect(learn(station(RESIDENT, i), i % RESIDENT_PORTS, i % 7) == FDB_KNOWN);
		port = look_up(station(WANDERER, i % WANDERERS));
		expect(port == 20 || port == 21);
		port = look_up(station(TRANSIENT, i % TRANSIENTS));
		expect(port == 22 || port == FDB_NO_PORT);
		port = look_up(station(STRANGER, i));
		expect(port == FDB_NO_PORT || port == FLOOD_PORT || port == FLOOD_PORT + 1);
	}
	return NULL;
}

/* Every resident is on a list once, whatever goes on. */
static void
check_list(void)
{
	static struct fdb_entry out[FDB_ENTRIES_MAX + 1];
	uint32_t i, n, residents = 0;

	n = fdb_list(fdb, FDB_NO_PORT, 0, out, FDB_ENTRIES_MAX + 1);
	for (i = 0; i < n; i++)
		residents += out[i].key.mac[1] == RESIDENT;
	expect(residents == RESIDENTS);
}

static void
control(void)
{
	struct fdb_move moves[64];
	struct fdb_key key;
	uint64_t lost;
	uint32_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < TRANSIENTS; i++) {
			key = station(TRANSIENT, i);
			expect(fdb_add_static(fdb, &key, 22) == 0);
		}
		check_list();
		fdb_sweep(fdb, 0);
		for (i = 0; i < TRANSIENTS; i++) {
			key = station(TRANSIENT, i);
			expect(fdb_delete(fdb, &key) == 0);
		}
		if (round % 8 == 0)
			fdb_flush(fdb, FLOOD_PORT, true);
		fdb_take_moves(fdb, moves, 64, &lost);
	}
}

static void
check_end(void)
{
	static struct fdb_entry out[FDB_ENTRIES_MAX + 1];
	uint32_t i, counts[PORTS_MAX] = { 0 };

	assert_int_equal(fdb_count_static(fdb), 0);
	assert_int_equal(fdb_list(fdb, FDB_NO_PORT, 0, out, FDB_ENTRIES_MAX + 1), fdb_count(fdb));
	for (i = 0; i < fdb_count(fdb); i++) {
		assert_int_equal(look_up(out[i].key), out[i].port);
		counts[out[i].port]++;
	}
	for (i = 0; i < PORTS_MAX; i++)
		assert_int_equal(fdb_count_port(fdb, (uint16_t)i), counts[i]);
}

static void
test_everybody_at_once(void **state)
{
	uint16_t ports[FLOODERS] = { FLOOD_PORT, FLOOD_PORT + 1 };
	pthread_t floods[FLOODERS], readers[2];
	uint32_t i;

	(void)state;
	lists = true;
	for (i = 0; i < RESIDENTS; i++)
		assert_int_equal(learn(station(RESIDENT, i), i % RESIDENT_PORTS, 0), FDB_NEW);
	for (i = 0; i < WANDERERS; i++)
		assert_int_equal(learn(station(WANDERER, i), 20, 0), FDB_NEW);
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		learn(station(STRANGER, UINT32_MAX - i), FLOOD_PORT, 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, reader, NULL), 0);
	for (i = 0; i < FLOODERS; i++)
		assert_int_equal(pthread_create(&floods[i], NULL, flooder, &ports[i]), 0);
	control();
	for (i = 0; i < FLOODERS; i++)
		pthread_join(floods[i], NULL);
	for (i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(wrong, 0);
	check_end();
}

/* A flush ends, and takes all that was there, while the port goes on learning. */
static void
test_flush_of_a_port_that_floods(void **state)
{
	uint16_t ports[FLOODERS] = { FLOOD_PORT, FLOOD_PORT + 1 };
	pthread_t floods[FLOODERS];
	uint32_t i, flushed, left = 0;

	(void)state;
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		learn(station(RESIDENT, i), FLOOD_PORT, 0);
	for (i = 0; i < FLOODERS; i++)
		assert_int_equal(pthread_create(&floods[i], NULL, flooder, &ports[i]), 0);
	flushed = fdb_flush(fdb, FLOOD_PORT, false);
	for (i = 0; i < FDB_ENTRIES_MAX; i++)
		left += look_up(station(RESIDENT, i)) != FDB_NO_PORT;
	for (i = 0; i < FLOODERS; i++)
		pthread_join(floods[i], NULL);
	assert_int_equal(left, 0);
	assert_uint_in_range(flushed, 1, FDB_ENTRIES_MAX);
	assert_int_equal(wrong, 0);
	check_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everybody_at_once),
		TEST(test_flush_of_a_port_that_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
