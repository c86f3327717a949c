/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does in software the offloads that a receiver lacks: completes a checksum, or cuts a frame into TCP
 * segments (TSO). For the workers, through deliver.c.
 *
 * The frames made here are views, as all frames are. Their first FRAME_HEADERS_MAX bytes lie in `to`,
 * patched. The rest are slices of the segments of the sender's frame. A checksum field after the first
 * bytes is a segment of its own between two slices.
 *
 * Bounds. A frame takes one segment of `to` for its first bytes and at most one slice for each segment of
 * the sender's frame. These are at most 1 + OFFLOAD_SEGMENTS_MAX, and 1 more if the frame was edited:
 * BURST_SEGMENTS_MAX. So one frame always fits into an empty burst, and each call makes progress. A checksum
 * field of its own takes two more; the sender's frame may then have two fewer (OFFLOAD_SEGMENTS_FAR). The
 * slices of all TCP segments together are at most the sender's segments and one more for each cut.
 */
#include "offload.h"

#include <endian.h>
#include <string.h>

#include "base/copy.h"
#include "csum.h"
#include "offload_headers.h"

#define UDP_CHECKSUM 6

/* A position in a sender's frame. */
struct cursor {
	const struct frame_segment *segment;
	uint32_t offset; /* in the segment */
};

/* Moves on by at most `want` bytes within the segment. Returns how many, and their address in *data. */
static uint32_t
cursor_step(struct cursor *cursor, uint32_t want, const uint8_t **data)
{
	const struct frame_segment *segment = cursor->segment;
	uint32_t len = segment->len - cursor->offset;

	*data = segment->data + cursor->offset;
	if (want < len) {
		cursor->offset += want;
		return want;
	}
	cursor->segment++;
	cursor->offset = 0;
	return len;
}

static void
cursor_skip(struct cursor *cursor, uint32_t n)
{
	const uint8_t *data;

	while (n > 0)
		n -= cursor_step(cursor, n, &data);
}

static void
cursor_copy(struct cursor *cursor, uint8_t *dst, uint32_t n)
{
	const uint8_t *data;

	while (n > 0) {
		uint32_t len = cursor_step(cursor, n, &data);

		memcpy(dst, data, len);
		dst += len;
		n -= len;
	}
}

/* Frame `i` of `from` while it is made into frames of `to`. */
struct cutting {
	const struct burst *from;
	uint32_t i;
	struct burst *to;
	uint32_t n_segments; /* of `to`, in use */
	struct cursor cursor;
};

/* Appends the sender's next n bytes as slices. NULL when `to` has too few segments left. */
static struct frame_segment *
put_slices(struct cutting *cutting, struct frame_segment *segment, uint32_t n)
{
	const struct frame_segment *end = cutting->to->segments + BURST_SEGMENTS_MAX;

	for (; n > 0; segment++) {
		if (segment == end)
			return NULL;
		segment->len = cursor_step(&cutting->cursor, n, &segment->data);
		n -= segment->len;
	}
	return segment;
}

/*
 * Makes the next frame of `to`, of `len` bytes. Its first `done` bytes are in to->headers already; the
 * others are the sender's next. False when `to` has too few segments left.
 */
static bool
put_frame(struct cutting *cutting, uint32_t done, uint32_t len)
{
	struct burst *to = cutting->to;
	struct frame *frame = &to->frames[to->n];
	struct frame_segment *segment = &to->segments[cutting->n_segments];
	uint8_t *headers = to->headers[to->n];
	uint32_t copied = len < FRAME_HEADERS_MAX ? len : FRAME_HEADERS_MAX;

	if (segment == to->segments + BURST_SEGMENTS_MAX)
		return false;
	frame->segments = segment;
	frame->len = len;
	cursor_copy(&cutting->cursor, headers + done, copied - done);
	*segment++ = (struct frame_segment){ headers, copied };
	segment = put_slices(cutting, segment, len - copied);
	if (segment == NULL)
		return false;
	frame->n_segments = (uint32_t)(segment - frame->segments);
	return true;
}

