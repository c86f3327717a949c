/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap_source.c, tap_sink.c: frames through the queues of a TAP, for which stand sockets that keep
 * the borders of messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <cmocka.h>

#include "offload_frames.h"
#include "devices/tap_endpoint.h"

#define QUEUES 3
#define FRAME_MAX FRAME_LEN_MAX
#define PAGE 4096u

static struct tap tap;
static int kernel[QUEUES]; /* the other ends */
static struct tap_source source;
static struct tap_sink *sink;
static struct burst *burst;
static uint8_t payload[FRAME_MAX], seen[TAP_READ_MAX];
static uint8_t list[BURST_MAX];

static int
setup(void **state)
{
	const int room = 4 << 20;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	tap.queues = QUEUES;
	for (uint32_t i = 0; i < QUEUES; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
		tap.fds[i] = pair[0];
		kernel[i] = pair[1];
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	}
	burst = aligned_alloc(64, sizeof(*burst));
	burst->store = malloc(BURST_STORE_LEN);
	/* What a burst was before is no matter. */
	burst->n = 9;
	burst->longest = UINT32_MAX;
	burst->offload_mask = UINT64_MAX;
	burst->mbufs = (struct rte_mbuf **)&burst;
	sink = calloc(1, sizeof(*sink));
	tap_source_init(&source, 7, 0);
	tap_sink_init(sink, 7, 0);
	tap_source_use(&source, &tap);
	tap_sink_use(sink, &tap);
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < QUEUES; i++) {
		close(tap.fds[i]);
		close(kernel[i]);
	}
	free(burst->store);
	free(burst);
	free(sink);
	return 0;
}

/* ---- The source ---- */

/* The kernel sends `len` bytes of the payload. */
static void
kernel_sends(uint32_t queue, struct virtio_net_hdr header, const uint8_t *data, uint32_t len)
{
	static uint8_t message[TAP_READ_MAX];

	memset(message, 0xee, TAP_HEADER_LEN);
	memcpy(message, &header, sizeof(header));
	memcpy(message + TAP_HEADER_LEN, data, len);
	assert_int_equal(send(kernel[queue], message, TAP_HEADER_LEN + len, 0),
			TAP_HEADER_LEN + len);
}

static void
send_plain(uint32_t queue, uint32_t len)
{
	kernel_sends(queue, (struct virtio_net_hdr){ 0 }, payload, len);
}

static uint32_t
take(void)
{
	uint32_t n = source.base.ops->take(&source.base, burst);

	if (n > 0)
		source.base.ops->complete(&source.base);
	return n;
}

static void
check_frame(uint32_t i, uint32_t len)
{
	const struct frame *frame = &burst->frames[i];

	assert_int_equal(frame->len, len);
	assert_int_equal(frame->n_segments, 1);
	assert_int_equal(frame->segments->len, len);
	assert_memory_equal(frame->segments->data, payload, len);
	assert_memory_equal(frame->head, payload, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
}

static void
test_nothing_to_take(void **state)
{
	(void)state;
	assert_int_equal(take(), 0);
	assert_true(source.base.ops->arm(&source.base));
	tap_source_use(&source, NULL);
	send_plain(0, 60);
	assert_int_equal(take(), 0);
}

static void
test_frames_of_each_size(void **state)
{
	static const uint32_t sizes[] = { 14, 63, 64, 65, 1514, 9014, FRAME_MAX };
	uint64_t bytes = 0;

	(void)state;
	for (uint32_t i = 0; i < 7; i++) {
		send_plain(0, sizes[i]);
		bytes += sizes[i];
	}
	assert_int_equal(take(), 7);
	assert_int_equal(burst->n, 7);
	for (uint32_t i = 0; i < 7; i++)
		check_frame(i, sizes[i]);
	assert_int_equal(burst->longest, FRAME_MAX);
	assert_int_equal(burst->offload_mask, 0);
	assert_null(burst->mbufs);
	assert_int_equal(source.base.counters.frames, 7);
	assert_int_equal(source.base.counters.bytes, bytes);
	assert_int_equal(take(), 0);
}

/* A message without a whole header is an empty frame, which the switch drops as too short. */
static void
test_scraps(void **state)
{
	(void)state;
	assert_int_equal(send(kernel[0], payload, 5, 0), 5);
	send_plain(0, 0);
	send_plain(0, 60);
	assert_int_equal(take(), 3);
	assert_int_equal(burst->frames[0].len, 0);
	assert_int_equal(burst->frames[1].len, 0);
	check_frame(2, 60);
}

static void
test_burst_is_full(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < BURST_MAX + 5; i++)
		send_plain(0, 100 + i);
	assert_int_equal(take(), BURST_MAX);
	for (uint32_t i = 0; i < BURST_MAX; i++)
		check_frame(i, 100 + i);
	assert_int_equal(take(), 5);
	check_frame(0, 100 + BURST_MAX);
}

