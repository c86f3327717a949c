/* SPDX-License-Identifier: BSD-3-Clause */
/* See check_frame.h. */
#include "check_frame.h"

#include <string.h>

enum {
	MAGIC = 0x56535743, /* "VSWC" */
	AT_MAGIC = WIRE_ETHER_SIZE,
	AT_FLOW = AT_MAGIC + 4,
	AT_RUN = AT_FLOW + 4,
	AT_SIZE = AT_RUN + 4,
	AT_SEQUENCE = AT_SIZE + 4,
	AT_CHECKSUM = AT_SEQUENCE + 8,
	AT_PAYLOAD = AT_CHECKSUM + 8,
};

_Static_assert(AT_PAYLOAD == CHECK_FRAME_MIN, "the payload starts at CHECK_FRAME_MIN");

/* 2^64 divided by the golden ratio. Odd, so that repeated addition visits all 2^64 values. */
#define STEP 0x9e3779b97f4a7c15u

/* Two running sums modulo 2^64, as in Fletcher's checksum. The second depends on the order of words. */
struct sums {
	uint64_t plain, weighted;
};

static void
add_word(struct sums *s, uint64_t word)
{
	s->plain += word;
	s->weighted += s->plain;
}

/* Adds words in the host's byte order, because both ends of a vhost-user socket are on one host. */
static void
add_bytes(struct sums *s, const uint8_t *p, size_t size)
{
	uint64_t word;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		add_word(s, word);
	}
	if (size > 0) {
		word = 0;
		memcpy(&word, p, size);
		add_word(s, word);
	}
}

static uint64_t
mac_number(const uint8_t mac[6])
{
	return (uint64_t)wire_get16(mac) << 32 | wire_get32(mac + 2);
}

static uint64_t
checksum(const uint8_t *frame, size_t size)
{
	struct sums s = { 1, 1 };

	add_word(&s, mac_number(frame) + mac_number(frame + WIRE_SOURCE));
	add_bytes(&s, frame + WIRE_TYPE, AT_CHECKSUM - WIRE_TYPE);
	add_bytes(&s, frame + AT_PAYLOAD, size - AT_PAYLOAD);
	return s.plain ^ (s.weighted << 32 | s.weighted >> 32);
}

/* The first word of a payload. Frames that differ in a field have payloads that differ everywhere. */
static uint64_t
payload_seed(const struct check_frame *c)
{
	uint64_t x = ((uint64_t)c->run << 32 | c->flow) * STEP + c->sequence;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static void
write_payload(uint8_t *p, size_t size, uint64_t word)
{
	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word), word += STEP)
		memcpy(p, &word, sizeof(word));
	memcpy(p, &word, size);
}

void
check_frame_write(uint8_t *frame, size_t size, const uint8_t destination[6],
		const uint8_t source[6], const struct check_frame *c)
{
	memcpy(frame, destination, WIRE_MAC_SIZE);
	memcpy(frame + WIRE_SOURCE, source, WIRE_MAC_SIZE);
	wire_put16(frame + WIRE_TYPE, WIRE_TYPE_CHECK);
	wire_put32(frame + AT_MAGIC, MAGIC);
	wire_put32(frame + AT_FLOW, c->flow);
	wire_put32(frame + AT_RUN, c->run);
	wire_put32(frame + AT_SIZE, (uint32_t)size);
	wire_put64(frame + AT_SEQUENCE, c->sequence);
	write_payload(frame + AT_PAYLOAD, size - AT_PAYLOAD, payload_seed(c));
	wire_put64(frame + AT_CHECKSUM, checksum(frame, size));
}

enum check_result
check_frame_read(const uint8_t *frame, size_t size, struct check_frame *c)
{
	if (size < CHECK_FRAME_MIN || wire_get16(frame + WIRE_TYPE) != WIRE_TYPE_CHECK ||
			wire_get32(frame + AT_MAGIC) != MAGIC)
		return CHECK_OTHER;
	c->flow = wire_get32(frame + AT_FLOW);
	c->run = wire_get32(frame + AT_RUN);
	c->sequence = wire_get64(frame + AT_SEQUENCE);
	if (wire_get32(frame + AT_SIZE) != size ||
			wire_get64(frame + AT_CHECKSUM) != checksum(frame, size))
		return CHECK_CORRUPT;
	return CHECK_GOOD;
}
