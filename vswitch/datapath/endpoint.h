/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources, where frames enter the switch, and sinks, where they leave it: the interface between the
 * workers and every kind of port. Each is one queue. A vhost-user port has a source over its transmitq
 * and a sink over its receiveq; a TAP or a NIC has a source and a sink for each of its queues. All frames
 * of a flow go to the same sink of a port (switching/flow_hash.h), so that they stay in order.
 *
 * Threads: a source belongs to one worker at a time, which the control thread chooses; the sources of a
 * port may belong to different workers. A sink is used by any worker, under its lock.
 */
#ifndef VSWITCH_ENDPOINT_H
#define VSWITCH_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "frame.h"
#include "base/spinlock.h"

struct source;
struct sink;

struct source_ops {
	/*
	 * Fills the burst with views of at most BURST_MAX frames. Writes every member except `store`.
	 * Entries from n on, and offloads[i] whose mask bit is clear, stay undefined. Returns how many
	 * buffers it took, including bad ones, which it has counted as drops. complete() must give them
	 * back before the next take(). 0: no frame, or `stopped` is set and frames must wait; complete()
	 * is not called then.
	 */
	uint32_t (*take)(struct source *source, struct burst *burst);
	void (*complete)(struct source *source);
	/*
	 * Before a sleep: asks for a wake-up when frames come. False when frames have come meanwhile: the
	 * worker must not sleep. Also true where no frame can come (a stopped ring).
	 */
	bool (*arm)(struct source *source);
	/* After a wake-up or a refused sleep: no wake-ups are needed, because the worker polls. */
	void (*disarm)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	uint16_t port;
	uint16_t queue; /* constant; the queue's number in the port */
	uint16_t id;	/* writer: control; its own among all sources while it is attached */
	struct counters counters; /* writer: the worker */
	int32_t worker;		  /* writer: control; index of the worker, -1 while detached */
	bool timed;		  /* writer: control; no wake-up exists: poll it on a timer */
	bool strange;		  /* constant; frames lie in a stranger's memory: see account.h */
	int kick_fd; /* writer: control, atomically; readable when frames come; or -1 */
	/* The worker's own, from here on. Times are TSC cycles. */
	bool active;  /* in the poll list */
	bool stopped; /* set by take(): frames must wait, and no wake-up tells when that is over */
	bool muted;   /* kicks are ignored, because they brought no frames: see worker_kicks.c */
	uint32_t frames_max; /* the most to take in a turn; BURST_MAX at first: see short_turns.h */
	uint32_t idle_kicks; /* in a row, without a frame */
	uint64_t quiet_since; /* no frame came since then */
	uint64_t served;      /* cycles of turns that count for fair shares: see fair_share.h */
	uint64_t muted_until;
	uint64_t short_until; /* when turns may become longer again */
	uint64_t flood_level; /* recently flooded frames over the allowance: see deliver.c */
	uint64_t flood_seen;  /* when flood_level was updated */
	/* Read by any thread; cycles since the port was added. */
	uint64_t taking; /* taking frames and giving them back */
	uint64_t turns; /* its whole turns, without the time that slow receivers took: fair_share.h */
};

/* A source that no worker has yet; `source` is all zero. */
static inline void
source_init(struct source *source, const struct source_ops *ops, uint16_t port, uint16_t queue)
{
	source->ops = ops;
	source->port = port;
	source->queue = queue;
	source->worker = -1;
	source->kick_fd = -1;
	source->frames_max = BURST_MAX;
}

/* Counts a frame dropped at its source. The worker. */
static inline void
source_count_bad(struct source *source, enum drop_reason reason)
{
	counter_add(&source->counters.frames, 1);
	counter_add(&source->counters.copies_due, 1);
	counter_add(&source->counters.drops[reason], 1);
}

struct sink_ops {
	/*
	 * Copies the frames burst->frames[list[0 .. n - 1]] to the receiver and counts each one as
	 * delivered or dropped. Under the sink's lock. The caller has already done every offload that is
	 * not in `takes`. Each frame has ETHERNET_HEADER_LEN to FRAME_LEN_MAX bytes, which is also the sum
	 * of its segments: forward_burst() and deliver_burst() ensure it, and the sink relies on it.
	 * Returns the argument of call(), valid for the worker's turn; NULL: no call is needed.
	 */
	const void *(*place)(struct sink *sink, const struct burst *burst, const uint8_t *list,
			uint32_t n);
	/*
	 * How many buffers a flood may take now, so that half of what the receiver usually has is left for
	 * frames that are meant for it. NULL: the receiver has no buffers of its own. Under the lock.
	 */
	uint32_t (*spare)(struct sink *sink);
	/* Tells the receiver that frames have come, if it wants to be called. Without the lock. */
	void (*call)(const void *placed);
};

struct sink {
	const struct sink_ops *ops;
	uint16_t port;
	uint16_t queue; /* constant; the queue's number in the port */
	struct spinlock lock;
	uint8_t takes; /* FRAME_NEEDS_ bits: offloads that the receiver does; changed under the lock */
	bool strange;	   /* constant; a stranger's memory: see account.h */
	uint32_t followed; /* descriptors read in this turn; the holder of the lock resets it */
	/* The last frames for it that were not flooded; writer: the holder of the lock. */
	uint64_t meant_at;	  /* TSC */
	uint16_t meant_by;	  /* the sender's port */
	struct counters counters; /* writer: the holder of the lock */
};

#endif
