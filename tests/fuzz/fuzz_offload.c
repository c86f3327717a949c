/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One frame with a virtio-net header, both of them right, nearly right or nonsense, in pieces that
 * lie apart: what offload_read() believes has bounds that hold, offload_write() says the same again,
 * and what offload_split() makes is, by another reckoning, the frame's bytes with right headers and
 * checksums.
 */
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "offloads/offload.h"
#include "offload_frames.h"
#include "offloads/offload_headers.h"

#define PIECES_MAX 24
#define FRAME 3 /* place in the burst */
#define NEEDS_TSO (FRAME_NEEDS_TSO4 | FRAME_NEEDS_TSO6)

static struct burst *from, *to;
static uint8_t bytes[OFFLOAD_BYTES_MAX];
static uint8_t made[OFFLOAD_BYTES_MAX];
static uint8_t *pieces[PIECES_MAX]; /* each as long as it is, so that a sanitizer sees its end */
static uint32_t n_pieces;

static void
setup(void)
{
	if (from != NULL)
		return;
	from = aligned_alloc(64, sizeof(*from));
	to = aligned_alloc(64, sizeof(*to));
	if (from == NULL || to == NULL)
		abort();
}

/* A frame that a stack makes, with its header. */
static uint32_t
read_shape(struct fuzz_input *input, struct virtio_net_hdr *header)
{
	struct shape shape = { .partial = true };
	uint8_t kind = fuzz_u8(input);

	shape.ipv6 = kind & 1;
	shape.udp = (kind & 6) == 2;
	shape.tags = kind >> 4 & 3;
	shape.ip_options = shape.ipv6 ? fuzz_below(input, 20) * 8 : fuzz_below(input, 11) * 4;
	shape.tcp_options = shape.udp ? 0 : fuzz_below(input, 11) * 4;
	shape.flags = fuzz_u8(input);
	shape.id = fuzz_u16(input);
	shape.sequence = fuzz_u32(input);
	shape.payload = fuzz_below(input, kind & 0x40 ? 65000 : 2000);
	frames_build(&shape, bytes);
	*header = frames_header(&shape, kind & 0x80 ? 1 + fuzz_below(input, 2000) : 0);
	return frames_len(&shape);
}

static void
spoil(struct fuzz_input *input, uint32_t len, struct virtio_net_hdr *header)
{
	for (uint32_t n = fuzz_below(input, 4); n > 0; n--) {
		uint32_t at = fuzz_u8(input);

		if (at < sizeof(*header))
			((uint8_t *)header)[at] = fuzz_u8(input);
		else if (at - sizeof(*header) < len)
			bytes[at - sizeof(*header)] = fuzz_u8(input);
	}
}

/* Fills `bytes` and the header; returns the frame's length, which is not 0. */
static uint32_t
read_frame(struct fuzz_input *input, struct virtio_net_hdr *header)
{
	uint8_t kind = fuzz_u8(input);
	uint32_t len;

	if (kind & 1) {
		len = read_shape(input, header);
		spoil(input, len, header);
		if (kind & 2)
			len = 1 + fuzz_below(input, len < 65536 ? len : 65536);
	} else {
		fuzz_bytes(input, header, sizeof(*header));
		len = 1 + fuzz_below(input, 2000);
		fuzz_bytes(input, bytes, len);
	}
	return len;
}

