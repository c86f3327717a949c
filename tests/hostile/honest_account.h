/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of each numbered frame: seen once and in order, or lost, doubled, out of order. A frame
 * is lost when the switch has given its buffer back to B and it was not placed in C's ring before:
 * the switch publishes what it has placed before it completes what it has taken. One thread.
 */
#ifndef TESTS_HOSTILE_HONEST_ACCOUNT_H
#define TESTS_HOSTILE_HONEST_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* More than can ever be outstanding. */
#define HONEST_WINDOW (1u << 16)

struct honest_counts {
	uint64_t sent;
	uint64_t seen;
	uint64_t lost;
	uint64_t doubled;
	uint64_t disordered; /* seen after a later one */
};

struct honest_account {
	uint64_t sent;	  /* frames; the number of the next one */
	uint64_t settled; /* all below are seen or lost */
	uint64_t next;	  /* one above the greatest number seen */
	bool seen[HONEST_WINDOW];
	struct honest_counts counts;
};

/* Frames that were sent and are neither seen nor lost. */
static inline uint64_t
honest_account_outstanding(const struct honest_account *account)
{
	return account->sent - account->settled;
}

/* Frame number `account->sent` has been made available. */
void honest_account_sent(struct honest_account *account);

/* Frame `number` was received; numbers that were never sent must not come here. */
void honest_account_seen(struct honest_account *account, uint64_t number);

/* The switch had taken and completed all below `taken` before C's ring was last looked through. */
void honest_account_settle(struct honest_account *account, uint64_t taken);

#endif
