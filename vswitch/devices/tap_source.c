/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames out of a TAP. Workers, one at a time for each source.
 *
 * Why no wake-up is lost. The queue's descriptor is in the worker's epoll set, edge-triggered, from
 * launch to stop. The kernel puts a frame into the queue first and then marks the descriptor ready,
 * each time. So a frame that a read did not see marks it after that read. The worker's own
 * epoll_wait() alone takes that mark, and it does so at one of two times:
 *
 * - while the source has left the poll list: then the source comes back and is read;
 * - while the source is in the list: the mark is lost, but the source is read again before it can
 *   leave, since it leaves only straight after a read found nothing (worker_thread.c: take() returned
 *   0, then arm()).
 *
 * Thus after a frame came there is a mark to be taken or a read to be done, and arm() has nothing to
 * ask for and nothing to look at.
 */
#include "tap_endpoint.h"

#include <string.h>
#include <unistd.h>

#include "base/copy.h"
#include "offloads/offload.h"

#define STORE_ALIGN 64u

/* How far a burst is filled. */
struct filling {
	uint32_t n_taken; /* frames, bad ones included */
	uint32_t stored; /* bytes of the store; with a frame of the longest, at most BURST_BYTES_MAX */
	uint32_t wire_frames;
	uint64_t bytes; /* of the frames */
};

_Static_assert(BURST_STORE_LEN <= BURST_BYTES_MAX, "a full store ends a burst soon enough");

static bool
is_full(const struct burst *burst, const struct filling *filling)
{
	return burst->n == BURST_MAX || filling->n_taken == BURST_MAX ||
			filling->stored + TAP_READ_MAX > BURST_STORE_LEN ||
			filling->wire_frames >= BURST_WIRE_FRAMES_MAX;
}

static void
put_frame(struct burst *burst, const uint8_t *data, uint32_t len)
{
	struct frame *frame = &burst->frames[burst->n];
	struct frame_segment *segment = &burst->segments[burst->n];

	*segment = (struct frame_segment){ .data = data, .len = len };
	frame->segments = segment;
	frame->n_segments = 1;
	frame->len = len;
	/* The store has room for a longest frame here: this never reads beyond it. */
	copy_64(frame->head, data);
}

/* `data`: virtio-net header and frame, `len` bytes in all. */
static void
add_frame(struct tap_source *source, struct burst *burst, struct filling *filling,
		const uint8_t *data, uint32_t len)
{
	struct virtio_net_hdr header = { 0 };
	uint32_t wire_len, frame_len = 0;

	if (len >= TAP_HEADER_LEN) {
		memcpy(&header, data, sizeof(header));
		frame_len = len - TAP_HEADER_LEN;
	}
	put_frame(burst, data + TAP_HEADER_LEN, frame_len);
	filling->n_taken++;
	if ((header.flags != 0 || header.gso_type != VIRTIO_NET_HDR_GSO_NONE) &&
			!offload_read(burst, burst->n, &header, FRAME_NEEDS_ALL)) {
		source_count_bad(&source->base, DROP_BAD_OFFLOAD);
		return;
	}
	wire_len = burst_wire_len(burst, burst->n);
	if (wire_len > burst->longest)
		burst->longest = wire_len;
	filling->wire_frames += offload_count(burst, burst->n);
	filling->bytes += frame_len;
	filling->stored += (len + STORE_ALIGN - 1) & ~(STORE_ALIGN - 1);
	burst->n++;
}

/*
 * Reads the queue until it is empty or the burst is full. An interface that is gone reads as an
 * empty queue; the port hears of it from the monitor.
 */
static void
drain_queue(struct tap_source *source, int fd, struct burst *burst, struct filling *filling)
{
	while (!is_full(burst, filling)) {
		uint8_t *data = burst->store + filling->stored;
		ssize_t len = read(fd, data, TAP_READ_MAX);

		if (len <= 0)
			return;
		add_frame(source, burst, filling, data, (uint32_t)len);
	}
}

static uint32_t
source_take(struct source *base, struct burst *burst)
{
	struct tap_source *source = (struct tap_source *)base;
	const struct tap *tap = __atomic_load_n(&source->tap, __ATOMIC_ACQUIRE);
	struct filling filling = { 0 };

	if (tap == NULL)
		return 0;
	burst->n = 0;
	burst->longest = 0;
	burst->offload_mask = 0;
	burst->mbufs = NULL;
	drain_queue(source, tap->fds[base->queue], burst, &filling);
	counter_add(&base->counters.frames, burst->n);
	counter_add(&base->counters.bytes, filling.bytes);
	return filling.n_taken;
}

/* What was read is the store's alone. */
static void
source_complete(struct source *base)
{
	(void)base;
}

static bool
source_arm(struct source *base)
{
	(void)base;
	return true;
}

static void
source_disarm(struct source *base)
{
	(void)base;
}

static const struct source_ops tap_source_ops = {
	.take = source_take,
	.complete = source_complete,
	.arm = source_arm,
	.disarm = source_disarm,
};

void
tap_source_init(struct tap_source *source, uint16_t port, uint16_t queue)
{
	memset(source, 0, sizeof(*source));
	source_init(&source->base, &tap_source_ops, port, queue);
}

void
tap_source_use(struct tap_source *source, const struct tap *tap)
{
	__atomic_store_n(&source->tap, tap, __ATOMIC_RELEASE);
}
