/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a thread is doing, and since when, for the watchdog. A thread sets it around work that strangers
 * can make long. Takes no lock, and no system call except the clock.
 */
#ifndef VSWITCH_WATCHED_H
#define VSWITCH_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "shared_name.h"

struct watched {
	const char *thread; /* constant; for log lines: "the helper thread" */
	/* Writer: the thread. */
	uint64_t since;		 /* ns of CLOCK_MONOTONIC; 0: idle */
	const char *what;	 /* static text: "closing the port" */
	struct shared_name whom; /* the name of a port or a method; may be cut */
	/* Writer: the watchdog. */
	uint64_t told;	 /* `since` of the work that it logged last ... */
	uint64_t told_s; /* ... and how many seconds that had lasted then */
};

/* The thread begins this work; its work before is over. */
static inline void
watched_begin(struct watched *watched, const char *what, const char *whom)
{
	shared_name_set(&watched->whom, whom);
	__atomic_store_n(&watched->what, what, __ATOMIC_RELAXED);
	__atomic_store_n(&watched->since, clock_ns(), __ATOMIC_RELEASE);
}

static inline void
watched_end(struct watched *watched)
{
	__atomic_store_n(&watched->since, 0, __ATOMIC_RELEASE);
}

/*
 * Ends the work that the thread began at `since`; does nothing if it has begun other work meanwhile. Any
 * thread, for one that sees the end of another's work.
 */
static inline void
watched_end_of(struct watched *watched, uint64_t since)
{
	(void)__atomic_compare_exchange_n(
			&watched->since, &since, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* For the control thread and the vhost library's thread. */
extern struct watched watched_control, watched_library;

#endif
