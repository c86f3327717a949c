/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames into a receiveq. Any worker, under the sink's lock.
 *
 * A list of frames is placed in rounds: first buffers for as many frames as the scratch segments
 * cover are reserved (chains walked, used elements written, destinations prefetched), then the
 * frames are copied; when all rounds are done the used index is published once. Until that store
 * nothing is visible to the frontend, so running out of buffers in the middle of a frame that
 * needs several is undone by forgetting the cursor's advance. A chain that is wrong, or too small
 * for any frame, costs the frame that it was reserved for, and goes back with length 0. A buffer
 * that is too small for this frame alone stays, and is not read again for another one as large.
 */
#include "vring_endpoint.h"

#include <linux/virtio_net.h>
#include <stddef.h>
#include <string.h>

#include "chain.h"
#include "base/copy.h"
#include "offloads/offload.h"
#include "vring_memory.h"

/* A frame and where it goes. */
struct reservation {
	const struct frame *frame;
	uint8_t *host; /* header and frame fit in one piece here; NULL: the round's segments */
	uint32_t first_segment;
	uint16_t n_buffers;
};

struct round {
	struct vring_sink *sink;
	const struct burst *burst;
	const struct split_vring *vring;
	struct guest_window window;
	struct vring_cursor cursor; /* advanced by what is reserved */
	uint32_t available;	    /* chains, beyond the cursor's */
	uint32_t followed;	    /* descriptors, at most CHAIN_PLACE_MAX when a chain begins */
	bool checked;		    /* only buffers on pages that exist may be used */
	enum drop_reason shortage;  /* why frames are left when buffers have run out */
	uint32_t n;
	uint32_t n_segments;
	struct reservation reservations[BURST_MAX];
	struct frame_segment segments[BURST_SEGMENTS_MAX];
};

enum outcome {
	PLACED,
	NO_BUFFERS, /* the ring has no more, or this turn reads no more */
	TOO_BIG,    /* the frame fits no buffer of this ring, or needs too many segments */
	BAD_BUFFER, /* the driver made a wrong chain available */
	NEXT_ROUND, /* this round has no room left for the frame's segments */
};

static inline void
prefetch_lines(const uint8_t *data, uint32_t bytes)
{
	copy_prefetch_for_write(data);
	if (bytes > 64)
		copy_prefetch_for_write(data + 64);
	if (bytes > 128)
		copy_prefetch_for_write(data + 128);
	if (bytes > 192)
		copy_prefetch_for_write(data + 192);
}

/*
 * The common case: header and frame fit one buffer in one region. Returns where, or NULL when it
 * is another case; *head says which chain it was.
 */
static inline uint8_t *
find_single(const struct vring_parts *parts, const struct guest_mem *mem,
		struct guest_window *window, uint16_t avail, uint32_t need, uint32_t *head)
{
	struct vring_desc desc;

	*head = vring_head(parts, avail);
	if (*head >= parts->size)
		return NULL;
	desc = vring_desc_read(&parts->desc[*head]);
	if (desc.flags != VRING_DESC_F_WRITE || desc.len < need)
		return NULL;
	return guest_window_translate(window, mem, desc.addr, desc.len);
}

/* Of those that one descriptor each would hold, so many may begin in this turn. */
static uint32_t
singles_left(const struct round *round)
{
	return round->followed < CHAIN_PLACE_MAX ? CHAIN_PLACE_MAX - round->followed : 0;
}

