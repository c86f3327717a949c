/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbered frames of the honest pair: number and times in the first 64 bytes, and from there on
 * bytes that follow from them, so that whoever receives a frame can check every byte of it.
 */
#ifndef TESTS_HOSTILE_HONEST_FRAME_H
#define TESTS_HOSTILE_HONEST_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define HONEST_FRAME_MAX 1514

struct honest_stamp {
	uint64_t key;	 /* of this run: nobody else's frames have it */
	uint64_t number; /* from 0, in the order of sending */
	uint64_t due;	 /* when it was to be sent, ns of CLOCK_MONOTONIC */
	uint64_t shown;	 /* when it was made available */
};

/* Bytes of frame `number`, without FCS: small and large ones in turn. */
uint32_t honest_frame_len(uint64_t number);

/* Writes a whole frame of honest_frame_len() bytes. */
void honest_frame_write(uint8_t *frame, const uint8_t to[6], const uint8_t from[6],
		const struct honest_stamp *stamp);

/* Whether it is a frame of this run, by its first bytes alone; then *stamp is what it says. */
bool
honest_frame_is_ours(const uint8_t *frame, uint32_t len, uint64_t key, struct honest_stamp *stamp);

/* Whether every byte is as honest_frame_write() makes it, and none is missing or too many. */
bool honest_frame_is_whole(const uint8_t *frame, uint32_t len, const uint8_t to[6],
		const uint8_t from[6], const struct honest_stamp *stamp);

#endif
