/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that an interface or a device behind a port counted as lost, before the switch took them or after
 * it passed them on: the only table of these counters. Such frames are not the switch's copies, so they
 * are not among its drops (drop_reason.h).
 */
#ifndef COMMON_DEVICE_DROP_H
#define COMMON_DEVICE_DROP_H

#include <stdint.h>

#include "drop_reason.h"

enum device_drop {
	DEVICE_DROP_TX_DROPPED,
	DEVICE_DROP_RX_DROPPED,
	DEVICE_DROP_IMISSED,
	DEVICE_DROP_IERRORS,
	DEVICE_DROP_RX_NOMBUF,
	DEVICE_DROPS
};

/* Indexed by enum device_drop; constant. The names are the kernel's or DPDK's own. */
extern const struct drop_reason_info device_drops[DEVICE_DROPS];

/* Counted since the interface was made or the device started. */
struct device_drop_counts {
	uint32_t known; /* bit i: the device has the counter i of enum device_drop */
	uint64_t frames[DEVICE_DROPS];
};

#endif
