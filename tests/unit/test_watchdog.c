/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watchdog.c with its real thread and clock; this program's thread plays a worker, which stands at a
 * port or moves on. The log goes to a file that is read here.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath/account.h"
#include "base/log.h"
#include "base/thread.h"
#include "worker/watchdog.h"
#include "worker/worker_thread.h"

#define PORT 5
#define LIMIT_MS 20000

static struct worker *worker;
static struct watched task = { .thread = "the test's thread" };
static int log_file;

static void
sleep_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static void
stand_at(uint16_t port)
{
	__atomic_store_n(&worker->delivery.at_port, port, __ATOMIC_RELAXED);
}

static void
move_on(void)
{
	__atomic_store_n(&worker->turn, worker->turn + 1, __ATOMIC_RELAXED);
}

static void
set_asleep(bool asleep)
{
	__atomic_store_n(&worker->sleeping, asleep, __ATOMIC_RELAXED);
	if (!asleep)
		watchdog_awake();
}

static bool
log_has(const char *words)
{
	char text[65536];
	ssize_t len = pread(log_file, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return strstr(text, words) != NULL;
}

static bool
comes_to_say(const char *words)
{
	for (int ms = 0; ms < LIMIT_MS && !log_has(words); ms++)
		sleep_ms(1);
	return log_has(words);
}

static int
start(void **state)
{
	(void)state;
	log_file = memfd_create("log", MFD_CLOEXEC);
	assert_true(dup2(log_file, STDERR_FILENO) >= 0);
	account_init(1000000000);
	account_reset(PORT, "p5");
	account_reset(PORT + 2, "p7");
	worker = aligned_alloc(64, (sizeof(*worker) + 63) & ~63ul);
	memset(worker, 0, sizeof(*worker));
	worker->thread = pthread_self();
	worker->tid = gettid();
	worker->sleeping = true;
	stand_at(DELIVERY_NOWHERE);
	assert_int_equal(thread_init(), 0);
	watchdog_watch_worker(worker);
	watchdog_watch(&task);
	return watchdog_start();
}

static int
end(void **state)
{
	(void)state;
	watchdog_stop();
	free(worker);
	return 0;
}

/* A worker that stands still is interrupted: a system call ends with EINTR. */
static void
test_interrupts_who_stands_still(void **state)
{
	const struct timespec limit = { .tv_sec = LIMIT_MS / 1000 };

	(void)state;
	stand_at(PORT);
	set_asleep(false);
	assert_int_equal(nanosleep(&limit, NULL), -1);
	assert_int_equal(errno, EINTR);
	set_asleep(true);
}

/* One that moves on, from turn to turn or from port to port, is left alone. */
static void
test_lets_alone_who_moves(void **state)
{
	int interrupted = 0;

	(void)state;
	account_take_fault(PORT);
	set_asleep(false);
	for (int i = 0; i < 1500; i++) {
		const struct timespec ms = { .tv_nsec = 1000000 };

		if (i % 2 == 0)
			move_on();
		else
			stand_at(i / 2 % 2 == 0 ? PORT : PORT + 1);
		interrupted += nanosleep(&ms, NULL) < 0;
	}
	set_asleep(true);
	/* a busy machine may keep this thread from moving for two looks of the watchdog now and then */
	assert_uint_in_range(interrupted, 0, 300);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_SOUND);
	assert_false(log_has("port p5"));
}

/* For as long as the watchdog may take; without taking the fault, which it writes. */
static void
wait_for_fault(uint16_t port)
{
	for (int ms = 0; ms < LIMIT_MS; ms += 10) {
		if (__atomic_load_n(&accounts[port].fault, __ATOMIC_ACQUIRE) != ACCOUNT_SOUND)
			return;
		sleep_ms(10);
	}
}

static void
test_names_the_port(void **state)
{
	(void)state;
	stand_at(PORT);
	set_asleep(false);
	wait_for_fault(PORT);
	set_asleep(true);
	assert_int_equal(account_take_fault(PORT), ACCOUNT_FAULT_HELD);
	assert_true(comes_to_say(" s at port p5 (a system call does not end)"));
}

static void *
log_a_line(void *unused)
{
	log_info("a line that lasts");
	return unused;
}

/* A pipe that nothing can be written to, in the place of the log's file; its other end. */
static int
block_log(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], "", 1) == 1)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	return ends[0];
}

/* A thread that stands inside the log with its lock held does not keep the watchdog from its work. */
static void
test_is_not_held_up_by_the_log(void **state)
{
	const struct timespec limit = { .tv_sec = LIMIT_MS / 1000 };
	char some[4096];
	pthread_t writer;
	int end, ret;
	bool said;

	(void)state;
	end = block_log();
	assert_int_equal(pthread_create(&writer, NULL, log_a_line, NULL), 0);
	stand_at(PORT + 2);
	set_asleep(false);
	/* by then the watchdog has something to say, and has had to wait where it waits */
	wait_for_fault(PORT + 2);
	sleep_ms(100);
	ret = nanosleep(&limit, NULL);
	set_asleep(true);
	said = log_has("port p7");
	dup2(log_file, STDERR_FILENO);
	while (read(end, some, sizeof(some)) > 0)
		;
	pthread_join(writer, NULL);
	close(end);
	assert_int_equal(ret, -1);
	assert_false(said);
	assert_true(comes_to_say(" s at port p7 ("));
}

/* Also while all workers sleep. */
static void
test_names_what_a_thread_is_at(void **state)
{
	(void)state;
	watched_begin(&task, "waiting for port", "p9");
	assert_true(comes_to_say(" s: waiting for port p9"));
	watched_end(&task);
	assert_true(log_has("the test's thread is held up for "));
}

static void
test_an_end_is_of_its_beginning(void **state)
{
	uint64_t first, second;

	(void)state;
	watched_begin(&task, "a", "");
	first = task.since;
	sleep_ms(1);
	watched_begin(&task, "b", "");
	second = task.since;
	watched_end_of(&task, first);
	assert_int_equal(task.since, second);
	watched_end_of(&task, second);
	assert_int_equal(task.since, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupts_who_stands_still),
		cmocka_unit_test(test_lets_alone_who_moves),
		cmocka_unit_test(test_names_the_port),
		cmocka_unit_test(test_is_not_held_up_by_the_log),
		cmocka_unit_test(test_names_what_a_thread_is_at),
		cmocka_unit_test(test_an_end_is_of_its_beginning),
	};

	return cmocka_run_group_tests(tests, start, end);
}
