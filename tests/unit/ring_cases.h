/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of the model test: guests whose memory, rings and chains come out of random
 * choices. Most of what they offer is right, in every layout that the specification allows; the
 * rest breaks its rules in all ways that a descriptor can.
 */
#ifndef TESTS_RING_CASES_H
#define TESTS_RING_CASES_H

#include <stdio.h>

#include "model_choices.h"
#include "ring_model.h"

struct guest {
	const char *name;
	bool receives;	 /* the ring is a receiveq */
	bool big;	 /* a large ring with long chains: where segments run out */
	uint8_t *memory; /* MODEL_MEMORY bytes, what the switch works on */
	uint16_t avail_idx;
	bool dirty; /* the driver has written since the model's image was made */
	uint32_t tables_at, tables_len;	  /* offsets: where indirect tables go */
	uint32_t buffers_at, buffers_len; /* and buffers; regions cover both */
	uint32_t next_buffer;		  /* offset in a run through the buffers' regions */
	uint32_t first_buffer_region;
	FILE *trace; /* tells what the driver does; NULL: nobody wants to know */
	struct model_ring model;
};

/* New memory, a new ring, nothing offered. Name, memory, trace, receives and big are given. */
void guest_init(struct guest *guest, struct choices *choices);

/* The driver makes some chains available; rarely, it breaks the ring. */
void guest_offer(struct guest *guest, struct choices *choices);

/* The driver changes bytes in its buffers, and its wish to be called. */
void guest_scribble(struct guest *guest, struct choices *choices);

/* Makes the model's image what the memory is. Before the model's and the device's step. */
void guest_mirror(struct guest *guest);

/* Compares after it; the offset of the first difference, or -1. */
int guest_difference(struct guest *guest);

#endif
