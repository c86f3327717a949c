/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TAP's queue as a source and a sink.
 *
 * A frame of the kernel is read into the worker's store, where it stays for the turn; a frame for the
 * kernel is written by one gathering write straight from its sender's memory. No system call here
 * waits: the descriptors are non-blocking.
 *
 * The control thread starts and stops both; frames move on the workers. After a stop the TAP may
 * be closed when a grace period has passed (grace.h).
 */
#ifndef VSWITCH_TAP_ENDPOINT_H
#define VSWITCH_TAP_ENDPOINT_H

#include <stdint.h>

#include "datapath/endpoint.h"
#include "tap.h"

/* The longest frame, its header, and a byte by which a longer one is known. */
#define TAP_READ_MAX (TAP_HEADER_LEN + FRAME_LEN_MAX + 1)

/* One queue of a TAP; `tap` has it. */
struct tap_source {
	struct source base;
	const struct tap *tap; /* writer: control; NULL: stopped */
};

struct tap_sink {
	struct sink base;
	const struct tap *tap; /* writer: control; NULL: stopped */
};

void tap_source_init(struct tap_source *source, uint16_t port, uint16_t queue);
void tap_sink_init(struct tap_sink *sink, uint16_t port, uint16_t queue);

/* `tap` stays open until a grace period after the stop, which is NULL. Control thread. */
void tap_source_use(struct tap_source *source, const struct tap *tap);
void tap_sink_use(struct tap_sink *sink, const struct tap *tap);

/* Whether the kernel gets checksums and TCP segments undone. Control thread. */
void tap_sink_set_offload(struct tap_sink *sink, bool on);

#endif
