/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The account of a port for memory that appears because the switch touched it first.
 *
 * A frontend's memory is a file, and a page of it that nobody has touched does not exist. Whoever
 * touches it first is charged for it: a frontend that offers buffers on pages that it never touches
 * lets the switch pay. So each page that the switch adds costs tokens of a bucket a port (MEMORY_GROWTH_RATE,
 * MEMORY_GROWTH_BURST), counts towards the port's `max`, and is taken from what the host has left.
 * When one of the three is used up, the rings use only buffers whose pages exist.
 *
 * Pure arithmetic: where pages are found missing is memory_fault.h. Workers and the handler of SIGBUS
 * add; workers look; the control thread sets the limits. Every field is atomic.
 */
#ifndef VSWITCH_MEMORY_GROWTH_H
#define VSWITCH_MEMORY_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A guest's kernel uses its receive buffers again and again: it makes new pages of them by a few MiB a
 * second at most, after some ten MiB when its rings start.
 */
#define MEMORY_GROWTH_RATE (32LL << 20)	 /* bytes a second */
#define MEMORY_GROWTH_BURST (64LL << 20) /* bytes */

/*
 * While a limit is exceeded by so much, the port is not served. One burst of frames may take a few MiB
 * more than there are; memory that is punched while it is used, and frames that are sent from pages
 * that do not exist, take more.
 */
#define MEMORY_GROWTH_OVERDRAFT (16LL << 20)

/* What a port owes at most for guesses, which may be of its own frontend's doing: five seconds' rate. */
#define MEMORY_GROWTH_OWED (5 * MEMORY_GROWTH_RATE)

struct memory_growth {
	int64_t tokens; /* bytes */
	uint64_t owed;	/* bytes of guesses that refills pay for before there are new tokens */
	uint64_t refilled_ns; /* CLOCK_MONOTONIC; 0: never */
	uint64_t total;	      /* bytes added that may still exist */
	uint64_t max;	      /* bytes */
	uint64_t refused_ns;  /* when a buffer was last refused; 0: never */
	bool limited;	      /* some limit was reached: memory_growth_look() knows more */
};

enum memory_growth_verdict {
	MEMORY_GROWTH_FREE,    /* any buffer may be used */
	MEMORY_GROWTH_CHECKED, /* only buffers whose pages exist */
	MEMORY_GROWTH_STOPPED, /* none */
};

/* What all ports together may add from now on, in bytes, as the host is now. Control thread. */
void memory_growth_set_left(int64_t bytes);

/* A full bucket, nothing added. Before any worker sees the account. */
void memory_growth_init(struct memory_growth *growth, uint64_t max);

/* What the port may add in all, in bytes. Control thread. */
void memory_growth_set_max(struct memory_growth *growth, uint64_t max);

/* The switch has added a page. Any thread, also in a signal handler. */
void memory_growth_add(struct memory_growth *growth, uint64_t bytes);

/*
 * The files have grown, by whose touch is not known: takes tokens, but never so many that the port
 * would not be served; what is more is owed, MEMORY_GROWTH_OWED at most. Control thread.
 */
void memory_growth_add_guess(struct memory_growth *growth, uint64_t bytes);

/*
 * The port's files have `exist` bytes; no more than that of what was added can still be there. `before`
 * is the total that was read before they were counted. Control thread.
 */
void memory_growth_settle(struct memory_growth *growth, uint64_t before, uint64_t exist);

/* Refills the bucket and judges. Any thread; for when memory_growth_is_free() says no. */
enum memory_growth_verdict memory_growth_look(struct memory_growth *growth, uint64_t now_ns);

/* A buffer was refused now. */
void memory_growth_refuse(struct memory_growth *growth, uint64_t now_ns);

/* Why buffers were refused within the last two seconds, in words; "" when none were. Control thread. */
void
memory_growth_text(const struct memory_growth *growth, uint64_t now_ns, char *text, size_t size);

static inline uint64_t
memory_growth_total(const struct memory_growth *growth)
{
	return __atomic_load_n(&growth->total, __ATOMIC_RELAXED);
}

/* The question of every burst. NULL: the memory is nobody's, as in tests. */
static inline bool
memory_growth_is_free(const struct memory_growth *growth)
{
	return growth == NULL || !__atomic_load_n(&growth->limited, __ATOMIC_RELAXED);
}

#endif