/* Reserves buffers for as many frames as are of the common case; returns how many. */
static uint32_t
reserve_singles(struct round *round, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	const struct guest_mem *mem = &round->vring->mem;
	const struct vring_parts parts = vring_parts(round->vring);
	struct reservation *reservation = &round->reservations[round->n];
	const struct vring_cursor cursor = round->cursor;
	struct guest_window window = { 0 };
	uint32_t i;

	if (n > round->available)
		n = round->available;
	if (round->followed + n > CHAIN_PLACE_MAX)
		n = singles_left(round);
	for (i = 0; i < n; i++, reservation++) {
		const struct frame *frame = &burst->frames[list[i]];
		/* No overflow: see sink_ops.place. */
		uint32_t need = frame->len + parts.header_len, head;
		uint8_t *host = find_single(&parts, mem, &window, cursor.avail + i, need, &head);

		if (host == NULL)
			break;
		prefetch_lines(host, need);
		vring_put_used(&parts, cursor.used + i, head, need);
		reservation->frame = frame;
		reservation->host = host;
	}
	round->n += i;
	round->followed += i;
	round->available -= i;
	round->cursor.avail += i;
	round->cursor.used += i;
	return i;
}

/* As chain_walk(), of which it spares the common chain: one descriptor in one region. */
static inline int
walk_buffer(struct round *round, uint32_t head, uint64_t want, uint64_t *got)
{
	struct frame_segment *segment = &round->segments[round->n_segments];
	const uint32_t room = BURST_SEGMENTS_MAX - round->n_segments;
	struct vring_desc desc = vring_desc_read(&round->vring->desc[head]);
	uint8_t *host = NULL;

	if (desc.flags == VRING_DESC_F_WRITE && desc.len > 0 && room > 0)
		host = guest_window_translate(
				&round->window, &round->vring->mem, desc.addr, desc.len);
	if (host == NULL)
		return chain_walk(round->vring, head, CHAIN_WRITE, want, segment, room, got,
				&round->followed);
	round->followed++;
	segment->data = host;
	segment->len = desc.len;
	*got = desc.len;
	return 1;
}

/*
 * Whether a buffer of `got` bytes is of use to no frame: without mergeable buffers it must hold a
 * header and the shortest frame that is switched; with them, a header (VIRTIO 1.1, 5.1.6.3.1).
 */
static inline bool
is_useless(const struct split_vring *vring, uint64_t got)
{
	return got < vring->header_len + (vring->mergeable ? 0u : ETHERNET_HEADER_LEN);
}

/* Takes the next buffer for up to `want` bytes; *got says how many it holds of them. */
static enum outcome
reserve_buffer(struct round *round, uint64_t want, uint64_t *got)
{
	const struct vring_parts parts = vring_parts(round->vring);
	uint32_t head;
	int n;

	if (round->available == 0 || round->followed >= CHAIN_PLACE_MAX)
		return NO_BUFFERS;
	head = vring_head(&parts, round->cursor.avail);
	if (head >= parts.size) {
		vring_break(round->vring, VRING_BAD_HEAD);
		return NO_BUFFERS;
	}
	n = walk_buffer(round, head, want, got);
	if (n == CHAIN_NO_SPACE)
		return NEXT_ROUND;
	if (round->checked && n > 0 &&
			!vring_memory_allows(round->vring, &round->segments[round->n_segments], n,
					want)) {
		round->shortage = DROP_MEMORY_LIMIT;
		return NO_BUFFERS;
	}
	if (n > 0 && *got > want)
		*got = want;
	else if (n <= 0 || (*got < want && is_useless(round->vring, *got)))
		*got = 0;
	vring_put_used(&parts, round->cursor.used, head, (uint32_t)*got);
	round->cursor.avail++;
	round->cursor.used++;
	round->available--;
	if (*got == 0)
		return BAD_BUFFER;
	round->n_segments += n;
	return PLACED;
}

/* A wrong chain among a frame's buffers: all of them go back empty, and the frame is lost. */
static void
return_empty(struct round *round, uint16_t first_used)
{
	for (uint16_t i = first_used; i != round->cursor.used; i++)
		round->vring->used->ring[i & (round->vring->size - 1)].len = 0;
}

/* The first of several pieces. */
static void
prefetch_first(const struct frame_segment *segment, uint32_t need)
{
	prefetch_lines(segment->data, segment->len < need ? segment->len : need);
}

/*
 * What is known already of `need` bytes: TOO_BIG or NO_BUFFERS; PLACED: nothing. Inline, this and the
 * next one would take the registers of reserve_singles().
 */
