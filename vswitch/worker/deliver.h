/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From verdicts to receivers: sorts a burst by port, and by sink where a port has several, so that each
 * sink's lock is taken and its ring published once a burst. Workers only.
 */
#ifndef VSWITCH_DELIVER_H
#define VSWITCH_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/endpoint.h"
#include "switching/forward.h"

/* No port: the worker is between two. */
#define DELIVERY_NOWHERE UINT16_MAX

_Static_assert(PORTS_MAX <= DELIVERY_NOWHERE, "no port has this id");

/* Scratch of one worker, all zero before the first burst. */
struct delivery {
	struct burst *split;   /* frames made for a receiver that does not take theirs undone */
	struct edited *edited; /* frames that have another header for a receiver */
	/* Of the burst at hand. */
	const struct forward_table *table;
	const struct source *source;
	/* Set by the worker before each burst. */
	uint64_t now;	   /* TSC, when the turn of the source began; deliver_burst() moves it on */
	bool has_floods;   /* of the burst at hand: frames that go to everybody are in it */
	bool floods;	   /* of the burst at hand: they are too many, its sender floods */
	bool private_copy; /* the frames lie in the worker's memory, not in the sender's */
	/* Writer: the worker; read by the watchdog. */
	uint16_t at_port; /* whose ring the worker is at; DELIVERY_NOWHERE: between ports */
	/* Of the turn at hand; the worker clears them. */
	bool slow; /* a stretch was slow */
	uint64_t excused; /* cycles of the turn that are not the sender's: receivers', or others had the CPU */
	uint32_t n_receivers;
	uint16_t receivers[PORTS_MAX]; /* ports with a list, in the order of their first frame */
	uint8_t counts[PORTS_MAX];
	uint8_t lists[PORTS_MAX][BURST_MAX]; /* indices in the burst */
};

/* Where the worker is from now on. */
static inline void
delivery_at(struct delivery *delivery, uint16_t port)
{
	__atomic_store_n(&delivery->at_port, port, __ATOMIC_RELAXED);
}

/*
 * The sender's stretch since delivery->now, in which its memory was touched, ends: charges it, and
 * judges it when it was slow. Moves delivery->now on.
 */
void
deliver_charge_source(struct delivery *delivery, struct source *source, const struct burst *burst);

/*
 * Delivers or drops every copy of every frame of the burst from `source`, as `verdicts` say, and
 * counts each once: at the source (copies due; drops by verdict) or at the receiver. Charges the time
 * of both (account.h).
 */
void deliver_burst(struct delivery *delivery, const struct forward_table *table,
		struct source *source, const struct burst *burst, const struct verdict *verdicts);

#endif
