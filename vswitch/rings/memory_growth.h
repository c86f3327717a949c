/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The account of a port for memory that appears because the switch touched it first.
 *
 * A frontend's memory is a file, and a page of it that nobody has touched does not exist. The kernel
 * charges a page to the process that touches it first. So a frontend that offers buffers on pages which it
 * never touches makes the switch pay. To bound that, each page that the switch adds
 *
 *   - costs tokens of the port's bucket (MEMORY_GROWTH_RATE, MEMORY_GROWTH_BURST),
 *   - counts towards the port's `max`,
 *   - is taken from what the host has left.
 *
 * When one of the three is used up, the rings use only buffers whose pages exist.
 *
 * Pure arithmetic; memory_fault.h finds missing pages. Workers and the handler of SIGBUS add; workers
 * look; the control thread sets the limits. Every field is atomic.
 */
#ifndef VSWITCH_MEMORY_GROWTH_H
#define VSWITCH_MEMORY_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Far more than a guest needs. Its kernel uses receive buffers again and again: it takes some ten MiB of
 * new pages when its rings start, and then a few MiB a second at most.
 */
#define MEMORY_GROWTH_RATE (32LL << 20)	 /* bytes a second */
#define MEMORY_GROWTH_BURST (64LL << 20) /* bytes */

/*
 * While a limit is exceeded by more than this, the port is not served. One burst of frames may exceed a
 * limit by a few MiB. Holes punched into memory in use, and frames sent from pages that do not exist,
 * exceed it by more.
 */
#define MEMORY_GROWTH_OVERDRAFT (16LL << 20)

/*
 * The most that a port can owe for guesses: five seconds' rate. It is bounded because the frontend itself
 * may have caused the guessed growth.
 */
#define MEMORY_GROWTH_OWED (5 * MEMORY_GROWTH_RATE)

struct memory_growth {
	int64_t tokens;	      /* bytes */
	uint64_t owed;	      /* bytes of guesses; refills pay these before they add tokens */
	uint64_t refilled_ns; /* CLOCK_MONOTONIC; 0: never */
	uint64_t total;	      /* bytes added that may still exist */
	uint64_t max;	      /* bytes */
	uint64_t refused_ns;  /* when a buffer was last refused; 0: never */
	bool limited;	      /* some limit was reached: see memory_growth_look() */
};

enum memory_growth_verdict {
	MEMORY_GROWTH_FREE,    /* any buffer may be used */
	MEMORY_GROWTH_CHECKED, /* only buffers whose pages exist */
	MEMORY_GROWTH_STOPPED, /* no buffer may be used */
};

/* Bytes that all ports together may add from now on, given the host's free memory. Control thread. */
void memory_growth_set_left(int64_t bytes);

/* Fills the bucket; nothing is added yet. `max`: bytes. Before any worker sees the account. */
void memory_growth_init(struct memory_growth *growth, uint64_t max);

/* Sets how many bytes the switch may add for the port in all. Control thread. */
void memory_growth_set_max(struct memory_growth *growth, uint64_t max);

/* The switch has added a page of `bytes`. Any thread, also in a signal handler. */
void memory_growth_add(struct memory_growth *growth, uint64_t bytes);

/*
 * The files have grown by `bytes`, and it is not known who touched them. Takes tokens, but never so many
 * that the port is not served. The rest is owed, at most MEMORY_GROWTH_OWED. Control thread.
 */
void memory_growth_add_guess(struct memory_growth *growth, uint64_t bytes);

/*
 * The port's files have `exist` bytes, so of the added bytes no more than that can still exist. `before`:
 * the total as it was read before the files were measured. Control thread.
 */
void memory_growth_settle(struct memory_growth *growth, uint64_t before, uint64_t exist);

/* Refills the bucket and judges. Any thread; to be called when memory_growth_is_free() is false. */
enum memory_growth_verdict memory_growth_look(struct memory_growth *growth, uint64_t now_ns);

/* Records that a buffer was refused now. */
void memory_growth_refuse(struct memory_growth *growth, uint64_t now_ns);

/* Writes why buffers were refused in the last two seconds; "" when none were. Control thread. */
void
memory_growth_text(const struct memory_growth *growth, uint64_t now_ns, char *text, size_t size);

static inline uint64_t
memory_growth_total(const struct memory_growth *growth)
{
	return __atomic_load_n(&growth->total, __ATOMIC_RELAXED);
}

/* The check that every burst makes. NULL, in tests: no account is kept. */
static inline bool
memory_growth_is_free(const struct memory_growth *growth)
{
	return growth == NULL || !__atomic_load_n(&growth->limited, __ATOMIC_RELAXED);
}

#endif
