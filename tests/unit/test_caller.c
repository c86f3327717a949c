/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * caller.c and vring_calls: calls that a thread makes instead of the workers. Real eventfds; the only
 * thing told and not measured is that a call was slow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath/account.h"
#include "rings/caller.h"
#include "base/thread.h"
#include "base/tsc.h"
#include "rings/vring.h"

#define WAIT_MS 10000

static struct vring_calls calls;
static struct vring_health health;
static struct vring_avail avail; /* no flags: calls are wanted */
static struct split_vring vring;

static int
start(void **state)
{
	(void)state;
	account_init(1000000000);
	assert_int_equal(thread_init(), 0);
	return caller_start();
}

static int
end(void **state)
{
	(void)state;
	caller_stop();
	return 0;
}

static void
prepare(int flags)
{
	calls = (struct vring_calls){ .port = 3 };
	health = (struct vring_health){ 0 };
	vring = (struct split_vring){
		.avail = &avail,
		.call_fd = eventfd(0, flags),
		.health = &health,
		.calls = &calls,
		.index = 1,
	};
	assert_true(vring.call_fd >= 0);
}

static void
sleep_ms(long ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* What the eventfd has counted; 0 when nothing comes within the limit. */
static uint64_t
counted(int limit_ms)
{
	uint64_t count = 0;

	for (int ms = 0; ms < limit_ms; ms++) {
		if (read(vring.call_fd, &count, sizeof(count)) == sizeof(count))
			return count;
		sleep_ms(1);
	}
	return 0;
}

static struct caller_ring *
open_ring(void)
{
	struct caller_ring *ring = caller_open(vring.call_fd, &calls, &health, vring.index);

	assert_non_null(ring);
	vring_calls_put_aside(&calls, ring);
	return ring;
}

static void
close_ring(void)
{
	caller_close(calls.aside);
	vring_calls_put_aside(&calls, NULL);
	close(vring.call_fd);
}

static void
test_calls_are_direct_at_first(void **state)
{
	(void)state;
	prepare(EFD_NONBLOCK);
	vring_call(&vring);
	vring_call(&vring);
	assert_int_equal(counted(1), 2);
	assert_true(accounts[3].calling > 0);
	assert_false(vring_calls_wants_caller(&calls));
	close(vring.call_fd);
}

static void
test_a_call_that_is_owed_is_made_when_a_caller_comes(void **state)
{
	(void)state;
	prepare(EFD_NONBLOCK);
	calls.slow = true;
	assert_true(vring_calls_wants_caller(&calls));
	vring_call(&vring);
	assert_int_equal(counted(1), 0);
	open_ring();
	assert_int_equal(counted(WAIT_MS), 1);
	vring_call(&vring);
	assert_int_equal(counted(WAIT_MS), 1);
	close_ring();
}

static void
test_many_calls_wait_as_one(void **state)
{
	(void)state;
	prepare(EFD_NONBLOCK);
	calls.slow = true;
	__atomic_store_n(&calls.not_before, tsc_read() + (uint64_t)3600 * 5000000000u,
			__ATOMIC_RELAXED);
	open_ring();
	for (int i = 0; i < 1000; i++)
		vring_call(&vring);
	assert_int_equal(counted(50), 0); /* it rests */
	__atomic_store_n(&calls.not_before, 0, __ATOMIC_RELAXED);
	assert_int_equal(counted(WAIT_MS), 1);
	assert_int_equal(counted(30), 0);
	close_ring();
}

/* The watchdog's signal ends the write, and the ring is broken. */
static void
test_a_descriptor_that_blocks_breaks_the_ring(void **state)
{
	const uint64_t full = UINT64_MAX - 1;

	(void)state;
	prepare(0);
	calls.slow = true;
	assert_int_equal(write(vring.call_fd, &full, sizeof(full)), sizeof(full));
	caller_call(open_ring());
	for (int ms = 0; ms < WAIT_MS && vring_health_defect(&health) == VRING_SOUND; ms++) {
		if (__atomic_load_n(&caller_watched()->since, __ATOMIC_ACQUIRE) != 0)
			caller_interrupt(THREAD_INTERRUPT);
		sleep_ms(1);
	}
	assert_int_equal(vring_health_defect(&health), VRING_CALL_BLOCKED);
	assert_int_equal(vring_health_index(&health), 1);
	close_ring();
}

/* A closed ring's call may still be under way: it breaks nothing any more. */
static void
test_a_ring_that_closes_during_a_call(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	uint64_t count;

	(void)state;
	prepare(0);
	calls.slow = true;
	assert_int_equal(write(vring.call_fd, &full, sizeof(full)), sizeof(full));
	caller_call(open_ring());
	while (__atomic_load_n(&caller_watched()->since, __ATOMIC_ACQUIRE) == 0)
		sleep_ms(1);
	caller_close(calls.aside);
	vring_calls_put_aside(&calls, NULL);
	assert_int_equal(read(vring.call_fd, &count, sizeof(count)), sizeof(count));
	while (__atomic_load_n(&caller_watched()->since, __ATOMIC_ACQUIRE) != 0)
		sleep_ms(1);
	assert_int_equal(vring_health_defect(&health), VRING_SOUND);
	close(vring.call_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_direct_at_first),
		cmocka_unit_test(test_a_call_that_is_owed_is_made_when_a_caller_comes),
		cmocka_unit_test(test_many_calls_wait_as_one),
		cmocka_unit_test(test_a_descriptor_that_blocks_breaks_the_ring),
		cmocka_unit_test(test_a_ring_that_closes_during_a_call),
	};

	return cmocka_run_group_tests(tests, start, end);
}
