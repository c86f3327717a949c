/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of a transmitq. Workers, one at a time for each source.
 *
 * A burst is taken in two tight passes: first heads, descriptors, translation, prefetch and used
 * elements of all chains; then the first bytes of all frames. It is given back in the order of the
 * avail ring, by one store of the used index (VIRTIO_F_IN_ORDER, VIRTIO 1.1, 2.6.9), and no chain is
 * held over a turn: so used->idx alone tells where a ring stands, also after a crash of either side.
 */
#include "vring_endpoint.h"

#include <stddef.h>
#include <string.h>

#include "chain.h"
#include "base/copy.h"
#include "datapath/frame_head.h"
#include "offloads/offload.h"
#include "rarp.h"
#include "vring_memory.h"

/*
 * Moves the virtio-net header from the front of the frame's segments to `header`. False when the
 * chain is shorter than the header.
 */
static bool
strip_header(struct frame *frame, struct frame_segment *segments, uint32_t n, uint64_t bytes,
		uint32_t header_len, uint8_t *header)
{
	uint32_t i = 0, left = header_len;

	if (bytes < header_len)
		return false;
	for (; i < n && segments[i].len <= left; i++) {
		memcpy(header + header_len - left, segments[i].data, segments[i].len);
		left -= segments[i].len;
	}
	if (i < n) {
		memcpy(header + header_len - left, segments[i].data, left);
		segments[i].data += left;
		segments[i].len -= left;
	}
	bytes -= header_len;
	frame->segments = segments + i;
	frame->n_segments = n - i;
	frame->len = bytes > UINT32_MAX ? UINT32_MAX : bytes;
	return true;
}

/* Any chain. Returns how many of the `room` segments it took, CHAIN_BAD or CHAIN_NO_SPACE. */
static int
take_chain(const struct split_vring *vring, uint32_t head, struct frame *frame,
		struct frame_segment *segments, uint32_t room, uint8_t *header, uint32_t *followed)
{
	uint64_t bytes;
	int n = chain_walk(vring, head, CHAIN_READ, UINT64_MAX, segments, room, &bytes, followed);

	if (n < 0)
		return n;
	if (!strip_header(frame, segments, n, bytes, vring->header_len, header))
		return CHAIN_BAD;
	if (frame->n_segments > 0)
		__builtin_prefetch(frame->segments->data);
	return n;
}

/* Also finds the longest frame; returns the bytes of all. */
static uint64_t
copy_heads(struct burst *burst)
{
	uint32_t n = burst->n, longest = 0;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct frame *frame = &burst->frames[i];
		uint32_t len = frame->len;

		if (frame->n_segments > 0 && frame->segments->len >= FRAME_HEAD_LEN)
			copy_64(frame->head, frame->segments->data);
		else if (frame->n_segments == 1)
			copy_up_to_64(frame->head, frame->segments->data, len);
		else
			frame_gather_head(frame);
		bytes += len;
		longest = len > longest ? len : longest;
	}
	burst->longest = longest;
	return bytes;
}

/* How far a burst is filled. */
struct filling {
	uint32_t n_taken; /* chains, bad ones included */
	uint32_t n_frames;
	uint32_t n_segments;
	uint32_t followed;  /* descriptors, at most CHAIN_TAKE_MAX when a chain begins */
	uint64_t bytes;	    /* of frames that are no common chains */
	uint64_t scattered; /* bit i: frame i is no common chain; its header stands in headers[i] */
	uint64_t bad;	    /* bit i: chain i is bad, and no frame */
};

static inline void
put_single(struct frame *frame, struct frame_segment *segment, const uint8_t *data, uint32_t len)
{
	segment->data = data;
	segment->len = len;
	frame->segments = segment;
	frame->n_segments = 1;
	frame->len = len;
}

/* The common chains: header and frame in one buffer in one region. Ends at the first other one. */
static void
take_singles(const struct vring_source *source, const struct split_vring *vring, uint32_t available,
		struct burst *burst, struct filling *filling)
{
	const struct vring_parts parts = vring_parts(vring);
	const uint16_t avail = source->cursor.avail + filling->n_taken;
	const uint16_t used = source->cursor.used + filling->n_taken;
	struct frame *frame = &burst->frames[filling->n_frames];
	struct frame_segment *segment = &burst->segments[filling->n_segments];
	struct guest_window window = { 0 };
	uint32_t n = available - filling->n_taken, i;

