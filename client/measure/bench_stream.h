/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One direction of a bench: frames sent on one port, counted on the other.
 *
 * role_bench.c drives one or two of them, trial after trial. A frame that the ring does not take
 * is kept and offered again: a full ring is no loss, but it makes an open loop late. Main thread.
 */
#ifndef CLIENT_BENCH_STREAM_H
#define CLIENT_BENCH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/client.h"
#include "histogram.h"
#include "pacer.h"

/* What a trial came to. */
struct bench_counts {
	uint64_t sent; /* that the ring took; at the end, that the backend took */
	uint64_t received, received_bytes;
	uint64_t reordered; /* came after a later one; a second copy is taken for one */
	uint64_t offers;    /* bursts handed to the ring */
	uint64_t refusals;  /* of these, not wholly taken: the backend was behind */
};

struct bench_stream {
	const struct settings *settings;
	struct rte_mempool *pool;
	struct device *from, *to;
	uint32_t run;
	bool introduced; /* a frame came through */
	uint32_t trial;	 /* 0: none yet */
	struct pacer pacer;
	struct bench_counts counts;
	uint64_t made;		 /* frames built in this trial */
	uint64_t next;		 /* sequence number that is expected */
	uint64_t last;		 /* when a frame of the trial came, clock_now; 0: never */
	double cycle_ns;	 /* of the TSC */
	struct histogram *times; /* of one-way latency, nanoseconds; NULL: not wanted */
	struct rte_mbuf *burst[DEVICE_BURST]; /* built; not yet taken by the ring: from taken on */
	unsigned int burst_count, taken;
};

/* Offers one frame that makes the sender known. */
void bench_stream_introduce(struct bench_stream *st);

/* Begins a trial with rate frames a second (0: as many as go). */
void bench_stream_start(struct bench_stream *st, double rate, uint64_t now);

/* Sends what is due, a burst at most; whether that was anything. */
bool bench_stream_send(struct bench_stream *st, uint64_t now);

/* Ends the sending of a trial: what the ring did not take was not sent. */
void bench_stream_stop(struct bench_stream *st);

/* Counts frames that came on the port to; tsc, now: when. They stay the caller's. */
void bench_stream_take(struct bench_stream *st, struct rte_mbuf **frames, unsigned int count,
		uint64_t tsc, uint64_t now);

/* Frames of this trial that have not come so far. */
uint64_t bench_stream_missing(const struct bench_stream *st);

#endif
