/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 and IPv6 as a station on a link needs them: addresses as text, headers, checksums.
 *
 * station.c and probe.c build and read their packets with it. Pure functions, any thread.
 */
#ifndef CLIENT_INET_H
#define CLIENT_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INET_TEXT_SIZE 46 /* longest IPv6 address with the terminating zero */

enum {
	INET_PROTOCOL_ICMP = 1,
	INET_PROTOCOL_UDP = 17,
	INET_PROTOCOL_ICMPV6 = 58,
	INET_V4_SIZE = 20, /* of an IPv4 header without options */
	INET_V6_SIZE = 40,
	INET_ICMP_SIZE = 8, /* of an echo message before its data */
	INET_HOP_LIMIT = 64
};

enum {
	INET_ICMP_ECHO_REPLY = 0,
	INET_ICMP_ECHO = 8,
	INET_ICMPV6_ECHO = 128,
	INET_ICMPV6_ECHO_REPLY = 129,
	INET_ICMPV6_SOLICIT = 135,
	INET_ICMPV6_ADVERT = 136,
};

struct inet_addr {
	int version;	     /* 4 or 6; 0: none */
	unsigned int prefix; /* length in bits */
	uint8_t bytes[16];   /* network order; the first 4 for IPv4 */
};

/* What an IP packet carries; the pointers are into the frame. */
struct inet_packet {
	int version;
	uint8_t protocol;
	uint8_t hop_limit;
	const uint8_t *source, *destination; /* 4 or 16 bytes */
	const uint8_t *payload;
	size_t payload_size;
};

/*
 * Reads "10.0.0.1/24" or "fd00::1/64"; without a length the prefix is the whole address. 0, or -EINVAL
 * with what would be right in err.
 */
int inet_parse(const char *text, struct inet_addr *out, char *err, size_t err_size);

/* Without the prefix length. Returns buf. */
const char *inet_format(const struct inet_addr *addr, char buf[INET_TEXT_SIZE]);

/* Bytes of an address of this version. */
size_t inet_size(int version);

/* Whether the address consists of these bytes, inet_size() of them. */
bool inet_is(const struct inet_addr *addr, const uint8_t *bytes);

/* Whether addr is in the network that own and its prefix define. */
bool inet_is_neighbour(const struct inet_addr *own, const struct inet_addr *addr);

/* The link-local address of a MAC: fe80::/64 and the modified EUI-64 (RFC 4291, appendix A). */
void inet_link_local(const uint8_t mac[6], struct inet_addr *out);

/* The group to which neighbour solicitations for a target go (RFC 4291, 2.7.1), and its MAC address. */
void inet_solicited_group(const uint8_t target[16], uint8_t group[16], uint8_t mac[6]);

/* Internet checksum (RFC 1071) of data. sum: the result of inet_sum() for the data before it, or 0. */
uint16_t inet_checksum(const void *data, size_t size, uint32_t sum);
uint32_t inet_sum(const void *data, size_t size, uint32_t sum);

/* Checksum of an ICMPv6 message with its pseudo-header (RFC 8200, 8.1); 0 when the stored one is right. */
uint16_t inet_icmpv6_checksum(const uint8_t source[16], const uint8_t destination[16],
		const uint8_t *message, size_t size);

/* The same for the payload of a packet (TCP, UDP, ICMPv6). */
uint16_t inet_transport_checksum(const struct inet_packet *packet);

/*
 * Reads the IP header of a whole Ethernet frame. False: not IP, cut short, a bad header checksum,
 * a fragment, or IPv6 extension headers.
 */
bool inet_read(const uint8_t *frame, size_t size, struct inet_packet *out);

/* Write an IP header without options for payload_size bytes of ICMP or ICMPv6. */
void inet_write_v4(uint8_t *header, const uint8_t source[4], const uint8_t destination[4],
		size_t payload_size);
void inet_write_v6(uint8_t *header, const uint8_t source[16], const uint8_t destination[16],
		size_t payload_size, uint8_t hop_limit);

#endif
