/* SPDX-License-Identifier: BSD-3-Clause */
/* See burst_private.h. */
#include "burst_private.h"

#include "base/copy.h"

static void
copy_frame(struct frame *frame, uint8_t *to, struct frame_segment *segment)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < frame->n_segments; i++) {
		copy_payload(to + done, frame->segments[i].data, frame->segments[i].len);
		done += frame->segments[i].len;
	}
	*segment = (struct frame_segment){ .data = to, .len = done };
	frame->segments = segment;
	frame->n_segments = 1;
}

bool
burst_private_copy(struct burst *burst, struct burst_private *copy)
{
	uint32_t used = 0;
	bool all = true;

	for (uint32_t i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->len > BURST_PRIVATE_LEN - used) {
			all = false;
			continue;
		}
		copy_frame(frame, copy->bytes + used, &copy->segments[i]);
		used += frame->len;
	}
	return all;
}
