/* SPDX-License-Identifier: BSD-3-Clause */
/* See edit.h. */
#include "edit.h"

#include <stddef.h>
#include <string.h>

#define ADDRESSES_LEN 12

void
edit_begin(struct edited *edited)
{
	edited->burst.n = 0;
	edited->burst.longest = 0;
	edited->burst.offload_mask = 0;
	edited->burst.mbufs = NULL;
	edited->n_segments = 0;
}

/* Tags that the frame has and the edit takes off, in bytes; the EtherType behind them stays. */
static uint32_t
popped_len(const uint8_t *head, uint32_t head_len, struct edit edit)
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < edit.pops; i++) {
		if (ETHERNET_HEADER_LEN + len + VLAN_TAG_LEN > head_len ||
				!frame_has_tag(head + ADDRESSES_LEN + len))
			break;
		len += VLAN_TAG_LEN;
	}
	return len;
}

static uint32_t
write_tag(uint8_t *to, struct edit edit)
{
	uint16_t type = edit.push == EDIT_PUSH_SVLAN ? ETHERTYPE_SVLAN : ETHERTYPE_CVLAN;

	if (edit.push == EDIT_PUSH_NONE)
		return 0;
	to[0] = (uint8_t)(type >> 8);
	to[1] = (uint8_t)type;
	to[2] = (uint8_t)(edit.tci >> 8);
	to[3] = (uint8_t)edit.tci;
	return VLAN_TAG_LEN;
}

/* Copies the frame's bytes from `at` to `end`, which it has, out of its segments. */
static void
copy_range(uint8_t *to, const struct frame *frame, uint32_t at, uint32_t end)
{
	uint32_t begin = 0;

	for (uint32_t i = 0; i < frame->n_segments && at < end; i++) {
		const struct frame_segment *segment = &frame->segments[i];
		uint32_t last = begin + segment->len < end ? begin + segment->len : end;

		if (at < last) {
			memcpy(to, segment->data + (at - begin), last - at);
			to += last - at;
			at = last;
		}
		begin += segment->len;
	}
}

/*
 * The segments of the edited frame: its new first bytes, and the old frame's from `rest` on. The sinks
 * write the first bytes from where burst_head() says, which these are a view of.
 */
static void
set_segments(struct edited *edited, struct frame *to, const uint8_t *head, uint32_t head_len,
		const struct frame *old, uint32_t rest)
{
	struct frame_segment *segments = &edited->segments[edited->n_segments];
	uint32_t begin = 0, n = 0;

	segments[n++] = (struct frame_segment){ .data = head, .len = head_len };
	for (uint32_t i = 0; i < old->n_segments; i++) {
		const struct frame_segment *segment = &old->segments[i];
		uint32_t end = begin + segment->len, skip = rest > begin ? rest - begin : 0;

		if (end > rest)
			segments[n++] = (struct frame_segment){ .data = segment->data + skip,
				.len = segment->len - skip };
		begin = end;
	}
	to->segments = segments;
	to->n_segments = n;
	edited->n_segments += n;
}

/* What is left undone is the same, at other places. */
static void
move_offload(struct burst *to, const struct frame_offload *old, uint32_t copied, uint32_t grown)
{
	struct frame_offload *offload = &to->offloads[to->n];

	*offload = *old;
	offload->copied = (uint16_t)copied;
	offload->csum_start = (uint16_t)(old->csum_start + grown);
	if (old->gso_size != 0)
		offload->header_len = (uint16_t)(old->header_len + grown);
	to->offload_mask |= 1ull << to->n;
}

static void
make_edited(struct edited *edited, const struct burst *from, uint32_t i, struct edit edit)
{
	const struct frame *old = &from->frames[i];
	struct burst *burst = &edited->burst;
	struct frame *frame = &burst->frames[burst->n];
	bool has_offload = burst_has_offload(from, i);
	uint8_t *bytes = burst->headers[burst->n];
	uint32_t head_len, popped, tag, len, copied;
	const uint8_t *head = burst_head(from, i, &head_len);

	popped = popped_len(head, head_len, edit);
	memcpy(bytes, head, ADDRESSES_LEN);
	tag = write_tag(bytes + ADDRESSES_LEN, edit);
	frame->len = old->len + tag - popped;
	len = has_offload ? FRAME_HEADERS_MAX : FRAME_HEAD_LEN;
	if (len > frame->len)
		len = frame->len;
	/* Of the old frame's copied bytes as many as there are, and what is missing from its memory. */
	copied = head_len - popped + tag < len ? head_len - popped + tag : len;
	memcpy(bytes + ADDRESSES_LEN + tag, head + ADDRESSES_LEN + popped,
			copied - ADDRESSES_LEN - tag);
	copy_range(bytes + copied, old, head_len, head_len + len - copied);
	memcpy(frame->head, bytes, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
	set_segments(edited, frame, bytes, len, old, len + popped - tag);
	if (has_offload)
		move_offload(burst, &from->offloads[i], len, tag - popped);
}

static void
copy_as_it_is(struct burst *burst, const struct burst *from, uint32_t i)
{
	burst->frames[burst->n] = from->frames[i];
	if (!burst_has_offload(from, i))
		return;
	burst->offloads[burst->n] = from->offloads[i];
	memcpy(burst->headers[burst->n], from->headers[i], from->offloads[i].copied);
	burst->offload_mask |= 1ull << burst->n;
}

void
edit_add(struct edited *edited, const struct burst *from, uint32_t i, struct edit edit)
{
	struct burst *burst = &edited->burst;
	uint32_t len;

	if (edit_changes(edit))
		make_edited(edited, from, i, edit);
	else
		copy_as_it_is(burst, from, i);
	len = burst_wire_len(burst, burst->n);
	if (len > burst->longest)
		burst->longest = len;
	burst->n++;
}