static __attribute__((noinline)) enum outcome
look_up_shortage(const struct round *round, uint32_t need)
{
	const struct vring_shortage *shortage = &round->sink->shortage;
	uint16_t avail = round->cursor.avail;

	if (round->available == 0)
		return NO_BUFFERS;
	if (need < shortage->need || shortage->avail != avail)
		return PLACED;
	if (shortage->too_big)
		return TOO_BIG;
	return (uint16_t)(avail + round->available) == shortage->end ? NO_BUFFERS : PLACED;
}

static __attribute__((noinline)) void
note_shortage(const struct round *round, uint32_t need, bool too_big)
{
	round->sink->shortage = (struct vring_shortage){
		.need = need,
		.avail = round->cursor.avail,
		.end = (uint16_t)(round->cursor.avail + round->available),
		.too_big = too_big,
	};
}

/*
 * Reserves buffers for one frame, whatever they are. Unless PLACED or BAD_BUFFER, whose chains go
 * back empty, the round is as before.
 */
static enum outcome
reserve_pieces(struct round *round, const struct frame *frame)
{
	const uint32_t need = frame->len + round->vring->header_len;
	struct reservation *reservation = &round->reservations[round->n];
	struct vring_cursor cursor = round->cursor;
	const uint32_t available = round->available, followed = round->followed;
	uint32_t first_segment = round->n_segments;
	enum outcome outcome = look_up_shortage(round, need);
	uint64_t left = need, got = 0;

	if (outcome != PLACED)
		return outcome;
	do {
		outcome = reserve_buffer(round, left, &got);
		left -= got;
		if (outcome == PLACED && left > 0 && !round->vring->mergeable)
			outcome = TOO_BIG;
	} while (outcome == PLACED && left > 0);
	if (outcome == BAD_BUFFER) {
		return_empty(round, cursor.used);
		round->n_segments = first_segment;
		return outcome;
	}
	if (outcome != PLACED) {
		bool at_end = round->available == 0;

		round->n_segments = first_segment;
		round->cursor = cursor;
		round->available = available;
		/* What the next round reads again counts once. */
		if (outcome == NEXT_ROUND && round->n > 0)
			round->followed = followed;
		else if (outcome != NO_BUFFERS || at_end)
			note_shortage(round, need, outcome != NO_BUFFERS);
		return outcome;
	}
	reservation->frame = frame;
	reservation->host = NULL;
	reservation->first_segment = first_segment;
	reservation->n_buffers = (uint16_t)(round->cursor.used - cursor.used);
	prefetch_first(&round->segments[first_segment], need);
	round->n++;
	return PLACED;
}

/* Where the next byte of a frame goes: into segments, one after the other. */
struct writer {
	const struct frame_segment *segment;
	uint32_t offset;
};

static void
write_bytes(struct writer *writer, const uint8_t *src, uint32_t len)
{
	while (len > 0) {
		/* The reservation covers the frame; the analyzer does not follow chain_walk(). */
		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
		uint32_t room = writer->segment->len - writer->offset;
		uint32_t n = len < room ? len : room;

		copy_payload((uint8_t *)(uintptr_t)writer->segment->data + writer->offset, src, n);
		src += n;
		len -= n;
		writer->offset += n;
		if (writer->offset == writer->segment->len) {
			writer->segment++;
			writer->offset = 0;
		}
	}
}

/* Header, first bytes and payload over any layout on both sides. */
static void
copy_scattered(const struct round *round, const struct reservation *reservation,
		const struct frame_segment *to)
{
	const struct frame *frame = reservation->frame;
	const uint32_t i = (uint32_t)(frame - round->burst->frames);
	struct writer writer = { .segment = to };
	struct virtio_net_hdr_mrg_rxbuf header = { .num_buffers = reservation->n_buffers };
	uint32_t skip;
	const uint8_t *head = burst_head(round->burst, i, &skip);

	if (burst_has_offload(round->burst, i))
		offload_write(round->burst, i, &header.hdr);
	write_bytes(&writer, (const uint8_t *)&header, round->vring->header_len);
	write_bytes(&writer, head, skip);
	for (uint32_t s = 0; s < frame->n_segments; s++) {
		const struct frame_segment *segment = &frame->segments[s];
		uint32_t cut = skip < segment->len ? skip : segment->len;

		write_bytes(&writer, segment->data + cut, segment->len - cut);
		skip -= cut;
	}
}

