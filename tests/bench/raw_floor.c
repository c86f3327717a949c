/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long this machine takes to wake a thread by an eventfd, with nothing else to do: no backend
 * that sleeps on its kicks can be faster. Two threads, on a CPU each, as `wake` has them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "raw_bench.h"
#include "raw_clock.h"

#define LOST_AFTER 1.0
#define STOP UINT32_MAX

struct sleeper {
	uint32_t cpu;
	int fd;
	uint32_t woken; /* times; written by the sleeper, read by the waker */
};

/* Ends when what it reads has STOP in it; not NULL: after a message, for it cannot be on its CPU. */
static void *
sleep_and_count(void *arg)
{
	struct sleeper *sleeper = arg;
	uint64_t value = 0;

	if (raw_pin(sleeper->cpu) < 0)
		return arg;
	while (read(sleeper->fd, &value, sizeof(value)) == sizeof(value) && value < STOP)
		__atomic_store_n(&sleeper->woken, sleeper->woken + 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Seconds until the sleeper is awake; negative: it does not wake. */
static double
wake(struct sleeper *sleeper, uint32_t before)
{
	double start = raw_now(), now = start;

	eventfd_write(sleeper->fd, 1);
	while (now - start < LOST_AFTER) {
		bool awake = __atomic_load_n(&sleeper->woken, __ATOMIC_ACQUIRE) != before;

		now = raw_now();
		if (awake)
			return now - start;
	}
	return -1;
}

/* Takes `count` times, or fewer: it ends with the first wake that is lost. Returns how many. */
static uint32_t
measure(struct sleeper *sleeper, uint32_t count, double pause, double *times)
{
	uint32_t n;

	for (n = 0; n < count; n++) {
		raw_sleep(pause);
		times[n] = wake(sleeper, __atomic_load_n(&sleeper->woken, __ATOMIC_ACQUIRE));
		if (times[n] < 0)
			break;
	}
	return n;
}

/* With a thread that sleeps. 0, or -1 after a message. */
static int
measure_thread(struct sleeper *sleeper, uint32_t count, double pause, double *times)
{
	pthread_t thread;
	void *failed;
	uint32_t n;
	int ret = pthread_create(&thread, NULL, sleep_and_count, sleeper);

	if (ret != 0) {
		fprintf(stderr, "raw-bench: cannot start the thread that sleeps: %s\n",
				strerror(ret));
		return -1;
	}
	n = measure(sleeper, count, pause, times);
	eventfd_write(sleeper->fd, STOP);
	pthread_join(thread, &failed);
	if (failed != NULL)
		return -1;
	if (n < count) {
		fprintf(stderr, "raw-bench: the thread on CPU %u did not wake within %.0f s; give --cpus that are free\n",
				sleeper->cpu, LOST_AFTER);
		return -1;
	}
	raw_print_times(times, n, count);
	return 0;
}

int
raw_floor(const char *cpus, uint32_t count, double pause)
{
	struct sleeper sleeper = { .woken = 0 };
	double *times;
	uint32_t cpu;
	int ret;

	if (raw_two_cpus(cpus, &sleeper.cpu, &cpu) < 0 || raw_pin(cpu) < 0)
		return -1;
	sleeper.fd = eventfd(0, EFD_CLOEXEC);
	if (sleeper.fd < 0) {
		fprintf(stderr, "raw-bench: cannot make an eventfd: %s\n", strerror(errno));
		return -1;
	}
	times = raw_make_times(count);
	ret = times == NULL ? -1 : measure_thread(&sleeper, count, pause, times);
	free(times);
	close(sleeper.fd);
	return ret;
}
