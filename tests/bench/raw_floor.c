/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long this machine takes to wake a thread by an eventfd, with nothing else to do: no backend
 * that sleeps on its kicks can be faster. Two threads, on a CPU each, as `wake` has them.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "raw_bench.h"
#include "raw_clock.h"

#define LOST_AFTER 1.0
#define STOP UINT32_MAX

struct sleeper {
	int cpu;
	int fd;
	uint32_t woken; /* times; written by the sleeper, read by the waker */
};

/* Ends when what it reads has STOP in it. */
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

static int
measure(struct sleeper *sleeper, uint32_t count, double pause)
{
	double *times = calloc(count, sizeof(*times));
	uint32_t n = 0;

	if (times == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		double seconds;

		raw_sleep(pause);
		seconds = wake(sleeper, __atomic_load_n(&sleeper->woken, __ATOMIC_ACQUIRE));
		if (seconds >= 0)
			times[n++] = seconds;
	}
	raw_print_times(times, n, count);
	free(times);
	return 0;
}

int
raw_floor(const char *cpus, uint32_t count, double pause)
{
	struct sleeper sleeper = { .fd = eventfd(0, EFD_CLOEXEC) };
	pthread_t thread;
	int cpu, ret;

	if (sscanf(cpus, "%d,%d", &sleeper.cpu, &cpu) != 2) {
		fprintf(stderr, "raw-bench: --cpus %s: give two numbers, as 0,1\n", cpus);
		return -1;
	}
	if (sleeper.fd < 0 || raw_pin(cpu) < 0 ||
			pthread_create(&thread, NULL, sleep_and_count, &sleeper) != 0)
		return -1;
	ret = measure(&sleeper, count, pause);
	eventfd_write(sleeper.fd, STOP);
	pthread_join(thread, NULL);
	close(sleeper.fd);
	return ret;
}
