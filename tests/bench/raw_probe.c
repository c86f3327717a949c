/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far two CPUs are from each other: two threads write one cache line in turn. Virtual machines
 * move their CPUs about, and small frames cost twice as much when this is far.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "raw_bench.h"
#include "raw_clock.h"

static uint64_t line[16] __attribute__((aligned(128)));

/* Apart from the line, whose writers would overwrite it. */
static uint64_t stop[16] __attribute__((aligned(128)));

int
raw_pin(uint32_t cpu)
{
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ret = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (ret == 0)
		return 0;
	fprintf(stderr, "raw-bench: CPU %u: %s\n", cpu, strerror(ret));
	return -1;
}

/* Answers each odd number with the next even one. */
static void *
answer(void *cpu)
{
	uint64_t value = 0;

	if (raw_pin(*(uint32_t *)cpu) < 0)
		return cpu;
	while (__atomic_load_n(stop, __ATOMIC_RELAXED) == 0) {
		if (__atomic_load_n(line, __ATOMIC_ACQUIRE) == value + 1) {
			value += 2;
			__atomic_store_n(line, value, __ATOMIC_RELEASE);
		}
	}
	return NULL;
}

/* Sends numbers to and fro for a while; returns how many came back. */
static uint64_t
play(double seconds)
{
	double end = raw_now() + seconds;
	uint64_t value = 0;

	while (raw_now() < end) {
		for (uint32_t i = 0; i < 64; i++) {
			__atomic_store_n(line, value + 1, __ATOMIC_RELEASE);
			value += 2;
			for (uint32_t spin = 0; __atomic_load_n(line, __ATOMIC_ACQUIRE) != value;
					spin++)
				if (spin > 1000000 && raw_now() > end)
					return value / 2;
		}
	}
	return value / 2;
}

int
raw_probe(const char *cpus, double seconds)
{
	uint64_t cycles, rounds;
	pthread_t thread;
	void *failed;
	uint32_t a, b;
	double start;
	int ret;

	if (raw_two_cpus(cpus, &a, &b) < 0 || raw_pin(a) < 0)
		return -1;
	ret = pthread_create(&thread, NULL, answer, &b);
	if (ret != 0) {
		fprintf(stderr, "raw-bench: cannot start the probe's thread: %s\n", strerror(ret));
		return -1;
	}
	start = raw_now();
	cycles = raw_cycles();
	rounds = play(seconds);
	cycles = raw_cycles() - cycles;
	start = raw_now() - start;
	__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &failed);
	if (failed != NULL)
		return -1;
	if (rounds == 0) {
		fprintf(stderr, "raw-bench: CPU %u did not answer CPU %u within %g s; give --seconds more\n",
				b, a, seconds);
		return -1;
	}
	printf("{\"round_trip_cycles\": %.1f, \"tsc_hz\": %.0f}\n", (double)cycles / (double)rounds,
			(double)cycles / start);
	return 0;
}
