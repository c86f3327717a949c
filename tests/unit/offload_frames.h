/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP and UDP frames for the tests of offload.c and offload_split.c, made the slow and obvious way:
 * every byte from a description, every checksum by adding two bytes after the other. The same
 * description says what a sender gives away and what each segment of it has to be.
 */
#ifndef OFFLOAD_FRAMES_H
#define OFFLOAD_FRAMES_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath/frame.h"

#define OFFLOAD_BYTES_MAX 70000

struct shape {
	bool ipv6;
	bool udp;
	uint32_t tags;	     /* VLAN tags */
	uint32_t ip_options; /* IPv4: bytes of options; IPv6: of extension headers, from 32 on */
	/* with one for routing among them; multiple of 4 or 8 */
	uint32_t tcp_options; /* bytes */
	uint8_t flags;
	uint16_t id;
	uint32_t sequence;
	uint32_t payload;      /* bytes */
	uint32_t payload_from; /* number of the first one in the pattern that all payload is */
	bool partial;	       /* the checksum field has the sum of the pseudo-header alone */
};

/* Ones' complement sum, in 16 bits, of bytes of which the first is the high one of a word. */
uint16_t frames_sum(const uint8_t *bytes, uint32_t len, uint32_t sum);

/* Offsets that follow from a shape. */
uint32_t frames_network(const struct shape *shape);
uint32_t frames_transport(const struct shape *shape);
uint32_t frames_header_len(const struct shape *shape);
uint32_t frames_len(const struct shape *shape);

/* Writes the frame (frames_len() bytes). */
void frames_build(const struct shape *shape, uint8_t *bytes);

/* The virtio-net header that Linux gives such a frame; gso_size 0: no segments. */
struct virtio_net_hdr frames_header(const struct shape *shape, uint16_t gso_size);

/* What TCP segment `number` of such a frame looks like. */
struct shape frames_segment(const struct shape *shape, uint16_t gso_size, uint32_t number);

/* Pseudo-random numbers; the same ones for the same seed. */
uint32_t frames_random(uint32_t *seed);

/*
 * Makes `len` bytes frame i of the burst, in n pieces cut at random places and lying apart: bytes
 * between them are not the frame's. `room` has FRAMES_ROOM bytes; segments of the burst from
 * burst->segments[first] on are taken.
 */
#define FRAMES_ROOM (OFFLOAD_BYTES_MAX + 4 * BURST_SEGMENTS_MAX)
void frames_scatter(struct burst *burst, uint32_t i, uint32_t first, const uint8_t *bytes,
		uint32_t len, uint32_t n, uint32_t *seed, uint8_t *room);

/* Gathers a frame from its segments; returns its length. */
uint32_t frames_gather(const struct burst *burst, uint32_t i, uint8_t *bytes);

#endif
