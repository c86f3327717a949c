/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loop that every role runs in: receive, let time pass, and sleep while there is nothing to do.
 *
 * A role that only waits costs no CPU: before it sleeps the rings' interrupts are armed and the
 * rings looked at once more. The loop ends by the role's own wish, --time, a signal, or when a
 * backend or the kernel's interface is gone. Main thread.
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
#define LOOP_YIELD UINT64_C(1)	   /* when others had the CPU */
#define LOOP_NEVER UINT64_MAX	   /* when frames come */
#define LOOP_DONE (UINT64_MAX - 1) /* the run is over */

struct loop_role {
	/* Frames came; they are the role's. now: nanoseconds of clock_now just after. */
	void (*frames)(void *self, struct device *d, struct rte_mbuf **frames, unsigned int count,
			uint64_t now);
	/* Called every turn. The time of the next turn that is wanted, or a LOOP_ word. */
	uint64_t (*tick)(void *self, uint64_t now);
	/* One line for the terminal, once a second. NULL: none. */
	void (*progress)(void *self, char *line, size_t size);
};

enum loop_end {
	LOOP_END_DONE,
	LOOP_END_TIME,
	LOOP_END_SIGNAL,
	LOOP_END_BACKEND_GONE,
};

/* Runs a role and tells the report how the run ended. */
enum loop_end
loop_run(struct client *c, const struct loop_role *role, void *self, struct report *report);

/* The status of a run that ended so, and whose result is good or not. */
enum status loop_status(enum loop_end end, bool good);

#endif
