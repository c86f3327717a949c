/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reference count for an immutable object that several snapshots point to; the last of them frees it.
 * Control thread. Workers read the object without counting, because a snapshot drops it only after a grace
 * period (grace.h).
 */
#ifndef VSWITCH_SHARED_H
#define VSWITCH_SHARED_H

#include <stdint.h>

struct shared {
	uint32_t holders;
	void (*release)(struct shared *shared); /* called when the last holder has dropped it */
};

static inline void
shared_hold(struct shared *shared)
{
	shared->holders++;
}

static inline void
shared_drop(struct shared *shared)
{
	if (--shared->holders == 0)
		shared->release(shared);
}

#endif