/* A header with num_buffers 1 and nothing else, in two stores. */
static inline void
put_header(uint8_t *host)
{
	const uint64_t first = 0;
	const uint32_t last = 1u << 16;

	memcpy(host, &first, sizeof(first));
	memcpy(host + sizeof(first), &last, sizeof(last));
}

/* What comes after the head; the frame may lie in several pieces. */
static inline void
copy_tail(uint8_t *host, const struct frame *frame)
{
	const struct frame_segment *segment = frame->segments;
	uint32_t skip = FRAME_HEAD_LEN, done = FRAME_HEAD_LEN;

	for (; done < frame->len; segment++) {
		uint32_t cut = skip < segment->len ? skip : segment->len;
		uint32_t n = segment->len - cut;

		if (n > 0)
			copy_payload(host + done, segment->data + cut, n);
		skip -= cut;
		done += n;
	}
}

/* Header and frame into one piece. */
static inline void
copy_single(uint8_t *host, uint32_t header_len, const struct frame *frame)
{
	/* After a legacy header the frame, of 14 bytes at least, overwrites the last two. */
	put_header(host);
	host += header_len;
	if (frame->len <= FRAME_HEAD_LEN) {
		copy_up_to_64(host, frame->head, frame->len);
		return;
	}
	copy_64(host, frame->head);
	copy_tail(host, frame);
}

/* All that is not one piece without a header of its own. Inline it would take the loop's registers. */
static __attribute__((noinline)) void
copy_reserved(const struct round *round, struct reservation *reservation)
{
	struct frame_segment to;

	if (reservation->host == NULL) {
		copy_scattered(round, reservation, &round->segments[reservation->first_segment]);
		return;
	}
	to.data = reservation->host;
	to.len = reservation->frame->len + round->vring->header_len;
	reservation->n_buffers = 1;
	copy_scattered(round, reservation, &to);
}

/* Copies what the round has reserved and counts it. */
static void
finish_round(struct round *round)
{
	struct counters *counters = &round->sink->base.counters;
	const uint32_t header_len = round->vring->header_len;
	const bool plain = round->burst->offload_mask == 0;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < round->n; i++) {
		struct reservation *reservation = &round->reservations[i];

		bytes += reservation->frame->len;
		if (plain && reservation->host != NULL)
			copy_single(reservation->host, header_len, reservation->frame);
		else
			copy_reserved(round, reservation);
	}
	counter_add(&counters->frames, round->n);
	counter_add(&counters->bytes, bytes);
	round->n = 0;
	round->n_segments = 0;
}

static void
drop(struct vring_sink *sink, enum drop_reason reason, uint32_t n)
{
	counter_add(&sink->base.counters.drops[reason], n);
}

/* Places frames until the list or the buffers end; returns how many of the list were dealt with. */
static uint32_t
place_frames(struct round *round, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	uint32_t i = 0;

	for (;;) {
		enum outcome outcome;

		if (!round->checked)
			i += reserve_singles(round, burst, list + i, n - i);
		if (i == n)
			break;
		outcome = reserve_pieces(round, &burst->frames[list[i]]);
		if (outcome == NEXT_ROUND && round->n > 0) {
			finish_round(round);
			continue;
		}
		if (outcome == NO_BUFFERS)
			break;
		if (outcome == BAD_BUFFER)
			drop(round->sink, DROP_BAD_CHAIN, 1);
		else if (outcome != PLACED)
			drop(round->sink, DROP_TOO_BIG, 1);
		i++;
	}
	finish_round(round);
	return i;
}

