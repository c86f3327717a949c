/* SPDX-License-Identifier: BSD-3-Clause */
/* What the measurements of raw-bench share. */
#ifndef TESTS_BENCH_RAW_BENCH_H
#define TESTS_BENCH_RAW_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "raw_port.h"

#define PORTS_MAX 16
#define LENGTHS_MAX 12

struct bench {
	double seconds;
	double warm;	    /* seconds of the same traffic before it is counted */
	double rate;	    /* frames a second over all senders; 0: as many as go */
	uint32_t addresses; /* stations in all, half of them behind senders */
	bool touch;
	bool flood;
	bool both;
	bool introduce;
	const char *backend; /* PID/TID of the backend's thread; NULL: not measured */
	uint32_t lengths[LENGTHS_MAX];
	uint32_t n_lengths;
	uint32_t longest;
	uint32_t n_ports;
	struct raw_port ports[PORTS_MAX];
	uint32_t count; /* wake: frames */
	double pause;	/* wake: seconds before each */
};

/* Each measures and prints one line of JSON. 0, or -1 after a message on stderr. */
int raw_run(struct bench *bench);
int raw_wake(struct bench *bench);
int raw_first(struct bench *bench);
int raw_probe(const char *cpus, double seconds);
int raw_floor(const char *cpus, uint32_t count, double pause);

/* Sorts and prints `n` times in seconds, of `count` that there should be. */
void raw_print_times(double *times, uint32_t n, uint32_t count);

/* Runs this thread on one CPU. 0, or -1 after a message. */
int raw_pin(int cpu);

/* Writes the addresses of a frame from station `from` of port `source` to station `to` of `target`. */
void
raw_put_addresses(uint8_t *frame, uint32_t target, uint32_t to, uint32_t source, uint32_t from);

/*
 * Every station sends a frame, so that the backend knows where they are. 0, or -1 when the backend
 * does not take or deliver frames.
 */
int raw_introduce(struct bench *bench);

#endif