/* One queue that several sockets fill, since each holds but a few long frames without rights. */
static int
open_wide_queue(int senders[QUEUES])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	/* Without a name it is given one. */
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		senders[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		assert_int_equal(connect(senders[i], (struct sockaddr *)&address, len), 0);
	}
	return fd;
}

/* The store ends the burst before a longest frame could pass its end. */
static void
test_store_is_full(void **state)
{
	const uint8_t *end = burst->store + BURST_STORE_LEN;
	int senders[QUEUES];

	(void)state;
	close(tap.fds[0]);
	tap.fds[0] = open_wide_queue(senders);
	for (uint32_t i = 0; i < QUEUES; i++) {
		close(kernel[i]);
		kernel[i] = senders[i];
	}
	for (uint32_t i = 0; i < 9; i++)
		send_plain(i % QUEUES, FRAME_MAX);
	assert_int_equal(take(), 7);
	for (uint32_t i = 0; i < 7; i++) {
		check_frame(i, FRAME_MAX);
		assert_true(burst->frames[i].segments->data + FRAME_MAX <= end);
	}
	assert_int_equal(take(), 2);
}

/* A source has its own queue, and no other. */
static void
test_each_queue_has_a_source(void **state)
{
	struct tap_source other;

	(void)state;
	tap_source_init(&other, 7, 2);
	tap_source_use(&other, &tap);
	send_plain(1, 61);
	send_plain(2, 62);
	assert_int_equal(take(), 0);
	assert_int_equal(other.base.ops->take(&other.base, burst), 1);
	check_frame(0, 62);
	send_plain(0, 60);
	assert_int_equal(other.base.ops->take(&other.base, burst), 0);
	assert_int_equal(take(), 1);
	check_frame(0, 60);
	assert_int_equal(other.base.counters.frames, 1);
	assert_int_equal(source.base.counters.frames, 1);
}

static void
test_headers(void **state)
{
	const struct virtio_net_hdr good = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6
	};
	const struct virtio_net_hdr lie = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 600, .csum_offset = 6
	};
	const struct virtio_net_hdr segments = { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 };

	(void)state;
	send_plain(0, 100);
	kernel_sends(0, good, payload, 101);
	kernel_sends(0, lie, payload, 102);
	kernel_sends(0, segments, payload, 103);
	send_plain(0, 104);
	assert_int_equal(take(), 5);
	assert_int_equal(burst->n, 3);
	check_frame(0, 100);
	check_frame(1, 101);
	check_frame(2, 104);
	assert_int_equal(burst->offload_mask, 2);
	assert_int_equal(burst->offloads[1].needs, FRAME_NEEDS_CSUM);
	assert_int_equal(source.base.counters.frames, 5);
	assert_int_equal(source.base.counters.copies_due, 2);
	assert_int_equal(source.base.counters.drops[DROP_BAD_OFFLOAD], 2);
}

/* A turn is as short when all is wrong. */
static void
test_lies_are_bounded(void **state)
{
	const struct virtio_net_hdr lie = { .gso_type = 99 };

	(void)state;
	for (uint32_t i = 0; i < BURST_MAX + 1; i++)
		kernel_sends(0, lie, payload, 60);
	assert_int_equal(take(), BURST_MAX);
	assert_int_equal(burst->n, 0);
	assert_int_equal(take(), 1);
	assert_int_equal(source.base.counters.drops[DROP_BAD_OFFLOAD], BURST_MAX + 1);
}

