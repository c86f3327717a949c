/* SPDX-License-Identifier: BSD-3-Clause */
/* See inet.h. */
#include "inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "text/text.h"
#include "wire.h"

enum {
	V4_FRAGMENT_MASK = 0x3fff, /* more fragments, and the offset */
};

int
inet_parse(const char *text, struct inet_addr *out, char *err, size_t err_size)
{
	size_t length = strcspn(text, "/");
	char address[INET_TEXT_SIZE];
	struct inet_addr a = { 0 };
	int64_t prefix;
	int ret;

	if (length == 0 || length >= sizeof(address))
		goto bad;
	memcpy(address, text, length);
	address[length] = '\0';
	a.version = strchr(address, ':') != NULL ? 6 : 4;
	if (inet_pton(a.version == 6 ? AF_INET6 : AF_INET, address, a.bytes) != 1)
		goto bad;
	prefix = (int64_t)inet_size(a.version) * 8;
	if (text[length] == '/') {
		ret = text_parse_integer(text + length + 1, 0, prefix, &prefix, err, err_size);
		if (ret != 0)
			return ret;
	}
	a.prefix = (unsigned int)prefix;
	*out = a;
	return 0;
bad:
	return text_fail(err, err_size, -EINVAL,
			"'%s' is not an address; write 10.0.0.1/24 or fd00::1/64", text);
}

const char *
inet_format(const struct inet_addr *addr, char buf[INET_TEXT_SIZE])
{
	if (inet_ntop(addr->version == 6 ? AF_INET6 : AF_INET, addr->bytes, buf, INET_TEXT_SIZE) ==
			NULL)
		buf[0] = '\0';
	return buf;
}

size_t
inet_size(int version)
{
	return version == 6 ? 16 : 4;
}

bool
inet_is(const struct inet_addr *addr, const uint8_t *bytes)
{
	return memcmp(addr->bytes, bytes, inet_size(addr->version)) == 0;
}

bool
inet_is_neighbour(const struct inet_addr *own, const struct inet_addr *addr)
{
	unsigned int whole = own->prefix / 8, rest = own->prefix % 8;
	uint8_t differing;

	if (own->version != addr->version || memcmp(own->bytes, addr->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	differing = own->bytes[whole] ^ addr->bytes[whole];
	return differing >> (8 - rest) == 0;
}

void
inet_link_local(const uint8_t mac[6], struct inet_addr *out)
{
	*out = (struct inet_addr){ .version = 6, .prefix = 64, .bytes = { 0xfe, 0x80 } };
	memcpy(out->bytes + 8, mac, 3);
	out->bytes[8] ^= 0x02;
	out->bytes[11] = 0xff;
	out->bytes[12] = 0xfe;
	memcpy(out->bytes + 13, mac + 3, 3);
}

void
inet_solicited_group(const uint8_t target[16], uint8_t group[16], uint8_t mac[6])
{
	static const uint8_t prefix[13] = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff };

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + 13, target + 13, 3);
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

uint32_t
inet_sum(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t wide = sum;

	for (; size >= 2; size -= 2, p += 2)
		wide += wire_get16(p);
	if (size > 0)
		wide += (uint64_t)p[0] << 8;
	while (wide > 0xffff)
		wide = (wide & 0xffff) + (wide >> 16);
	return (uint32_t)wide;
}

uint16_t
inet_checksum(const void *data, size_t size, uint32_t sum)
{
	return (uint16_t)~inet_sum(data, size, sum);
}

uint16_t
inet_icmpv6_checksum(const uint8_t source[16], const uint8_t destination[16],
		const uint8_t *message, size_t size)
{
	uint8_t tail[8] = { 0 };
	uint32_t sum;

	wire_put32(tail, (uint32_t)size);
	tail[7] = INET_PROTOCOL_ICMPV6;
	sum = inet_sum(source, 16, 0);
	sum = inet_sum(destination, 16, sum);
	sum = inet_sum(tail, sizeof(tail), sum);
	return inet_checksum(message, size, sum);
}

/* The same code for both versions: with lengths below 2^16 both pseudo-headers have the same sum. */
uint16_t
inet_transport_checksum(const struct inet_packet *packet)
{
	size_t size = inet_size(packet->version);
	uint8_t tail[4] = { 0, packet->protocol };
	uint32_t sum;

	wire_put16(tail + 2, (uint16_t)packet->payload_size);
	sum = inet_sum(packet->source, size, 0);
	sum = inet_sum(packet->destination, size, sum);
	sum = inet_sum(tail, sizeof(tail), sum);
	return inet_checksum(packet->payload, packet->payload_size, sum);
}

static bool
read_v4(const uint8_t *ip, size_t size, struct inet_packet *out)
{
	size_t header, total;

	if (size < INET_V4_SIZE)
		return false;
	header = (size_t)(ip[0] & 0x0f) * 4;
	total = wire_get16(ip + 2);
	if (ip[0] >> 4 != 4 || header < INET_V4_SIZE || total < header || total > size)
		return false;
	if (inet_checksum(ip, header, 0) != 0 || (wire_get16(ip + 6) & V4_FRAGMENT_MASK) != 0)
		return false;
	*out = (struct inet_packet){
		.version = 4,
		.protocol = ip[9],
		.hop_limit = ip[8],
		.source = ip + 12,
		.destination = ip + 16,
		.payload = ip + header,
		.payload_size = total - header,
	};
	return true;
}

static bool
read_v6(const uint8_t *ip, size_t size, struct inet_packet *out)
{
	if (size < INET_V6_SIZE || ip[0] >> 4 != 6 || wire_get16(ip + 4) > size - INET_V6_SIZE)
		return false;
	*out = (struct inet_packet){
		.version = 6,
		.protocol = ip[6],
		.hop_limit = ip[7],
		.source = ip + 8,
		.destination = ip + 24,
		.payload = ip + INET_V6_SIZE,
		.payload_size = wire_get16(ip + 4),
	};
	return true;
}

bool
inet_read(const uint8_t *frame, size_t size, struct inet_packet *out)
{
	const uint8_t *ip = frame + WIRE_ETHER_SIZE;

	if (size < WIRE_ETHER_SIZE)
		return false;
	size -= WIRE_ETHER_SIZE;
	switch (wire_get16(frame + WIRE_TYPE)) {
	case WIRE_TYPE_IPV4:
		return read_v4(ip, size, out);
	case WIRE_TYPE_IPV6:
		return read_v6(ip, size, out);
	default:
		return false;
	}
}

void
inet_write_v4(uint8_t *header, const uint8_t source[4], const uint8_t destination[4],
		size_t payload_size)
{
	memset(header, 0, INET_V4_SIZE);
	header[0] = 0x45;
	wire_put16(header + 2, (uint16_t)(INET_V4_SIZE + payload_size));
	header[6] = 0x40; /* do not fragment */
	header[8] = INET_HOP_LIMIT;
	header[9] = INET_PROTOCOL_ICMP;
	memcpy(header + 12, source, 4);
	memcpy(header + 16, destination, 4);
	wire_put16(header + 10, inet_checksum(header, INET_V4_SIZE, 0));
}

void
inet_write_v6(uint8_t *header, const uint8_t source[16], const uint8_t destination[16],
		size_t payload_size, uint8_t hop_limit)
{
	memset(header, 0, 8);
	header[0] = 0x60;
	wire_put16(header + 4, (uint16_t)payload_size);
	header[6] = INET_PROTOCOL_ICMPV6;
	header[7] = hop_limit;
	memcpy(header + 8, source, 16);
	memcpy(header + 24, destination, 16);
}
