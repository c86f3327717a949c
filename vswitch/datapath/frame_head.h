/* SPDX-License-Identifier: BSD-3-Clause */
/* The head of a frame whose first bytes do not lie together. Any source. */
#ifndef VSWITCH_FRAME_HEAD_H
#define VSWITCH_FRAME_HEAD_H

#include "base/copy.h"
#include "frame.h"

/* Gathers the first bytes of a frame that is short, or cut in its first bytes. */
static inline void
frame_gather_head(struct frame *frame)
{
	uint32_t want = frame->len < FRAME_HEAD_LEN ? frame->len : FRAME_HEAD_LEN;
	uint32_t done = 0;

	for (uint32_t i = 0; done < want; i++) {
		uint32_t len = frame->segments[i].len;

		if (len > want - done)
			len = want - done;
		copy_up_to_64(frame->head + done, frame->segments[i].data, len);
		done += len;
	}
}

#endif
