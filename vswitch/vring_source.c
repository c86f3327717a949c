/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of a transmitq. Workers, one at a time for each source.
 *
 * A burst is taken in two tight passes: first heads, descriptors, translation and prefetch of all
 * chains; then the first bytes of all frames. It is given back in the order of the avail ring, by
 * one store of the used index (VIRTIO_F_IN_ORDER, VIRTIO 1.1, 2.6.9), and no chain is held over a
 * turn: so used->idx alone tells where a ring stands, also after a crash of either side.
 */
#include "vring_endpoint.h"

#include <stddef.h>
#include <string.h>

#include "chain.h"
#include "copy.h"

static void
count_bad_chain(struct source *source)
{
	counter_add(&source->counters.frames, 1);
	counter_add(&source->counters.copies_due, 1);
	counter_add(&source->counters.drops[DROP_BAD_CHAIN], 1);
}

/*
 * Removes the virtio-net header from the front of the frame's segments. Nothing in it concerns us:
 * no offload is offered. False when the chain is shorter than the header.
 */
static bool
strip_header(struct frame *frame, struct frame_segment *segments, uint32_t n, uint64_t bytes,
		uint32_t header_len)
{
	uint32_t i = 0, left = header_len;

	if (bytes < header_len)
		return false;
	while (i < n && segments[i].len <= left)
		left -= segments[i++].len;
	if (i < n) {
		segments[i].data += left;
		segments[i].len -= left;
	}
	bytes -= header_len;
	frame->segments = segments + i;
	frame->n_segments = n - i;
	frame->len = bytes > UINT32_MAX ? UINT32_MAX : bytes;
	return true;
}

/* The common chain: one buffer in one region. False when it is anything else. */
static inline bool
take_single(const struct split_vring *vring, uint32_t head, struct frame_segment *segment)
{
	struct vring_desc desc = vring_desc_read(&vring->desc[head]);
	uint64_t available;
	uint8_t *host;

	if (desc.flags != 0)
		return false;
	host = guest_mem_translate(&vring->mem, desc.addr, &available);
	if (host == NULL || available < desc.len)
		return false;
	segment->data = host;
	segment->len = desc.len;
	return true;
}

/* Appends the chain at `head` to the burst. False when the burst has no room for it. */
static bool
take_chain(struct source *source, const struct split_vring *vring, uint32_t head,
		struct burst *burst)
{
	struct frame *frame = &burst->frames[burst->n];
	struct frame_segment *segments = &burst->segments[burst->n_segments];
	uint32_t room = BURST_SEGMENTS_MAX - burst->n_segments;
	uint64_t bytes;
	int n;

	if (room > 0 && take_single(vring, head, segments)) {
		n = 1;
		bytes = segments->len;
	} else {
		n = chain_walk(vring, head, CHAIN_READ, UINT64_MAX, segments, room, &bytes);
	}
	if (n == CHAIN_NO_SPACE)
		return false;
	if (n < 0 || !strip_header(frame, segments, n, bytes, vring->header_len)) {
		count_bad_chain(source);
		return true;
	}
	if (frame->n_segments > 0)
		__builtin_prefetch(frame->segments->data);
	burst->n_segments += n;
	burst->n++;
	return true;
}

/* Gathers the first bytes where they are spread over segments. */
static void
copy_head_scattered(struct frame *frame)
{
	uint32_t want = frame->len < FRAME_HEAD_LEN ? frame->len : FRAME_HEAD_LEN;
	uint32_t done = 0;

	for (uint32_t i = 0; done < want; i++) {
		uint32_t len = frame->segments[i].len;

		if (len > want - done)
			len = want - done;
		copy_up_to_64(frame->head + done, frame->segments[i].data, len);
		done += len;
	}
}

static uint64_t
copy_heads(struct burst *burst)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->n_segments > 0 && frame->segments->len >= FRAME_HEAD_LEN)
			copy_64(frame->head, frame->segments->data);
		else
			copy_head_scattered(frame);
		bytes += frame->len;
	}
	return bytes;
}

static uint32_t
take_chains(struct vring_source *source, const struct split_vring *vring, uint32_t available,
		struct burst *burst)
{
	uint32_t n;

	if (available > BURST_MAX)
		available = BURST_MAX;
	for (n = 0; n < available; n++) {
		uint32_t head = vring_head(vring, source->cursor.avail + n);

		if (head >= vring->size) {
			vring_break(vring, VRING_BAD_HEAD);
			break;
		}
		if (!take_chain(&source->base, vring, head, burst))
			break;
		source->taken[n] = head;
	}
	return n;
}

static uint32_t
source_take(struct source *base, struct burst *burst)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = vring_running(&source->vring);
	uint32_t available;

	burst->n = 0;
	burst->n_segments = 0;
	if (vring == NULL)
		return 0;
	available = vring_available(vring, &source->cursor);
	if (available == 0)
		return 0;
	source->n_taken = take_chains(source, vring, available, burst);
	source->taken_from = vring;
	source->cursor.avail += source->n_taken;
	counter_add(&base->counters.bytes, copy_heads(burst));
	counter_add(&base->counters.frames, burst->n);
	return source->n_taken;
}

static void
source_complete(struct source *base)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = source->taken_from;

	for (uint32_t i = 0; i < source->n_taken; i++)
		vring_put_used(vring, source->cursor.used + i, source->taken[i], 0);
	source->cursor.used += source->n_taken;
	vring_publish(vring, source->cursor.used);
	vring_call(vring);
}

static bool
source_arm(struct source *base)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = vring_running(&source->vring);

	if (vring == NULL)
		return true;
	vring_want_kicks(vring, true);
	/* The flag must be visible before the index is read again: VIRTIO 1.1, 2.6.10. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vring_available(vring, &source->cursor) == 0;
}

/*
 * The frontend may wait for a call that a switch before this one did not come to make: after each
 * start of the rings it is called once on both.
 */
static void
greet(struct vring_source *source, const struct split_vring *vring)
{
	const struct split_vring *receiveq = vring_running(&source->sibling->vring);

	source->greeted = vring;
	vring_call(vring);
	if (receiveq != NULL)
		vring_call(receiveq);
}

static void
source_disarm(struct source *base)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = vring_running(&source->vring);

	if (vring == NULL)
		return;
	vring_want_kicks(vring, false);
	if (vring != source->greeted)
		greet(source, vring);
}

static const struct source_ops vring_source_ops = {
	.take = source_take,
	.complete = source_complete,
	.arm = source_arm,
	.disarm = source_disarm,
};

void
vring_source_init(struct vring_source *source, uint16_t port, struct vring_sink *sibling)
{
	memset(source, 0, sizeof(*source));
	source->sibling = sibling;
	source->base.ops = &vring_source_ops;
	source->base.port = port;
	source->base.worker = -1;
}
