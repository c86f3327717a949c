/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames into a TAP: any worker, under the sink's lock. */
#include "tap_endpoint.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/copy.h"
#include "rings/memory_fault.h"
#include "offloads/offload.h"

/* What one gathering write takes (IOV_MAX of Linux, UIO_MAXIOV of the kernel). */
#define PARTS_MAX 1024

/* The smallest that the kernel has. */
#define PAGE_SIZE 4096u

/* A walk over a frame's segments. */
struct walk {
	const struct frame_segment *segment;
	uint32_t n;	 /* segments left, this one included */
	uint32_t offset; /* bytes of this one that are done */
};

static void
skip_bytes(struct walk *walk, uint32_t bytes)
{
	while (walk->n > 0 && bytes >= walk->segment->len) {
		bytes -= walk->segment->len;
		walk->segment++;
		walk->n--;
	}
	walk->offset = bytes;
}

/* The next piece; false at the end. */
static bool
next_piece(struct walk *walk, struct iovec *piece)
{
	while (walk->n > 0) {
		const uint8_t *data = walk->segment->data + walk->offset;
		uint32_t len = walk->segment->len - walk->offset;

		walk->segment++;
		walk->n--;
		walk->offset = 0;
		if (len > 0) {
			*piece = (struct iovec){ .iov_base = (void *)(uintptr_t)data, len };
			return true;
		}
	}
	return false;
}

/*
 * Fills parts[] with header, copied first bytes and the rest of frame i. Returns how many they are; what
 * found no place is left in the walk, and the last part is free then.
 */
static uint32_t
gather(const struct burst *burst, uint32_t i, uint8_t *header, struct iovec *parts,
		struct walk *walk)
{
	const struct frame *frame = &burst->frames[i];
	uint32_t head_len, n = 2;
	const uint8_t *head = burst_head(burst, i, &head_len);

	parts[0] = (struct iovec){ .iov_base = header, .iov_len = TAP_HEADER_LEN };
	parts[1] = (struct iovec){ .iov_base = (void *)(uintptr_t)head, .iov_len = head_len };
	*walk = (struct walk){ .segment = frame->segments, .n = frame->n_segments };
	if (frame->len == head_len) {
		walk->n = 0;
		return n;
	}
	skip_bytes(walk, head_len);
	while (n < PARTS_MAX - 1 && next_piece(walk, &parts[n]))
		n++;
	return n;
}

/* 0, or the errno of the write. */
static int
write_parts(int fd, const struct iovec *parts, uint32_t n)
{
	return writev(fd, parts, (int)n) < 0 ? errno : 0;
}

/* Of a frame in more pieces than one write takes, the last ones are joined first. */
static __attribute__((noinline)) int
write_joined(int fd, struct iovec *parts, uint32_t n, struct walk *walk)
{
	uint8_t rest[FRAME_LEN_MAX];
	struct iovec piece;
	uint32_t len = 0;
	int error;

	while (next_piece(walk, &piece)) {
		copy_payload(rest + len, piece.iov_base, (uint32_t)piece.iov_len);
		len += (uint32_t)piece.iov_len;
	}
	parts[n] = (struct iovec){ .iov_base = rest, .iov_len = len };
	error = write_parts(fd, parts, n + 1);
	parts[n].iov_base = NULL; /* it ends here */
	return error;
}

static int
write_once(int fd, const struct burst *burst, uint32_t i, uint8_t *header)
{
	struct iovec parts[PARTS_MAX];
	struct walk walk;
	uint32_t n = gather(burst, i, header, parts, &walk);

	return walk.n == 0 ? write_parts(fd, parts, n) : write_joined(fd, parts, n, &walk);
}

static enum drop_reason
reason_of(int error)
{
	switch (error) {
	case EIO:    /* the interface is down */
	case EBADFD: /* ... or gone */
		return DROP_NOT_READY;
	case EFAULT:
		return DROP_BAD_CHAIN;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return DROP_RING_FULL;
	default:
		return DROP_REFUSED;
	}
}

/*
 * A page of the sender's memory is gone, or was never there, which the kernel noticed in our place.
 * Touching it lets the handler of SIGBUS (sigbus.c) mark that port, or make the page: then it is true,
 * and the frame can be written.
 */
static bool
touch(const struct frame *frame)
{
	struct walk walk = { .segment = frame->segments, .n = frame->n_segments };
	unsigned int before = memory_fault_count();
	struct iovec piece;

	while (next_piece(&walk, &piece)) {
		const volatile uint8_t *bytes = piece.iov_base;

		for (size_t at = 0; at < piece.iov_len; at += PAGE_SIZE)
			(void)bytes[at];
		(void)bytes[piece.iov_len - 1];
	}
	return memory_fault_count() != before;
}

static void
write_frame(struct tap_sink *sink, int fd, const struct burst *burst, uint32_t i)
{
	struct counters *counters = &sink->base.counters;
	const struct frame *frame = &burst->frames[i];
	uint8_t bytes[TAP_HEADER_LEN] = { 0 };
	struct virtio_net_hdr header;
	int error;

	offload_write(burst, i, &header);
	memcpy(bytes, &header, sizeof(header));
	error = write_once(fd, burst, i, bytes);
	if (error == EFAULT && touch(frame))
		error = write_once(fd, burst, i, bytes);
	if (error != 0) {
		counter_add(&counters->drops[reason_of(error)], 1);
		return;
	}
	counter_add(&counters->frames, 1);
	counter_add(&counters->bytes, frame->len);
}

static const void *
sink_place(struct sink *base, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	struct tap_sink *sink = (struct tap_sink *)base;
	const struct tap *tap = __atomic_load_n(&sink->tap, __ATOMIC_ACQUIRE);

	if (tap == NULL) {
		counter_add(&base->counters.drops[DROP_NOT_READY], n);
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++)
		write_frame(sink, tap->fds[base->queue], burst, list[i]);
	return NULL;
}

/* place() never returns anything to call: the kernel was told by the write. */
static const struct sink_ops tap_sink_ops = {
	.place = sink_place,
};

void
tap_sink_init(struct tap_sink *sink, uint16_t port, uint16_t queue)
{
	memset(&sink->base, 0, sizeof(sink->base));
	sink->base.ops = &tap_sink_ops;
	sink->base.port = port;
	sink->base.queue = queue;
	sink->tap = NULL;
}

void
tap_sink_use(struct tap_sink *sink, const struct tap *tap)
{
	__atomic_store_n(&sink->tap, tap, __ATOMIC_RELEASE);
}

void
tap_sink_set_offload(struct tap_sink *sink, bool on)
{
	spinlock_lock(&sink->base.lock);
	sink->base.takes = on ? FRAME_NEEDS_ALL : 0;
	spinlock_unlock(&sink->base.lock);
}
