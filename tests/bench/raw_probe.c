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
raw_pin(int cpu)
{
	cpu_set_t set;
	int ret;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	ret = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (ret == 0)
		return 0;
	fprintf(stderr, "raw-bench: CPU %d: %s\n", cpu, strerror(ret));
	return -1;
}

/* Answers each odd number with the next even one. */
static void *
answer(void *cpu)
{
	uint64_t value = 0;

	if (raw_pin(*(int *)cpu) < 0)
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
	int a, b;
	double start;

	if (sscanf(cpus, "%d,%d", &a, &b) != 2) {
		fprintf(stderr, "raw-bench: --cpus %s: give two numbers, as 0,1\n", cpus);
		return -1;
	}
	if (raw_pin(a) < 0 || pthread_create(&thread, NULL, answer, &b) != 0)
		return -1;
	start = raw_now();
	cycles = raw_cycles();
	rounds = play(seconds);
	cycles = raw_cycles() - cycles;
	start = raw_now() - start;
	__atomic_store_n(stop, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &failed);
	if (failed != NULL || rounds == 0)
		return -1;
	printf("{\"round_trip_cycles\": %.1f, \"tsc_hz\": %.0f}\n", (double)cycles / (double)rounds,
			(double)cycles / start);
	return 0;
}
