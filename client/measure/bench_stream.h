/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of a bench: sends frames on one port and counts them on the other.
 *
 * role_bench.c drives one or two of them, trial after trial. A frame that the ring does not take is kept and
 * offered again: a full ring loses nothing, but it makes the sender late. Main thread.
 */
#ifndef CLIENT_BENCH_STREAM_H
#define CLIENT_BENCH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/client.h"
#include "histogram.h"
#include "pacer.h"

/* The counts of a trial. */
struct bench_counts {
	uint64_t sent; /* frames that the ring took; at the end, that the backend took */
	uint64_t received, received_bytes;
	uint64_t reordered; /* frames that came after a later one; a second copy counts, too */
	uint64_t offers;    /* bursts handed to the ring */
	uint64_t refusals;  /* of these, not wholly taken, because the backend was behind */
};

struct bench_stream {
	const struct settings *settings;
	struct rte_mempool *pool;
	struct device *from, *to;
	uint32_t run;
	bool introduced; /* a frame has come through */
	uint32_t trial;	 /* from 1; 0: none yet */
	struct pacer pacer;
	struct bench_counts counts;
	uint64_t made;		 /* frames built in this trial */
	uint64_t next;		 /* the expected sequence number */
	uint64_t last;		 /* when the last frame of the trial came, clock_now(); 0: never */
	double cycle_ns;	 /* nanoseconds of a TSC cycle */
	struct histogram *times; /* one-way latency, nanoseconds; NULL: not wanted */
	struct rte_mbuf *burst[DEVICE_BURST]; /* built; the ring has taken those before `taken` */
	unsigned int burst_count, taken;
};

/* Sends one frame, so that the switch learns the sender. */
void bench_stream_introduce(struct bench_stream *st);

/* Begins a trial with rate frames a second (0: as many as possible). */
void bench_stream_start(struct bench_stream *st, double rate, uint64_t now);

/* Sends the frames that are due, a burst at most. True when the ring took any. */
bool bench_stream_send(struct bench_stream *st, uint64_t now);

/* Ends the sending of a trial. Frames that the ring did not take count as not sent. */
void bench_stream_stop(struct bench_stream *st);

/* Counts frames that came on the port `to`, at the time tsc and now. They stay the caller's. */
void bench_stream_take(struct bench_stream *st, struct rte_mbuf **frames, unsigned int count,
		uint64_t tsc, uint64_t now);

/* How many frames of this trial have not come yet. */
uint64_t bench_stream_missing(const struct bench_stream *st);

#endif