/* For people; written only where it changes. */
static inline void
note_unfilled(struct vring_sink *sink, bool unfilled)
{
	if (sink->unfilled != unfilled)
		__atomic_store_n(&sink->unfilled, unfilled, __ATOMIC_RELAXED);
}

static const void *
sink_place(struct sink *base, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	struct vring_sink *sink = (struct vring_sink *)base;
	const struct split_vring *vring = vring_running(&sink->vring);
	enum memory_growth_verdict verdict;
	struct round round;
	uint32_t done;

	if (vring == NULL) {
		drop(sink, DROP_NOT_READY, n);
		return NULL;
	}
	verdict = vring_memory_verdict(vring);
	if (verdict == MEMORY_GROWTH_STOPPED) {
		drop(sink, DROP_MEMORY_LIMIT, n);
		return NULL;
	}
	round.checked = verdict == MEMORY_GROWTH_CHECKED;
	round.shortage = DROP_RING_FULL;
	round.sink = sink;
	round.vring = vring;
	round.burst = burst;
	round.window = (struct guest_window){ 0 };
	round.cursor = sink->cursor;
	round.available = vring_available(vring, &sink->cursor);
	round.followed = base->followed;
	round.n = 0;
	round.n_segments = 0;
	done = place_frames(&round, burst, list, n);
	base->followed = round.followed;
	drop(sink, round.shortage, n - done);
	if (round.cursor.used == sink->cursor.used) {
		note_unfilled(sink, round.available == 0 && round.cursor.used == 0);
		return NULL;
	}
	note_unfilled(sink, false);
	__atomic_store_n(&sink->cursor.avail, round.cursor.avail, __ATOMIC_RELAXED);
	__atomic_store_n(&sink->cursor.used, round.cursor.used, __ATOMIC_RELAXED);
	if (sink->shortage.avail != sink->cursor.avail)
		sink->shortage.need = UINT32_MAX;
	vring_publish(vring, sink->cursor.used);
	return vring;
}

static uint32_t
sink_spare(struct sink *base)
{
	struct vring_sink *sink = (struct vring_sink *)base;
	const struct split_vring *vring = vring_running(&sink->vring);
	uint32_t available;

	if (vring == NULL)
		return UINT32_MAX; /* place() tells what becomes of them */
	available = vring_available(vring, &sink->cursor);
	if (available > sink->most)
		sink->most = available;
	return available > sink->most / 2 ? available - sink->most / 2 : 0;
}

static void
sink_call(const void *placed)
{
	vring_call(placed);
}

static const struct sink_ops vring_sink_ops = {
	.place = sink_place,
	.spare = sink_spare,
	.call = sink_call,
};

/* To a ring that does not run, nothing is worth doing. */
static void
update_takes(struct vring_sink *sink)
{
	if (sink->vring == NULL)
		sink->base.takes = FRAME_NEEDS_ALL;
	else
		sink->base.takes = sink->offload ? sink->vring->needs : 0;
}

void
vring_sink_publish(struct vring_sink *sink, struct split_vring *vring)
{
	spinlock_lock(&sink->base.lock);
	__atomic_store_n(&sink->vring, vring, __ATOMIC_RELEASE);
	sink->shortage.need = UINT32_MAX;
	sink->most = 0;
	update_takes(sink);
	spinlock_unlock(&sink->base.lock);
}

void
vring_sink_set_offload(struct vring_sink *sink, bool offload)
{
	spinlock_lock(&sink->base.lock);
	sink->offload = offload;
	update_takes(sink);
	spinlock_unlock(&sink->base.lock);
}

void
vring_sink_init(struct vring_sink *sink, uint16_t port)
{
	memset(sink, 0, sizeof(*sink));
	sink->offload = true;
	sink->shortage.need = UINT32_MAX;
	sink->base.takes = FRAME_NEEDS_ALL;
	sink->base.ops = &vring_sink_ops;
	sink->base.port = port;
	sink->base.strange = true;
}
