/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a split ring's device must do, slow and obvious: a second description of the rules that
 * stand in the comments of vring_source.c, vring_sink.c and chain.c, for the tests to compare with.
 * It works on an image of the guest's memory, addressed by offsets, and shares no code with the
 * rings.
 */
#ifndef TESTS_RING_MODEL_H
#define TESTS_RING_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/counters.h"
#include "datapath/frame.h"
#include "rings/vring.h"

#define MODEL_MEMORY 16384   /* bytes of an image at most */
#define MODEL_FRAME_MAX 8192 /* bytes of a frame that the model looks into */

struct model_region {
	uint64_t guest_phys_addr;
	uint32_t size;
	uint32_t at; /* offset in the image */
};

struct model_piece {
	uint32_t at;
	uint32_t len;
};

/* One ring and the memory around it. */
struct model_ring {
	uint8_t image[MODEL_MEMORY];
	uint32_t memory_len;
	uint32_t n_regions;
	struct model_region regions[MEMORY_REGIONS_MAX];
	uint32_t size;
	uint32_t desc_at, avail_at, used_at; /* offsets of the ring's parts */
	uint32_t header_len;
	bool mergeable;
	bool indirect;
	bool called;	     /* there is a call descriptor */
	bool sibling_called; /* and the sibling of this transmitq runs and has it too */

	bool running;
	enum vring_defect defect;
	uint16_t avail; /* chains taken */
	uint16_t used;	/* chains given back */
	uint32_t n_taken;
	uint16_t taken[BURST_MAX];
	bool greeted;
	/* Frames that need so many bytes found no room before, while the next chain is this one: */
	uint32_t no_room; /* 0: nothing is known */
	uint16_t no_room_at;
	uint16_t no_room_end; /* where the chains ended; if there are more, it may be otherwise */
	bool no_room_ever;    /* unless the frame was too big */
	uint64_t calls;
	struct counters counters;

	/* Bytes that were written twice in one place(): any order may win. */
	uint32_t n_unsure;
	uint32_t unsure[MODEL_MEMORY];
	/* One place() wrote a frame over an indirect table that it read: nothing is certain. */
	bool muddled;
	uint32_t stamp;			/* counts place() */
	uint32_t written[MODEL_MEMORY]; /* the stamp of the last that wrote here */
	uint32_t walked[MODEL_MEMORY];	/* that read a table here */
};

struct model_frame {
	uint8_t head[FRAME_HEAD_LEN];
	uint32_t len;
	uint32_t skip;	   /* bytes of virtio-net header before it */
	uint32_t first, n; /* pieces, header included */
};

struct model_burst {
	uint32_t n;
	uint32_t longest;
	struct model_frame frames[BURST_MAX];
	uint32_t n_pieces;
	struct model_piece pieces[BURST_SEGMENTS_MAX];
};

/* Each as its namesake in endpoint.h. */
uint32_t model_take(struct model_ring *ring, struct model_burst *burst);
void model_complete(struct model_ring *ring);
bool model_arm(struct model_ring *ring);
void model_disarm(struct model_ring *ring);

/* True when there is somebody to call. */
bool model_place(struct model_ring *ring, const struct model_ring *from,
		const struct model_burst *burst, const uint8_t *list, uint32_t n);
void model_call(struct model_ring *ring);

/*
 * The frame's bytes, at most MODEL_FRAME_MAX: the first 64 as they were when it was taken, the
 * rest as the sender's memory is now. Returns how many.
 */
uint32_t model_frame_bytes(const struct model_ring *from, const struct model_burst *burst,
		uint32_t i, uint8_t *bytes);

/* What may differ: unsure bytes and unpublished used elements are taken over from `memory`. */
void model_forgive(struct model_ring *ring, const uint8_t *memory);

#endif
