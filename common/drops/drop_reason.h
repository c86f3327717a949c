/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a copy of a frame was not delivered: the only table of reasons.
 *
 * The datapath counts by enum drop_reason. The control protocol, `vswitchctl drops` and the documentation
 * take their texts from drop_reasons[]. A reason that is added here appears in every counter, table and
 * page. Losses of devices are in device_drop.h.
 */
#ifndef COMMON_DROP_REASON_H
#define COMMON_DROP_REASON_H

enum drop_reason {
	DROP_RING_FULL,
	DROP_NOT_READY,
	DROP_BAD_CHAIN,
	DROP_TOO_SHORT,
	DROP_TOO_BIG,
	DROP_SAME_PORT,
	DROP_DISABLED,
	DROP_RESERVED_ADDRESS,
	DROP_BAD_OFFLOAD,
	DROP_REFUSED,
	DROP_RESTING,
	DROP_MEMORY_LIMIT,
	DROP_REASONS
};

struct drop_reason_info {
	const char *name;    /* as in JSON and tables */
	const char *meaning; /* one sentence: what happened, and at which port it is counted */
	const char *remedy;  /* one sentence: what to do about it */
};

/* Indexed by enum drop_reason; constant. */
extern const struct drop_reason_info drop_reasons[DROP_REASONS];

#endif