/* Lays the frame into the burst in pieces that the input cuts. */
static void
lay_frame(struct fuzz_input *input, uint32_t len)
{
	struct frame *frame = &from->frames[FRAME];
	uint32_t n = 1 + fuzz_below(input, PIECES_MAX), done = 0;

	for (n_pieces = 0; done < len; n_pieces++) {
		uint32_t left = len - done;
		uint32_t some = n_pieces + 1 < n ? 1 + fuzz_below(input, 512) : left;

		some = some < left ? some : left;
		pieces[n_pieces] = malloc(some);
		if (pieces[n_pieces] == NULL)
			abort();
		memcpy(pieces[n_pieces], bytes + done, some);
		from->segments[n_pieces] = (struct frame_segment){ .data = pieces[n_pieces],
			.len = some };
		done += some;
	}
	from->offload_mask = 0;
	frame->segments = from->segments;
	frame->n_segments = n_pieces;
	frame->len = len;
	memset(frame->head, 0, sizeof(frame->head));
	memcpy(frame->head, bytes, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
}

static void
free_frame(void)
{
	for (uint32_t i = 0; i < n_pieces; i++)
		free(pieces[i]);
}

/* Sum of 16-bit words modulo 65,535, the first byte the higher one: 0 of what has a right checksum. */
static uint32_t
sum(const uint8_t *data, uint32_t len)
{
	uint64_t all = 0;

	for (uint32_t i = 0; i < len; i++)
		all += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
	return (uint32_t)(all % 0xffff);
}

static bool
same_belief(const struct frame_offload *a, const struct frame_offload *b)
{
	return a->needs == b->needs && a->copied == b->copied && a->csum_start == b->csum_start &&
			a->csum_offset == b->csum_offset && a->gso_size == b->gso_size &&
			a->header_len == b->header_len;
}

/* Bounds of what was believed, and what a receiver that takes it as it is would be told. */
static void
check_belief(uint32_t len, uint8_t allowed)
{
	const struct frame_offload belief = from->offloads[FRAME];
	struct virtio_net_hdr written;
	uint32_t copied = len < FRAME_HEADERS_MAX ? len : FRAME_HEADERS_MAX;

	FUZZ_CHECK(from->offload_mask == 1ull << FRAME);
	FUZZ_CHECK((belief.needs & FRAME_NEEDS_CSUM) && (belief.needs & ~allowed) == 0);
	FUZZ_CHECK(belief.copied == copied);
	FUZZ_CHECK(memcmp(from->headers[FRAME], bytes, copied) == 0);
	FUZZ_CHECK(memcmp(from->frames[FRAME].head, bytes, copied < 64 ? copied : 64) == 0);
	FUZZ_CHECK(belief.csum_start >= ETHERNET_HEADER_LEN);
	FUZZ_CHECK(belief.csum_start + belief.csum_offset + 2u <=
			(belief.gso_size != 0 ? copied : len));
	FUZZ_CHECK((belief.gso_size != 0) == ((belief.needs & NEEDS_TSO) != 0));
	FUZZ_CHECK(belief.gso_size == 0 || len - belief.header_len > belief.gso_size);
	FUZZ_CHECK(belief.gso_size == 0 || belief.header_len <= copied);
	FUZZ_CHECK(offload_count(from, FRAME) <= OFFLOAD_CUTS_MAX);
	FUZZ_CHECK(burst_wire_len(from, FRAME) <= len);
	offload_write(from, FRAME, &written);
	from->offload_mask = 0;
	FUZZ_CHECK(offload_read(from, FRAME, &written, belief.needs));
	FUZZ_CHECK(same_belief(&belief, &from->offloads[FRAME]));
}

/* Whether the bytes lie in one piece of the sender's. */
static bool
lies_in_pieces(const struct frame_segment *segment)
{
	for (uint32_t i = 0; i < n_pieces; i++) {
		const struct frame_segment *piece = &from->segments[i];

		if (segment->data >= piece->data &&
				segment->len <= piece->len -
								(size_t)(segment->data -
										piece->data) &&
				segment->data < piece->data + piece->len)
			return true;
	}
	return false;
}

/* Whether the bytes are a checksum field that lies behind what is copied of a frame. */
static bool
is_far_field(const struct frame_segment *segment)
{
	const struct frame_offload *offload = &from->offloads[FRAME];

	return segment->data == to->headers[1] && segment->len == 2 && to->n == 1 &&
			offload->csum_start + offload->csum_offset + 2u > offload->copied;
}

/* Gathers frame i of `to`, whose segments begin at number *taken. */
static uint32_t
gather(uint32_t i, uint32_t *taken)
{
	const struct frame *frame = &to->frames[i];
	uint32_t len = 0;

	FUZZ_CHECK(frame->segments == to->segments + *taken);
	FUZZ_CHECK(frame->n_segments >= 1 && frame->n_segments <= BURST_SEGMENTS_MAX - *taken);
	FUZZ_CHECK(frame->segments[0].data == to->headers[i]);
	FUZZ_CHECK(frame->segments[0].len <= FRAME_HEADERS_MAX);
	for (uint32_t k = 0; k < frame->n_segments; k++) {
		const struct frame_segment *segment = &frame->segments[k];

		FUZZ_CHECK(segment->len > 0 && segment->len <= sizeof(made) - len);
		FUZZ_CHECK(k == 0 || lies_in_pieces(segment) || is_far_field(segment));
		memcpy(made + len, segment->data, segment->len);
		len += segment->len;
	}
	FUZZ_CHECK(frame->len == len && len <= to->longest);
	FUZZ_CHECK(memcmp(frame->head, made, len < 64 ? len : 64) == 0);
	*taken += frame->n_segments;
	return len;
}

/* The network header of a segment: its own length, and the sender's but for that and the number. */
static void
check_network(uint32_t number, uint32_t len)
{
	uint32_t network = headers_network(bytes);
	uint8_t *ip = made + network;
	const uint8_t *was = bytes + network;

	if (from->offloads[FRAME].needs & FRAME_NEEDS_TSO4) {
		FUZZ_CHECK(headers_get16(ip + IPV4_TOTAL_LENGTH) == len - network);
		FUZZ_CHECK(headers_get16(ip + IPV4_IDENTIFICATION) ==
				(uint16_t)(headers_get16(was + IPV4_IDENTIFICATION) + number));
		FUZZ_CHECK(sum(ip, (ip[0] & 0xfu) * 4) == 0);
		memcpy(ip + IPV4_TOTAL_LENGTH, was + IPV4_TOTAL_LENGTH, 2);
		memcpy(ip + IPV4_IDENTIFICATION, was + IPV4_IDENTIFICATION, 2);
		memcpy(ip + IPV4_CHECKSUM, was + IPV4_CHECKSUM, 2);
	} else {
		FUZZ_CHECK(headers_get16(ip + IPV6_PAYLOAD_LENGTH) == len - network - IPV6_LEN);
		memcpy(ip + IPV6_PAYLOAD_LENGTH, was + IPV6_PAYLOAD_LENGTH, 2);
	}
}

static void
check_flags(uint32_t number, bool last)
{
	uint32_t at = from->offloads[FRAME].csum_start + TCP_FLAGS;
	uint8_t flags = bytes[at];

	if (number != 0)
		flags &= (uint8_t)~TCP_CWR;
	if (!last)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	FUZZ_CHECK(made[at] == flags);
	made[at] = bytes[at];
}

static void
check_sequence(uint32_t before)
{
	uint32_t at = from->offloads[FRAME].csum_start + TCP_SEQUENCE, is, was;

	memcpy(&is, made + at, sizeof(is));
	memcpy(&was, bytes + at, sizeof(was));
	FUZZ_CHECK(be32toh(is) == be32toh(was) + before);
	memcpy(made + at, bytes + at, sizeof(was));
}

/*
 * The checksum of what was made, or the sum of the pseudo-header where it is still to be done. The
 * sender's field holds that sum, with the length of the whole.
 */
static void
check_checksum(uint32_t i, uint32_t whole, uint32_t len, uint8_t takes)
{
	const struct frame_offload *offload = &from->offloads[FRAME];
	uint32_t start = offload->csum_start, field = start + offload->csum_offset;
	uint32_t pseudo = headers_get16(bytes + field) + 0xffff - (whole - start) % 0xffff +
			(len - start) % 0xffff;

	if (takes & FRAME_NEEDS_CSUM) {
		FUZZ_CHECK(to->offload_mask >> i & 1);
		FUZZ_CHECK(to->offloads[i].needs == FRAME_NEEDS_CSUM);
		FUZZ_CHECK(to->offloads[i].csum_start == start);
		FUZZ_CHECK(to->offloads[i].csum_offset == offload->csum_offset);
		FUZZ_CHECK(headers_get16(made + field) % 0xffff == pseudo % 0xffff);
	} else if (offload->csum_offset % 2 == 0) {
		FUZZ_CHECK((to->offload_mask >> i & 1) == 0);
		FUZZ_CHECK((sum(made + start, len - start) + pseudo) % 0xffff == 0);
	}
	memcpy(made + field, bytes + field, 2);
}

/* Frame i of `to`, which is TCP segment `number` of the sender's frame. */
static void
check_segment(uint32_t i, uint32_t number, uint32_t *taken, uint32_t whole, uint8_t takes)
{
	const struct frame_offload *offload = &from->offloads[FRAME];
	uint32_t before = number * offload->gso_size, header_len = offload->header_len;
	uint32_t len = gather(i, taken), left = whole - header_len - before;

	FUZZ_CHECK(len - header_len == (left < offload->gso_size ? left : offload->gso_size));
	check_checksum(i, whole, len, takes);
	check_network(number, len);
	check_sequence(before);
	check_flags(number, left <= offload->gso_size);
	/* All that may differ was put back. */
	FUZZ_CHECK(memcmp(made, bytes, header_len) == 0);
	FUZZ_CHECK(memcmp(made + header_len, bytes + header_len + before, len - header_len) == 0);
}

static void
check_whole(uint32_t *taken, uint32_t whole, uint8_t takes)
{
	uint32_t len = gather(0, taken);

	FUZZ_CHECK(len == whole && to->n == 1);
	check_checksum(0, whole, len, takes);
	FUZZ_CHECK(memcmp(made, bytes, len) == 0);
}

static void
check_split(uint32_t len, uint8_t takes)
{
	bool cut = from->offloads[FRAME].gso_size != 0;
	uint32_t due = offload_count(from, FRAME), done = 0;

	while (done < due) {
		uint32_t taken = 0;

		FUZZ_CHECK(offload_split(from, FRAME, takes, done, to) == due);
		FUZZ_CHECK(to->n >= 1 && to->n <= BURST_MAX && to->n <= due - done);
		FUZZ_CHECK(to->mbufs == NULL);
		FUZZ_CHECK(to->n == 64 || to->offload_mask >> to->n == 0);
		for (uint32_t i = 0; i < to->n && cut; i++)
			check_segment(i, done + i, &taken, len, takes);
		if (!cut)
			check_whole(&taken, len, takes);
		done += to->n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct virtio_net_hdr header;
	uint8_t allowed, takes;
	uint32_t len;

	setup();
	allowed = (uint8_t)~fuzz_u8(&input) & FRAME_NEEDS_ALL;
	takes = fuzz_u8(&input) & FRAME_NEEDS_ALL;
	len = read_frame(&input, &header);
	lay_frame(&input, len);
	if (offload_read(from, FRAME, &header, allowed) && from->offload_mask != 0) {
		check_belief(len, allowed);
		if ((from->offloads[FRAME].needs & ~takes) != 0)
			check_split(len, takes);
	} else {
		FUZZ_CHECK(from->offload_mask == 0);
	}
	free_frame();
	return 0;
}
