/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is changed in the header of a frame for a receiver: VLAN tags taken off, and one put on. Pure.
 *
 * An edited frame is a view, as any frame: its first bytes are new ones, and the rest is the
 * sender's memory. So each kind of sink delivers it as it delivers any other, and offloads that the
 * receiver lacks are carried out after the edit. Called by the workers.
 */
#ifndef VSWITCH_EDIT_H
#define VSWITCH_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"

enum edit_push {
	EDIT_PUSH_NONE,
	EDIT_PUSH_CVLAN, /* 802.1Q, 0x8100 */
	EDIT_PUSH_SVLAN, /* 802.1ad, 0x88a8 */
};

/* All zero: none. First tags are taken off, outermost first, then one is put on. */
struct edit {
	uint8_t pops; /* at most so many tags: a frame with fewer loses those that it has */
	uint8_t push; /* enum edit_push */
	uint16_t tci; /* of the tag put on: priority, DEI and VLAN, in host order */
};

static inline bool
edit_changes(struct edit edit)
{
	return edit.pops != 0 || edit.push != EDIT_PUSH_NONE;
}

/* Frames of one burst after their edits. They are views of this struct and of that burst. */
struct edited {
	struct burst burst;
	/* A frame has one segment more than before, at most. */
	struct frame_segment segments[BURST_SEGMENTS_MAX + BURST_MAX];
	uint32_t n_segments;
} __attribute__((aligned(64)));

/* Empties it. */
void edit_begin(struct edited *edited);

/*
 * Frame i of `from`, with the edit made, becomes the next frame of `edited`, which has room for as many
 * frames as a burst has. `from` has frames of ETHERNET_HEADER_LEN bytes or more, and outlasts it.
 */
void edit_add(struct edited *edited, const struct burst *from, uint32_t i, struct edit edit);

#endif