/* Frames of 23 segments: nine are a burst; the others stay in the kernel's queue. */
static void
test_segments_end_a_burst(void **state)
{
	const struct shape shape = { .payload = 3000, .partial = true };
	static uint8_t bytes[4096];

	(void)state;
	frames_build(&shape, bytes);
	for (uint32_t i = 0; i < 12; i++)
		kernel_sends(0, frames_header(&shape, 131), bytes, frames_len(&shape));
	assert_int_equal(take(), 9);
	assert_int_equal(burst->n, 9);
	assert_int_equal(take(), 3);
	assert_int_equal(source.base.counters.drops[DROP_BAD_OFFLOAD], 0);
}

/* ---- The sink ---- */

/* Puts one frame of `len` bytes at `data` into the burst, in pieces of `piece` bytes. */
static void
make_frame(const uint8_t *data, uint32_t len, uint32_t piece)
{
	struct frame *frame = &burst->frames[0];

	burst->n = 1;
	burst->offload_mask = 0;
	*frame = (struct frame){ .segments = burst->segments, .len = len };
	memcpy(frame->head, data, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
	for (uint32_t at = 0; at < len; at += piece) {
		struct frame_segment *segment = &burst->segments[frame->n_segments++];

		segment->data = data + at;
		segment->len = len - at < piece ? len - at : piece;
	}
}

static void
place(void)
{
	list[0] = 0;
	assert_null(sink->base.ops->place(&sink->base, burst, list, 1));
}

/* The queue in which a frame has come, which is in seen[]; -1: in none. */
static int
kernel_receives(ssize_t *len)
{
	for (int i = 0; i < QUEUES; i++) {
		*len = recv(kernel[i], seen, sizeof(seen), MSG_DONTWAIT);
		if (*len >= 0)
			return i;
	}
	return -1;
}

static void
expect_frame(uint32_t len)
{
	static const uint8_t zero[TAP_HEADER_LEN];
	ssize_t got;

	assert_true(kernel_receives(&got) >= 0);
	assert_int_equal(got, TAP_HEADER_LEN + len);
	assert_memory_equal(seen, zero, TAP_HEADER_LEN);
	assert_memory_equal(seen + TAP_HEADER_LEN, payload, len);
}

static void
test_frames_in_pieces(void **state)
{
	static const uint32_t sizes[] = { 14, 63, 64, 65, 1022, 1024, 1514, FRAME_MAX };
	static const uint32_t pieces[] = { 1, 3, 13, 64, 65, 1000, FRAME_MAX };
	uint64_t frames = 0;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		for (uint32_t j = 0; j < 7; j++) {
			if (sizes[i] > (uint64_t)BURST_SEGMENTS_MAX * pieces[j])
				continue;
			make_frame(payload, sizes[i], pieces[j]);
			place();
			expect_frame(sizes[i]);
			frames++;
		}
	}
	assert_int_equal(sink->base.counters.frames, frames);
}

/* One piece is long, the others have a byte; every `gap`th is empty. */
static void
check_most_pieces(uint32_t long_one, uint32_t gap)
{
	const uint32_t long_len = 30000;
	uint32_t len = 0;

	make_frame(payload, long_len, long_len);
	burst->frames[0].n_segments = BURST_SEGMENTS_MAX;
	for (uint32_t i = 0; i < BURST_SEGMENTS_MAX; i++) {
		uint32_t part = i == long_one ? long_len : i % gap != gap - 1;

		burst->segments[i] = (struct frame_segment){ payload + len, part };
		len += part;
	}
	burst->frames[0].len = len;
	place();
	expect_frame(len);
}

/* As many pieces as a frame can have, which may be more than one write takes. */
static void
test_frames_in_most_pieces(void **state)
{
	(void)state;
	for (uint32_t long_one = 0; long_one < BURST_SEGMENTS_MAX; long_one += 93) {
		check_most_pieces(long_one, UINT32_MAX);
		check_most_pieces(long_one, 341);
		check_most_pieces(long_one, 3);
	}
}

