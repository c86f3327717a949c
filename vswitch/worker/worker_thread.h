/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker's thread and the control thread share; private to worker*.c and watchdog*.c.
 */
#ifndef VSWITCH_WORKER_THREAD_H
#define VSWITCH_WORKER_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_rcu_qsbr.h>

#include "burst_private.h"
#include "deliver.h"
#include "datapath/endpoint.h"
#include "fair_share.h"
#include "switching/fdb.h"
#include "switching/forward.h"

/* Sources of one worker; immutable, replaced as a whole. */
struct source_list {
	uint32_t n;
	uint32_t size; /* all ids are below */
	struct source *by_id[];
};

/* The source with this id, if the worker has it. */
static inline struct source *
source_list_get(const struct source_list *list, uint32_t id)
{
	return id < list->size ? __atomic_load_n(&list->by_id[id], __ATOMIC_RELAXED) : NULL;
}

struct worker {
	/* Set before the thread starts. */
	uint32_t index;
	int cpu; /* -1: not pinned */
	bool poll_always;
	pthread_t thread;
	int epoll_fd; /* kick descriptors, data.u32 = id of a source; and wake_fd, WAKE_EVENT */
	int wake_fd;
	struct rte_rcu_qsbr *rcu; /* thread id = index */
	struct fdb *fdb;
	const struct forward_table *const *table; /* where the published table stands */
	uint64_t cycles_per_us;

	/* Writer: control. */
	const struct source_list *sources; /* never NULL */
	bool refresh;			   /* look at all sources again; cleared by the worker */
	bool stop;

	/* Writer: the worker. */
	uint64_t turn;	      /* counts turns; does not move while a turn or a sleep lasts */
	uint64_t busy_cycles; /* in turns that moved frames */
	bool sleeping;
	pid_t tid; /* 0 until the thread runs */

	/* The worker's own. */
	const struct source_list *seen; /* `sources` at the last refresh */
	bool has_timed;
	uint32_t n_active;
	struct source *active[SOURCES_MAX];
	uint64_t last_moved; /* TSC: the last turn that moved frames */
	bool glancing;	/* woken by the timer, and no frame seen since: the watchdog sleeps on */
	bool has_muted; /* of some sources kicks are not listened to */
	uint64_t unmute_at;    /* TSC: the first of those is listened to again */
	uint64_t next_collect; /* TSC: when to look at the kicks although there is work */
	uint64_t next_timed;   /* TSC: when to look at the sources without a kick descriptor */
	struct fair_share fair;
	struct burst_private *private_copy;
	struct verdict verdicts[BURST_MAX];
	struct burst burst;
	struct delivery delivery;
};

#define WAKE_EVENT UINT32_MAX

/* The thread's function; takes a struct worker. */
void *worker_run(void *arg);

#endif
