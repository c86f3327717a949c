/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers: one thread a CPU, which polls sources, forwards, delivers, and sleeps.
 *
 * The functions here are called by the control thread. A worker's loop stands in
 * worker_thread.c.
 */
#ifndef VSWITCH_WORKER_H
#define VSWITCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/switch_limits.h"

struct event_base;
struct fdb;
struct forward_table;
struct source;

struct worker_config {
	uint32_t n;	  /* workers */
	const int *cpus;  /* n CPUs to pin them to, or NULL: not pinned */
	bool poll_always; /* never sleep */
};

struct worker_info {
	int cpu; /* -1: not pinned */
	bool sleeping;
	double busy_percent; /* share of the last second spent in turns that moved frames */
	uint32_t sources;
	uint32_t ports; /* that have one or more of them */
};

/* Starts the threads. 0 or -errno with words. */
int worker_start(struct event_base *base, const struct worker_config *config, struct fdb *fdb,
		char *err, size_t err_size);
void worker_stop(void); /* no source may be attached any more */

uint32_t worker_count(void);
void worker_info(uint32_t index, struct worker_info *info);

/* Publishes a table to all workers and frees the one before after a grace period. */
void worker_publish_table(struct forward_table *table);

/*
 * Gives a source its id, and to the worker that has fewest of its port's, and of those the one that has
 * fewest in all. 0 or -ENOMEM. worker_detach() takes it away; when
 * grace_call() has called back after that, the source may be freed.
 */
int worker_attach(struct source *source);
void worker_detach(struct source *source);

/*
 * The source has a new ring: from now on a write to `kick_fd` wakes its worker, or, with -1, a
 * timer does, every 1 to 20 ms. Polls the source at once. 0 or -errno of epoll_ctl().
 */
int worker_watch(struct source *source, int kick_fd);
/* Polls the source at once, whatever woke it. */
void worker_poll(const struct source *source);
/* Before the descriptor is closed and before the source is detached. */
void worker_unwatch(struct source *source, int kick_fd);

#endif
