/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop that every role runs in: receive, let time pass, and sleep while there is nothing to do.
 *
 * A role that only waits costs no CPU: the loop arms the rings' interrupts, checks the rings once more, and
 * sleeps. The loop ends when the role is done, after --time, on a signal, or when a backend or the kernel's
 * interface is gone. Main thread.
 */
#ifndef CLIENT_LOOP_H
#define CLIENT_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "backend/client.h"
#include "process/report.h"
#include "process/status.h"

/* What tick returns instead of the time of its next call. */
#define LOOP_AGAIN UINT64_C(0)	   /* at once */
#define LOOP_YIELD UINT64_C(1)	   /* after others had the CPU */
#define LOOP_NEVER UINT64_MAX	   /* when frames come */
#define LOOP_DONE (UINT64_MAX - 1) /* the run is over */

struct loop_role {
	/* Frames came, and the role owns them. now: clock_now() just after. */
	void (*frames)(void *self, struct device *d, struct rte_mbuf **frames, unsigned int count,
			uint64_t now);
	/* Called every turn. Returns when it wants the next turn, or a LOOP_ value. */
	uint64_t (*tick)(void *self, uint64_t now);
	/* Writes one line for the terminal, once a second. NULL: there is no progress line. */
	void (*progress)(void *self, char *line, size_t size);
};

enum loop_end {
	LOOP_END_DONE,
	LOOP_END_TIME,
	LOOP_END_SIGNAL,
	LOOP_END_BACKEND_GONE,
};

/* Runs a role, and reports how the run ended. */
enum loop_end
loop_run(struct client *c, const struct loop_role *role, void *self, struct report *report);

/* The exit status of a run with this end, and with a good result or not. */
enum status loop_status(enum loop_end end, bool good);

#endif
