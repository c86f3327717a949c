/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a thread is doing and since when, for the watchdog to look at: no lock, no system call but the
 * clock. The thread itself says so around whatever strangers may make long.
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
	const char *thread; /* constant, as in a log line: "the helper thread" */
	/* Writer: the thread. */
	uint64_t since;		 /* ns of CLOCK_MONOTONIC; 0: at rest */
	const char *what;	 /* static text: "closing the port" */
	struct shared_name whom; /* the name of a port or a method; may be cut */
	/* Writer: the watchdog. */
	uint64_t told;	 /* `since` of what it has spoken of ... */
	uint64_t told_s; /* ... and how many seconds that had lasted */
};

/* From here on the thread is at this; what it was at before is over. */
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
 * It is no longer at what it began at `since`; nothing when it is at something else by now. For
 * threads that see the end of another's work: any thread.
 */
static inline void
watched_end_of(struct watched *watched, uint64_t since)
{
	(void)__atomic_compare_exchange_n(
			&watched->since, &since, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The threads that there is one of. */
extern struct watched watched_control, watched_library;

#endif
