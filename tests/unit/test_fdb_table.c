/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fdb_table.c: that readers without a lock are right while slots get other stations and stations
 * go to their other bucket. Stations are chosen by the table's own hash so that one place is
 * fought over; by chance this happens too rarely to be tested.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "switching/fdb.h"
#include "switching/fdb_store.h"
#include "switching/fdb_table.h"
#include "stations.h"

#define ROUNDS 200000
#define FILLER_PORT 9
#define NOW 1000 /* so that a `heard` of 0, as free slots have, is too old */

/* Stations that share buckets: who stands where in the rounds of pusher(). */
static struct fdb_key pushed, first_pusher, second_pusher;
static struct fdb *fdb;
static uint32_t next_station;
static int running;
static uint32_t wrong;

static int
setup(void **state)
{
	(void)state;
	fdb = fdb_create(1);
	next_station = 0;
	running = 1;
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

static struct fdb_name
name_of(struct fdb_key key)
{
	return fdb_table_name_key(&fdb->table, &key);
}

static enum fdb_learned
learn(struct fdb_key key, uint16_t port)
{
	return fdb_learn(fdb, &key, port, 0, NOW);
}

/* A station not used before whose first bucket is this one. */
static struct fdb_key
find_station(uint32_t bucket)
{
	while (name_of(station(0, next_station)).first != bucket)
		next_station++;
	return station(0, next_station++);
}

static void
fill(uint32_t bucket, uint32_t n)
{
	while (n-- > 0)
		assert_int_equal(learn(find_station(bucket), FILLER_PORT), FDB_NEW);
}

/* The bucket that the pushed station stands in. */
static uint32_t
bucket_of_pushed(void)
{
	struct fdb_name name = name_of(pushed);
	struct fdb_found found = fdb_table_find(&fdb->table, &name);

	assert_non_null(found.slot);
	return fdb_table_number(&fdb->table, found.slot) % FDB_BUCKETS;
}

/*
 * The pushed station is the first one in its first bucket, whose other places are taken. Its
 * second bucket has its first place free and the others taken. Each pusher has one of these as
 * its first bucket, and a full second one, so it takes the pushed station's place.
 */
static void
arrange(void)
{
	struct fdb_name name = name_of(pushed = station(1, 0));
	struct fdb_key placeholder = find_station(name.second);

	assert_int_equal(learn(pushed, 1), FDB_NEW);
	fill(name.first, 2);
	assert_int_equal(learn(placeholder, FILLER_PORT), FDB_NEW);
	fill(name.second, 2);
	assert_int_equal(fdb_delete(fdb, &placeholder), 0);
	first_pusher = find_station(name.first);
	fill(name_of(first_pusher).second, 3);
	second_pusher = find_station(name.second);
	fill(name_of(second_pusher).second, 3);
}

static void
expect(bool right)
{
	if (!right)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void
push(struct fdb_key pusher, uint16_t port)
{
	expect(learn(pusher, port) == FDB_NEW);
	expect(fdb_delete(fdb, &pusher) == 0);
}

static void
expect_port(const struct fdb_key *key, uint16_t port, uint16_t or_port)
{
	uint16_t found = fdb_lookup(fdb, key, NOW);

	expect(found == port || found == or_port);
}

static void
test_station_is_pushed(void **state)
{
	struct fdb_name name;

	(void)state;
	arrange();
	name = name_of(pushed);
	assert_int_equal(bucket_of_pushed(), name.first);
	push(first_pusher, 2);
	assert_int_equal(bucket_of_pushed(), name.second);
	push(second_pusher, 3);
	assert_int_equal(bucket_of_pushed(), name.first);
	assert_int_equal(fdb_lookup(fdb, &pushed, NOW), 1);
	assert_int_equal(wrong, 0);
}

static void *
reader(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&running, __ATOMIC_RELAXED)) {
		expect_port(&pushed, 1, 1);
		expect_port(&first_pusher, 2, FDB_NO_PORT);
		expect_port(&pushed, 1, 1);
		expect_port(&second_pusher, 3, FDB_NO_PORT);
	}
	return NULL;
}

static void
test_readers_of_a_pushed_station(void **state)
{
	pthread_t thread;
	uint32_t i;

	(void)state;
	arrange();
	assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	for (i = 0; i < ROUNDS; i++) {
		push(first_pusher, 2);
		push(second_pusher, 3);
	}
	__atomic_store_n(&running, 0, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
}

static void *
look_up_once(void *arg)
{
	uint16_t *port = arg;

	__atomic_store_n(&running, 2, __ATOMIC_RELAXED);
	*port = fdb_lookup(fdb, &pushed, NOW);
	return NULL;
}

/*
 * Holds a change of the pushed station's slot half done, its port wrong, while a reader looks;
 * the reader has a while for a wrong answer, and must give the right one afterwards.
 */
static void
read_amid_a_change(void)
{
	struct fdb_name name = name_of(pushed);
	struct fdb_slot *slot = fdb_table_find(&fdb->table, &name).slot;
	struct fdb_bucket *bucket = &fdb->table.buckets[bucket_of_pushed()];
	uint16_t port = FDB_NO_PORT;
	pthread_t thread;
	int i;

	__atomic_fetch_add(&bucket->seq, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->place, fdb_place(77, 0), __ATOMIC_RELEASE);
	assert_int_equal(pthread_create(&thread, NULL, look_up_once, &port), 0);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED) != 2)
		sched_yield();
	for (i = 0; i < 1000; i++)
		sched_yield();
	__atomic_store_n(&slot->place, fdb_place(1, 0), __ATOMIC_RELEASE);
	__atomic_fetch_add(&bucket->seq, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(port, 1);
}

static void
test_reader_waits_for_the_end_of_a_change(void **state)
{
	(void)state;
	arrange();
	read_amid_a_change();
	push(first_pusher, 2);
	running = 1;
	read_amid_a_change();
}

static void
test_two_buckets_are_two(void **state)
{
	struct fdb_name name;
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		name = name_of(station(2, i));
		assert_int_not_equal(name.first, name.second);
	}
}

/* Each bit of an address and of the seed changes half of what says where the station stands. */
static void
test_hash_depends_on_every_bit(void **state)
{
	struct fdb_table other = { 0 };
	uint32_t bit, i, differ;

	(void)state;
	for (bit = 0; bit < 48; bit++) {
		for (i = 0, differ = 0; i < 1000; i++) {
			struct fdb_key key = station(3, i * 7919), flipped = key;

			flipped.mac[bit / 8] ^= 1 << bit % 8;
			differ += __builtin_popcount(name_of(key).first ^ name_of(flipped).first);
			differ += __builtin_popcount(name_of(key).second ^ name_of(flipped).second);
		}
		assert_uint_in_range(differ, 14000, 16000);
	}
	for (bit = 0; bit < 64; bit++) {
		assert_int_equal(fdb_table_init(&other, 1 ^ 1ull << bit), 0);
		for (i = 0, differ = 0; i < 1000; i++) {
			struct fdb_key key = station(3, i * 7919);

			differ += __builtin_popcount(name_of(key).first ^
					fdb_table_name_key(&other, &key).first);
		}
		assert_uint_in_range(differ, 7000, 8000);
		fdb_table_fini(&other);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_station_is_pushed),
		TEST(test_readers_of_a_pushed_station),
		TEST(test_reader_waits_for_the_end_of_a_change),
		TEST(test_two_buckets_are_two),
		TEST(test_hash_depends_on_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
