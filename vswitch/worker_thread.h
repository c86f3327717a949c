/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a worker's thread and the control thread share; private to worker*.c and watchdog.c.
 */
#ifndef VSWITCH_WORKER_THREAD_H
#define VSWITCH_WORKER_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

#include "deliver.h"
#include "endpoint.h"
#include "fdb.h"
#include "forward.h"

/* Sources of one worker, by port; immutable, replaced as a whole. */
struct source_list {
	uint32_t n;
	struct source *by_port[PORTS_MAX];
};

struct worker {
	/* Set before the thread starts. */
	uint32_t index;
	int cpu; /* -1: not pinned */
	bool poll_always;
	pthread_t thread;
	int epoll_fd; /* kick descriptors, data.u32 = port; and wake_fd, WAKE_EVENT */
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
	uint16_t at_port; /* whose ring it is at, for the watchdog; FDB_NO_PORT: between ports */
	bool sleeping;

	/* The worker's own. */
	const struct source_list *seen; /* `sources` at the last refresh */
	bool has_timed;
	uint32_t n_active;
	struct source *active[PORTS_MAX];
	uint64_t last_moved; /* TSC: the last turn that moved frames */
	bool glancing; /* woken by the timer, and no frame seen since: the watchdog sleeps on */
	uint64_t next_collect; /* TSC: when to look at the kicks although there is work */
	long context_switches; /* at the last slow turn */
	struct verdict verdicts[BURST_MAX];
	struct burst burst;
	struct delivery delivery;
};

#define WAKE_EVENT UINT32_MAX

/* Interrupts a system call that a worker is held up in. Its handler does nothing. */
#define WORKER_SIGNAL SIGUSR1

/* The thread's function; takes a struct worker. */
void *worker_run(void *arg);

struct event_base;

/*
 * The watchdog's part (watchdog.c): looks after the workers from the control thread. `port_name` as
 * in struct worker_config. 0 or -errno.
 */
int watchdog_start(struct event_base *base, struct worker *const *workers, uint32_t n,
		const char *(*port_name)(uint16_t id));
void watchdog_stop(void);
/* A worker leaves its sleep. Any worker. */
void watchdog_awake(void);

#endif