	if (n > BURST_SEGMENTS_MAX - filling->n_segments)
		n = BURST_SEGMENTS_MAX - filling->n_segments;
	if (filling->followed + n > CHAIN_TAKE_MAX)
		n = filling->followed < CHAIN_TAKE_MAX ? CHAIN_TAKE_MAX - filling->followed : 0;
	for (i = 0; i < n; i++) {
		uint32_t head = vring_head(&parts, avail + i);
		struct vring_desc desc;
		const uint8_t *host;

		if (head >= parts.size)
			break;
		desc = vring_desc_read(&parts.desc[head]);
		if (desc.flags != 0 || desc.len < parts.header_len)
			break;
		host = guest_window_translate(&window, &vring->mem, desc.addr, desc.len);
		if (host == NULL)
			break;
		host += parts.header_len;
		__builtin_prefetch(host);
		vring_put_used(&parts, used + i, head, 0);
		put_single(frame++, segment++, host, desc.len - parts.header_len);
	}
	filling->n_taken += i;
	filling->n_frames += i;
	filling->n_segments += i;
	filling->followed += i;
}

/* The next chain, whatever it is. False when the burst ends before it. */
static bool
take_other(struct vring_source *source, const struct split_vring *vring, struct burst *burst,
		struct filling *filling)
{
	const struct vring_parts parts = vring_parts(vring);
	uint32_t head = vring_head(&parts, source->cursor.avail + filling->n_taken);
	int took;

	if (filling->followed >= CHAIN_TAKE_MAX || filling->bytes >= BURST_BYTES_MAX)
		return false;
	if (head >= parts.size) {
		vring_break(vring, VRING_BAD_HEAD);
		return false;
	}
	took = take_chain(vring, head, &burst->frames[filling->n_frames],
			&burst->segments[filling->n_segments],
			BURST_SEGMENTS_MAX - filling->n_segments, burst->headers[filling->n_frames],
			&filling->followed);
	if (took == CHAIN_NO_SPACE)
		return false;
	vring_put_used(&parts, source->cursor.used + filling->n_taken, head, 0);
	if (took == CHAIN_BAD) {
		filling->bad |= 1ull << filling->n_taken++;
		return true;
	}
	filling->n_taken++;
	filling->n_segments += (uint32_t)took;
	filling->bytes += burst->frames[filling->n_frames].len;
	filling->scattered |= 1ull << filling->n_frames;
	filling->n_frames++;
	return true;
}

/*
 * Fills the burst with up to `available` chains. Their used elements are written at once: nobody
 * looks at them before the used index says so.
 */
static void
take_chains(struct vring_source *source, const struct split_vring *vring, uint32_t available,
		struct burst *burst, struct filling *filling)
{
	do
		take_singles(source, vring, available, burst, filling);
	while (filling->n_taken < available && take_other(source, vring, burst, filling));
	burst->n = filling->n_frames;
	burst->mbufs = NULL;
	burst->offload_mask = 0;
	source->scattered = filling->scattered;
}

/* Ends the burst with frame n - 1: the chains after its own are the next turn's. */
static void
end_burst(struct burst *burst, struct filling *filling, uint32_t n)
{
	uint32_t taken = 0;

	for (uint32_t frames = 0; frames < n; taken++)
		frames += (filling->bad >> taken & 1) == 0;
	filling->n_taken = taken;
	burst->n = n;
}

/*
 * Ends the burst where it has BURST_BYTES_MAX bytes, which it has. Returns the bytes of its frames.
 * Inline it would take the registers of take_singles().
 */
static __attribute__((noinline)) uint64_t
limit_bytes(struct burst *burst, struct filling *filling)
{
	uint64_t bytes = 0;
	uint32_t n = 0;

	burst->longest = 0;
	while (bytes < BURST_BYTES_MAX) {
		uint32_t len = burst->frames[n++].len;

		bytes += len;
		burst->longest = len > burst->longest ? len : burst->longest;
	}
	end_burst(burst, filling, n);
	return bytes;
}

/* Bad chains that were taken, which no frame shows. */
static __attribute__((noinline)) void
count_bad(struct vring_source *source, const struct filling *filling)
{
	for (uint32_t i = 0; i < filling->n_taken; i++)
		if ((filling->bad >> i & 1) != 0)
			source_count_bad(&source->base, DROP_BAD_CHAIN);
}