/*
 * A frame that is not cut is the only frame of its burst, so the next frame's headers[] are free. A
 * checksum field that is not in the first bytes goes there.
 */
#define FAR_FIELD 1

static bool
is_far(const struct frame_offload *offload)
{
	return offload->csum_start + offload->csum_offset + 2u > offload->copied;
}

/* Stores the checksum of frame `i` from csum_start to its end. */
static void
complete_csum(struct burst *burst, uint32_t i, const struct frame_offload *offload)
{
	const struct frame *frame = &burst->frames[i];
	uint8_t *field = is_far(offload)
			? burst->headers[FAR_FIELD]
			: burst->headers[i] + offload->csum_start + offload->csum_offset;
	uint32_t skip = offload->csum_start;
	struct csum csum = { 0 };
	uint16_t value;

	for (uint32_t k = 0; k < frame->n_segments; k++) {
		const struct frame_segment *segment = &frame->segments[k];
		uint32_t before = skip < segment->len ? skip : segment->len;

		csum_add(&csum, segment->data + before, segment->len - before);
		skip -= before;
	}
	value = (uint16_t)~csum_fold(&csum);
	/*
	 * In UDP 0 means that there is no checksum (RFC 768); UDP-Lite forbids it (RFC 3828). DCCP has its
	 * checksum at the same offset, and treats both forms of 0 alike.
	 */
	if (value == 0 && offload->csum_offset == UDP_CHECKSUM)
		value = 0xffff;
	memcpy(field, &value, sizeof(value));
}

/* Completes the frame that put_frame() began. Its headers are final except the checksum. */
static void
finish_frame(struct cutting *cutting, uint8_t takes)
{
	const struct frame_offload *wanted = &cutting->from->offloads[cutting->i];
	struct burst *to = cutting->to;
	struct frame *frame = &to->frames[to->n];

	if (takes & FRAME_NEEDS_CSUM) {
		to->offloads[to->n] = (struct frame_offload){
			.needs = FRAME_NEEDS_CSUM,
			.copied = frame->segments->len,
			.csum_start = wanted->csum_start,
			.csum_offset = wanted->csum_offset,
		};
		to->offload_mask |= 1ull << to->n;
	} else {
		complete_csum(to, to->n, wanted);
	}
	copy_64(frame->head, to->headers[to->n]);
	if (frame->len > to->longest)
		to->longest = frame->len;
	cutting->n_segments += frame->n_segments;
	to->n++;
}

static void
patch_ipv4(uint8_t *ip, uint32_t len, uint32_t number)
{
	struct csum csum = { 0 };
	uint16_t value;

	headers_put16(ip + IPV4_TOTAL_LENGTH, len);
	headers_put16(ip + IPV4_IDENTIFICATION, headers_get16(ip + IPV4_IDENTIFICATION) + number);
	headers_put16(ip + IPV4_CHECKSUM, 0);
	csum_add(&csum, ip, (ip[0] & 0xfu) * 4);
	value = (uint16_t)~csum_fold(&csum);
	memcpy(ip + IPV4_CHECKSUM, &value, sizeof(value));
}

/*
 * The checksum field holds the sum of the pseudo-header, of which only the length changes. So the sender's
 * value is corrected, not computed: with a routing header or a home address it is not the sum of the
 * addresses in the IPv6 header.
 */
static void
patch_pseudo_sum(uint8_t *field, uint32_t old_len, uint32_t new_len)
{
	struct csum csum = { .sum = headers_get16(field) + (uint16_t)~old_len + new_len };

	headers_put16(field, csum_fold(&csum));
}

