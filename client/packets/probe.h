/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The questions that ping asks, and their answers: who has this address (ARP, RFC 826; neighbour
 * discovery, RFC 4861), and echo (RFC 792, 4443), for IPv4 and IPv6 alike.
 *
 * Pure, any thread.
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inet.h"

/* Who asks whom. */
struct probe {
	uint8_t mac[6];
	uint8_t peer_mac[6];	     /* known once it was resolved */
	struct inet_addr addr, peer; /* of one version */
	uint16_t id;		     /* of our echo messages */
};

/* Smallest and largest frame of an echo request, bytes: no IP packet is over 65,535. */
size_t probe_echo_min(int version);
#define PROBE_ECHO_MAX (14 + 65535)

/* Room that probe_write_resolve needs. */
#define PROBE_RESOLVE_SIZE 86

/* Asks for the peer's MAC; returns the size of the frame. */
size_t probe_write_resolve(const struct probe *p, uint8_t *frame);

/* Whether a frame tells the peer's MAC, which then stands in p->peer_mac. */
bool probe_read_resolve(struct probe *p, const uint8_t *frame, size_t size);

/* An echo request in a frame of size bytes, its data made from the sequence number. */
void probe_write_echo(const struct probe *p, uint16_t sequence, uint8_t *frame, size_t size);

/* What an echo reply to us says. */
struct probe_reply {
	uint16_t sequence;
	uint8_t hop_limit;
	size_t message_size; /* ICMP header and data, as ping counts */
	bool damaged;	     /* a bad checksum, or not the data that was sent */
};

/* Whether a frame is a reply to one of our requests. */
bool probe_read_echo(const struct probe *p, const uint8_t *frame, size_t size,
		struct probe_reply *reply);

#endif
