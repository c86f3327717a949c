/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies the head of a frame whose first bytes do not lie in one piece. Any source. */
#ifndef VSWITCH_FRAME_HEAD_H
#define VSWITCH_FRAME_HEAD_H

#include "base/copy.h"
#include "frame.h"

/* For a frame that is shorter than a head, or whose first segment is. */
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
