/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where frames enter the switch (a source) and leave it (a sink): the interface through which the
 * workers meet every kind of port. Each is one queue: a vhost-user port has a source over its
 * transmitq and a sink over its receiveq; a TAP or a NIC has a source and a sink for each of its queues.
 * All frames of a flow go to the same sink of a port (switching/flow_hash.h), so that they stay in order.
 *
 * Threads: a source belongs to one worker at a time, given by the control thread; the sources of a port
 * may belong to different workers. A sink is used by any worker, under its lock.
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
	 * Fills the burst with views of at most BURST_MAX frames; sets all its members but `store`
	 * and, where offload_mask or n say that they mean nothing, entries. Returns how many buffers it
	 * took, bad ones included (counted as drops already), which complete() must give back before
	 * the next take(). 0: nothing there, or `stopped` says that it must wait; complete() is not
	 * called.
	 */
	uint32_t (*take)(struct source *source, struct burst *burst);
	void (*complete)(struct source *source);
	/*
	 * Before a sleep: asks to be woken when frames come. False when some have come meanwhile, so
	 * that the worker must not sleep. True too where nothing can come (a ring that is stopped).
	 */
	bool (*arm)(struct source *source);
	/* After a wake-up or a refused sleep: the worker polls, no wake-ups are needed. */
	void (*disarm)(struct source *source);
};

struct source {
	const struct source_ops *ops;
	uint16_t port;
	uint16_t queue; /* constant; its number in the port */
	uint16_t id;	/* writer: control; its own among all sources while it is attached */
	struct counters counters; /* writer: the worker */
	int32_t worker;		  /* writer: control; index of the worker, -1 while detached */
	bool timed;		  /* writer: control; nothing wakes for it: poll it on a timer */
	bool strange;		  /* constant; frames lie in a stranger's memory: see account.h */
	int kick_fd;		  /* writer: control, atomically; what wakes for it, -1: nothing */
	/* The worker's own, from here on. Times are TSC cycles. */
	bool active;  /* in the poll list */
	bool stopped; /* by take(): what is there must wait, and nothing tells when that is over */
	bool muted;   /* kicks that brought nothing are not listened to: see worker_kicks.c */
	uint32_t frames_max;  /* to be taken in a turn; BURST_MAX at first: see short_turns.h */
	uint32_t idle_kicks;  /* in a row, without a frame */
	uint64_t quiet_since; /* no frame came since then */
	uint64_t served;      /* cycles of turns that count for fair shares: see fair_share.h */
	uint64_t muted_until;
	uint64_t short_until; /* when turns may become longer again */
	uint64_t flood_level; /* frames to everybody lately, less what is allowed: see deliver.c */
	uint64_t flood_seen;  /* when that was counted */
	/* Read by any thread; cycles since the port was added. */
	uint64_t taking; /* frames taken and given back */
	uint64_t turns;	 /* its whole turns, but what its receivers were slow: fair shares */
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

/* A frame that was taken and ends here, at its sender. The worker. */
static inline void
source_count_bad(struct source *source, enum drop_reason reason)
{
	counter_add(&source->counters.frames, 1);
	counter_add(&source->counters.copies_due, 1);
	counter_add(&source->counters.drops[reason], 1);
}

struct sink_ops {
	/*
	 * Copies the frames burst->frames[list[0 .. n - 1]] to the receiver and counts every one as
	 * delivered or dropped. None needs more than the sink's `takes` says. Each is from ETHERNET_HEADER_LEN to FRAME_LEN_MAX bytes
	 * long, which is also the sum of its segments: forward_burst() and deliver_burst() see to
	 * that, and the sink relies on it. Under the sink's lock. Returns what call() needs to tell the receiver
	 * that frames have come, NULL when there is nothing to tell; good for the worker's turn.
	 */
	const void *(*place)(struct sink *sink, const struct burst *burst, const uint8_t *list,
			uint32_t n);
	/*
	 * How many buffers a flood may take now and still leave half of what the receiver usually has
	 * for frames that are meant for it. NULL: it has no buffers of its own. Under the lock.
	 */
	uint32_t (*spare)(struct sink *sink);
	/* Calls the receiver, if it wants to be called. After the lock was given back. */
	void (*call)(const void *placed);
};

struct sink {
	const struct sink_ops *ops;
	uint16_t port;
	uint16_t queue; /* constant; its number in the port */
	struct spinlock lock;
	uint8_t takes; /* FRAME_NEEDS_ bits that the receiver sees to; changed under the lock */
	bool strange;  /* constant; a stranger's memory: see account.h */
	uint32_t followed; /* descriptors that were read in this turn; who holds the lock sets it to 0 */
	/* The last frames for it that were no flood; writer: who holds the lock. */
	uint64_t meant_at;	  /* TSC */
	uint16_t meant_by;	  /* the sender's port */
	struct counters counters; /* writer: who holds the lock */
};

#endif