/* What was switched is what is sent: of the first bytes, the copy. */
static void
test_head_is_the_copy(void **state)
{
	static uint8_t memory[200];

	(void)state;
	memcpy(memory, payload, sizeof(memory));
	make_frame(memory, sizeof(memory), 50);
	memset(memory, 0, FRAME_HEAD_LEN);
	place();
	expect_frame(sizeof(memory));
}

static void
test_offload_travels(void **state)
{
	struct virtio_net_hdr header;
	ssize_t len;

	(void)state;
	make_frame(payload, 300, 100);
	burst->offload_mask = 1;
	burst->offloads[0] = (struct frame_offload){
		.needs = FRAME_NEEDS_CSUM, .copied = 256, .csum_start = 34, .csum_offset = 6
	};
	memcpy(burst->headers[0], payload, FRAME_HEADERS_MAX);
	place();
	assert_true(kernel_receives(&len) >= 0);
	assert_int_equal(len, TAP_HEADER_LEN + 300);
	memcpy(&header, seen, sizeof(header));
	assert_int_equal(header.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header.csum_start, 34);
	assert_int_equal(header.csum_offset, 6);
	assert_memory_equal(seen + TAP_HEADER_LEN, payload, 300);
}

/* A sink has its own queue, and no other. */
static void
test_each_queue_has_a_sink(void **state)
{
	struct tap_sink other;
	ssize_t len;

	(void)state;
	tap_sink_init(&other, 7, 2);
	tap_sink_use(&other, &tap);
	make_frame(payload, 100, 40);
	assert_null(other.base.ops->place(&other.base, burst, list, 1));
	assert_int_equal(kernel_receives(&len), 2);
	place();
	assert_int_equal(kernel_receives(&len), 0);
	assert_int_equal(other.base.counters.frames, 1);
	assert_int_equal(sink->base.counters.frames, 1);
}

static uint64_t
drops(enum drop_reason reason)
{
	return sink->base.counters.drops[reason];
}

static void
test_refusals_are_counted(void **state)
{
	uint32_t accepted = 0;

	(void)state;
	make_frame(payload, 9000, 9000);
	while (drops(DROP_RING_FULL) == 0 && accepted < 10000) {
		place();
		accepted++;
	}
	assert_int_equal(drops(DROP_RING_FULL), 1);
	assert_int_equal(sink->base.counters.frames, accepted - 1);
	assert_int_equal(sink->base.counters.bytes, 9000ull * (accepted - 1));
	shutdown(kernel[0], SHUT_RDWR);
	place();
	assert_int_equal(drops(DROP_REFUSED), 1);
	tap_sink_use(sink, NULL);
	place();
	assert_int_equal(drops(DROP_NOT_READY), 1);
}

static volatile sig_atomic_t faults;

/* As sigbus.c does. */
static void
on_sigbus(int number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);

	(void)number;
	(void)context;
	faults = faults + 1;
	if (mmap((void *)page, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		_exit(1);
}

/* The sender's file has shrunk: its frame is dropped, and its memory is touched, which tells on it. */
static void
test_memory_that_is_gone(void **state)
{
	const struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	int fd = memfd_create("guest", 0);
	uint8_t *memory;

	(void)state;
	assert_int_equal(ftruncate(fd, 2 * PAGE), 0);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	make_frame(memory + PAGE - 100, 500, 500);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	sigaction(SIGBUS, &action, NULL);
	place();
	signal(SIGBUS, SIG_DFL);
	assert_int_equal(drops(DROP_BAD_CHAIN), 1);
	assert_int_equal(faults, 1);
	munmap(memory, 2 * PAGE);
	close(fd);
}

static void
test_takes(void **state)
{
	(void)state;
	assert_int_equal(sink->base.takes, 0);
	tap_sink_set_offload(sink, true);
	assert_int_equal(sink->base.takes, FRAME_NEEDS_ALL);
	tap_sink_set_offload(sink, false);
	assert_int_equal(sink->base.takes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_to_take, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_of_each_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst_is_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_is_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_queue_has_a_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lies_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_segments_end_a_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames_in_most_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head_is_the_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offload_travels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_queue_has_a_sink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_that_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