/* The virtio-net header of frame i, read once; false when it asks for nothing. */
static bool
read_header(const struct vring_source *source, const struct burst *burst, uint32_t i,
		uint32_t header_len, struct virtio_net_hdr *header)
{
	const uint8_t *from = burst->headers[i];

	if ((source->scattered >> i & 1) == 0)
		from = burst->frames[i].segments->data - header_len;
	memcpy(header, from, sizeof(*header));
	/* From here on only the copy counts: the compiler must not go back to the guest's. */
	__asm__ volatile("" : "+m"(*header));
	return (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 ||
			header->gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

static void
move_frame(struct burst *burst, uint32_t from, uint32_t to)
{
	burst->frames[to] = burst->frames[from];
	if (!burst_has_offload(burst, from))
		return;
	burst->offload_mask ^= 1ull << from | 1ull << to;
	burst->offloads[to] = burst->offloads[from];
	memcpy(burst->headers[to], burst->headers[from], burst->offloads[to].copied);
}

/*
 * For a frontend that may leave work undone: reads what its headers say, and ends the burst where it
 * is enough. Returns all frames' bytes.
 */
static uint64_t
read_offloads(struct vring_source *source, const struct split_vring *vring, struct burst *burst,
		struct filling *filling)
{
	struct virtio_net_hdr header;
	uint32_t kept = 0, wire_frames = 0, len, i;
	uint64_t bytes = 0;

	burst->longest = 0;
	for (i = 0; i < burst->n && wire_frames < BURST_WIRE_FRAMES_MAX; i++) {
		if (read_header(source, burst, i, vring->header_len, &header) &&
				!offload_read(burst, i, &header, vring->needs)) {
			source_count_bad(&source->base, DROP_BAD_OFFLOAD);
			continue;
		}
		if (kept != i)
			move_frame(burst, i, kept);
		bytes += burst->frames[kept].len;
		len = burst_wire_len(burst, kept);
		if (len > burst->longest)
			burst->longest = len;
		wire_frames += offload_count(burst, kept);
		kept++;
	}
	if (i < burst->n)
		end_burst(burst, filling, i);
	burst->n = kept;
	return bytes;
}

/* A burst of one frame that no chain holds. */
static uint32_t
take_announcement(struct vring_source *source, const struct split_vring *vring, struct burst *burst)
{
	uint64_t announced = __atomic_exchange_n(&source->announced, 0, __ATOMIC_ACQUIRE) >> 16;
	uint8_t *data = burst->headers[0];

	if (announced == 0)
		return 0; /* withdrawn meanwhile */
	rarp_build((const uint8_t *)&announced, data);
	put_single(&burst->frames[0], &burst->segments[0], data, RARP_FRAME_LEN);
	burst->n = 1;
	burst->offload_mask = 0;
	burst->mbufs = NULL;
	source->n_taken = 0;
	source->taken_from = vring;
	counter_add(&source->base.counters.bytes, copy_heads(burst));
	counter_add(&source->base.counters.frames, 1);
	return 1;
}

static uint32_t
source_take(struct source *base, struct burst *burst)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = vring_running(&source->vring);
	struct filling filling = { 0 };
	uint32_t available;
	uint64_t bytes;

	if (vring == NULL)
		return 0;
	if (__atomic_load_n(&source->announced, __ATOMIC_RELAXED) != 0)
		return take_announcement(source, vring, burst);
	available = vring_available(vring, &source->cursor);
	if (available == 0)
		return 0;
	if (vring_memory_verdict(vring) == MEMORY_GROWTH_STOPPED) {
		base->stopped = true;
		return 0;
	}
	if (available > base->frames_max)
		available = base->frames_max;
	take_chains(source, vring, available, burst, &filling);
	bytes = copy_heads(burst);
	if (bytes >= BURST_BYTES_MAX)
		bytes = limit_bytes(burst, &filling);
	if (vring->needs != 0)
		bytes = read_offloads(source, vring, burst, &filling);
	if (filling.bad != 0)
		count_bad(source, &filling);
	source->n_taken = filling.n_taken;
	source->taken_from = vring;
	__atomic_store_n(&source->cursor.avail, source->cursor.avail + source->n_taken,
			__ATOMIC_RELAXED);
	counter_add(&base->counters.bytes, bytes);
	counter_add(&base->counters.frames, burst->n);
	return source->n_taken;
}

static void
source_complete(struct source *base)
{
	struct vring_source *source = (struct vring_source *)base;
	const struct split_vring *vring = source->taken_from;

	__atomic_store_n(&source->cursor.used, source->cursor.used + source->n_taken,
			__ATOMIC_RELAXED);
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
vring_source_announce(struct vring_source *source, const uint8_t mac[6])
{
	uint64_t announced = 0;

	if (mac != NULL) {
		memcpy(&announced, mac, 6);
		announced = announced << 16 | 1;
	}
	__atomic_store_n(&source->announced, announced, __ATOMIC_RELEASE);
}

void
vring_source_init(struct vring_source *source, uint16_t port, struct vring_sink *sibling)
{
	memset(source, 0, sizeof(*source));
	source->sibling = sibling;
	source_init(&source->base, &vring_source_ops, port, 0);
	source->base.strange = true;
}