/* Turns the headers of a frame of `whole` bytes into those of TCP segment `number`, of `len` bytes in all. */
static void
patch_headers(uint8_t *headers, const struct frame_offload *offload, uint32_t whole,
		uint32_t number, uint32_t len)
{
	uint32_t network = headers_network(headers);
	uint32_t before = number * offload->gso_size;
	uint8_t *tcp = headers + offload->csum_start;
	uint32_t sequence;

	if (offload->needs & FRAME_NEEDS_TSO4)
		patch_ipv4(headers + network, len - network, number);
	else
		headers_put16(headers + network + IPV6_PAYLOAD_LENGTH, len - network - IPV6_LEN);
	memcpy(&sequence, tcp + TCP_SEQUENCE, sizeof(sequence));
	sequence = htobe32(be32toh(sequence) + before);
	memcpy(tcp + TCP_SEQUENCE, &sequence, sizeof(sequence));
	if (number != 0)
		tcp[TCP_FLAGS] &= ~TCP_CWR;
	if (before + len != whole)
		tcp[TCP_FLAGS] &= ~(TCP_FIN | TCP_PSH);
	patch_pseudo_sum(
			tcp + TCP_CHECKSUM, whole - offload->csum_start, len - offload->csum_start);
}

static uint32_t
cut(struct cutting *cutting, uint8_t takes, uint32_t first)
{
	const struct frame_offload *offload = &cutting->from->offloads[cutting->i];
	const uint8_t *headers = cutting->from->headers[cutting->i];
	uint32_t whole = cutting->from->frames[cutting->i].len;
	uint32_t header_len = offload->header_len, payload = whole - header_len;
	uint32_t n = offload_count(cutting->from, cutting->i);
	struct burst *to = cutting->to;

	cursor_skip(&cutting->cursor, header_len + first * offload->gso_size);
	for (uint32_t number = first; number < n && to->n < BURST_MAX; number++) {
		uint32_t left = payload - number * offload->gso_size;
		uint32_t len = header_len + (left < offload->gso_size ? left : offload->gso_size);

		memcpy(to->headers[to->n], headers, header_len);
		patch_headers(to->headers[to->n], offload, whole, number, len);
		if (!put_frame(cutting, header_len, len))
			break;
		finish_frame(cutting, takes);
	}
	return n;
}

/* As put_frame(), with the checksum field in a segment of its own. Always fits. */
static void
put_far_frame(struct cutting *cutting, const struct frame_offload *offload)
{
	struct burst *to = cutting->to;
	struct frame *frame = &to->frames[0];
	struct frame_segment *segment = to->segments;
	uint32_t at = offload->csum_start + offload->csum_offset;
	uint32_t copied = at < offload->copied ? at : offload->copied;

	frame->segments = segment;
	frame->len = cutting->from->frames[cutting->i].len;
	*segment++ = (struct frame_segment){ to->headers[0], copied };
	cursor_skip(&cutting->cursor, copied);
	segment = put_slices(cutting, segment, at - copied);
	cursor_copy(&cutting->cursor, to->headers[FAR_FIELD], 2);
	*segment++ = (struct frame_segment){ to->headers[FAR_FIELD], 2 };
	segment = put_slices(cutting, segment, frame->len - at - 2);
	frame->n_segments = (uint32_t)(segment - frame->segments);
}

/* A frame that is not cut always fits: see above. */
static void
copy_whole(struct cutting *cutting, uint8_t takes)
{
	const struct frame_offload *offload = &cutting->from->offloads[cutting->i];
	uint32_t copied = offload->copied;

	memcpy(cutting->to->headers[0], cutting->from->headers[cutting->i], copied);
	if (is_far(offload)) {
		put_far_frame(cutting, offload);
	} else {
		cursor_skip(&cutting->cursor, copied);
		put_frame(cutting, copied, cutting->from->frames[cutting->i].len);
	}
	finish_frame(cutting, takes);
}

uint32_t
offload_split(const struct burst *from, uint32_t i, uint8_t takes, uint32_t first, struct burst *to)
{
	struct cutting cutting = {
		.from = from,
		.i = i,
		.to = to,
		.cursor = { .segment = from->frames[i].segments },
	};

	to->n = to->longest = 0;
	to->offload_mask = 0;
	to->mbufs = NULL;
	if (from->offloads[i].gso_size != 0)
		return cut(&cutting, takes, first);
	copy_whole(&cutting, takes);
	return 1;
}
