/* SPDX-License-Identifier: BSD-3-Clause */
/* What the measurements of raw-bench share. */
#ifndef TESTS_BENCH_RAW_BENCH_H
#define TESTS_BENCH_RAW_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "raw_port.h"

#define RAW_PORTS_MAX 16
#define LENGTHS_MAX 12

struct bench {
	double seconds;
	double warm;	    /* seconds of the same traffic before it is counted */
	double rate;	    /* frames a second; 0: as many as go */
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
	struct raw_port ports[RAW_PORTS_MAX];
	uint32_t count;	  /* wake: frames */
	double pause;	  /* wake: seconds before each */
	double opened_at; /* first: raw_now() before the ports were opened */
};

/* Each measures and prints one line of JSON. 0, or -1 after a message on stderr. */
int raw_run(struct bench *bench);
int raw_wake(struct bench *bench);
int raw_first(struct bench *bench);
int raw_probe(const char *cpus, double seconds);
int raw_floor(const char *cpus, uint32_t count, double pause);

/*
 * Sends `count` questions of `size` bytes by "udp" or "tcp" from the first of two network namespaces
 * to `address`, which is in the second, and there answers them. 0, or -1 after a message.
 */
int raw_trip(const char *protocol, uint32_t size, uint32_t count, const char *const *netns,
		const char *address);

/* Room for `count` times, to be freed. NULL after a message. */
double *raw_make_times(uint32_t count);

/* Sorts and prints `n` times in seconds, of `count` that there should be. */
void raw_print_times(double *times, uint32_t n, uint32_t count);

/*
 * Reads two decimal numbers up to INT32_MAX with `separator` between them and nothing else. False
 * without a message.
 */
bool raw_two_numbers(const char *text, char separator, uint32_t *a, uint32_t *b);

/* Reads --cpus. 0, or -1 after a message. */
int raw_two_cpus(const char *text, uint32_t *a, uint32_t *b);

/* Runs this thread on one CPU. 0, or -1 after a message. */
int raw_pin(uint32_t cpu);

/* Writes the addresses of a frame from station `from` of port `source` to station `to` of `target`. */
void
raw_put_addresses(uint8_t *frame, uint32_t target, uint32_t to, uint32_t source, uint32_t from);

/*
 * Every station sends a frame, so that the backend knows where they are. 0, or -1 after a message
 * when the backend does not take frames.
 */
int raw_introduce(struct bench *bench);

#endif
