/* SPDX-License-Identifier: BSD-3-Clause */
#include "honest_frame.h"

#include <string.h>

#define ETHERTYPE_HIGH 0x88 /* 0x88B5, IEEE 802: for local experiments */
#define ETHERTYPE_LOW 0xB5
#define STAMP_AT 16 /* behind the Ethernet header, aligned */
#define FILL_AT (STAMP_AT + sizeof(struct honest_stamp))

uint32_t
honest_frame_len(uint64_t number)
{
	static const uint32_t lens[] = { 64, 200, 594, HONEST_FRAME_MAX };

	return lens[number % 4];
}

/* Stafford's variant 13 of the finaliser of MurmurHash3. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static uint64_t
seed_of(const struct honest_stamp *stamp)
{
	return mix(stamp->key ^ mix(stamp->number ^ mix(stamp->due ^ mix(stamp->shown))));
}

static void
write_header(uint8_t header[STAMP_AT], const uint8_t to[6], const uint8_t from[6])
{
	memset(header, 0, STAMP_AT);
	memcpy(header, to, 6);
	memcpy(header + 6, from, 6);
	header[12] = ETHERTYPE_HIGH;
	header[13] = ETHERTYPE_LOW;
}

void
honest_frame_write(uint8_t *frame, const uint8_t to[6], const uint8_t from[6],
		const struct honest_stamp *stamp)
{
	uint32_t len = honest_frame_len(stamp->number);
	uint64_t word = seed_of(stamp);

	write_header(frame, to, from);
	memcpy(frame + STAMP_AT, stamp, sizeof(*stamp));
	for (uint32_t at = FILL_AT; at < len; at += sizeof(word)) {
		memcpy(frame + at, &word, len - at < sizeof(word) ? len - at : sizeof(word));
		word = word * 6364136223846793005ull + 1442695040888963407ull;
	}
}

bool
honest_frame_is_ours(const uint8_t *frame, uint32_t len, uint64_t key, struct honest_stamp *stamp)
{
	if (len < FILL_AT || frame[12] != ETHERTYPE_HIGH || frame[13] != ETHERTYPE_LOW)
		return false;
	memcpy(stamp, frame + STAMP_AT, sizeof(*stamp));
	return stamp->key == key;
}

bool
honest_frame_is_whole(const uint8_t *frame, uint32_t len, const uint8_t to[6],
		const uint8_t from[6], const struct honest_stamp *stamp)
{
	uint8_t header[STAMP_AT];
	uint64_t word = seed_of(stamp);

	write_header(header, to, from);
	if (len != honest_frame_len(stamp->number) || memcmp(frame, header, STAMP_AT) != 0)
		return false;
	for (uint32_t at = FILL_AT; at < len; at += sizeof(word)) {
		uint32_t part = len - at < sizeof(word) ? len - at : sizeof(word);

		if (memcmp(frame + at, &word, part) != 0)
			return false;
		word = word * 6364136223846793005ull + 1442695040888963407ull;
	}
	return true;
}
