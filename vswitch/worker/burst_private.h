/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst whose frames lie in the worker's own memory.
 *
 * A frame is a view of its sender's memory, so a receiver's turn can be slow because the sender's
 * pages are missing or being removed. The frames of a sender that is suspected of that (account.h)
 * are copied here when they are taken: then nobody waits for its memory later. Workers only.
 */
#ifndef VSWITCH_BURST_PRIVATE_H
#define VSWITCH_BURST_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"

/* As much as a turn of large frames has; pages that are never used are never there. */
#define BURST_PRIVATE_LEN (1u << 20)

struct burst_private {
	uint8_t bytes[BURST_PRIVATE_LEN];
	struct frame_segment segments[BURST_MAX];
};

/*
 * Makes the frames views of `copy`, which must outlast the burst's turn. False when there was no
 * room for some of them, which stay where they were.
 */
bool burst_private_copy(struct burst *burst, struct burst_private *copy);

#endif
