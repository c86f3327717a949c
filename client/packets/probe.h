/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The requests of ping and their replies, for IPv4 and IPv6: the MAC address of an IP address (ARP,
 * RFC 826; neighbour discovery, RFC 4861), and echo (RFC 792, 4443).
 *
 * Pure, any thread.
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inet.h"

/* The two ends. */
struct probe {
	uint8_t mac[6];
	uint8_t peer_mac[6];	     /* set once it is resolved */
	struct inet_addr addr, peer; /* of the same version */
	uint16_t id;		     /* of our echo messages */
};

/* Smallest and largest frame of an echo request, bytes. An IP packet has at most 65,535. */
size_t probe_echo_min(int version);
#define PROBE_ECHO_MAX (14 + 65535)

/* Bytes that probe_write_resolve() may write. */
#define PROBE_RESOLVE_SIZE 86

/* Writes a request for the peer's MAC address; returns the size of the frame. */
size_t probe_write_resolve(const struct probe *p, uint8_t *frame);

/* Whether a frame is the reply with the peer's MAC address, which is then stored in p->peer_mac. */
bool probe_read_resolve(struct probe *p, const uint8_t *frame, size_t size);

/* Writes an echo request in a frame of size bytes; its data follow from the sequence number. */
void probe_write_echo(const struct probe *p, uint16_t sequence, uint8_t *frame, size_t size);

/* The contents of an echo reply. */
struct probe_reply {
	uint16_t sequence;
	uint8_t hop_limit;
	size_t message_size; /* ICMP header and data, as ping counts */
	bool damaged;	     /* a bad checksum, or other data than was sent */
};

/* Whether a frame is a reply to one of our requests. */
bool probe_read_echo(const struct probe *p, const uint8_t *frame, size_t size,
		struct probe_reply *reply);

#endif
