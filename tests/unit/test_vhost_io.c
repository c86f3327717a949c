/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages and their descriptors over a socket, whole and in pieces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/vhost_io.h"

/* The most that one sendmsg() carries. */
#define FDS_MAX 253

static int near, far;
static struct vhost_msg msg;
static uint32_t n_surplus;

static void
close_surplus(void *arg, int fd)
{
	assert_ptr_equal(arg, &msg);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	n_surplus++;
}

static enum vhost_io
read_on(void)
{
	const struct fd_receiver surplus = { .give = close_surplus, .arg = &msg };

	return vhost_io_read(near, &msg, &surplus);
}

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	near = pair[0];
	far = pair[1];
	vhost_io_init(&msg);
	n_surplus = 0;
	return 0;
}

static int
teardown(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < msg.n_fds; i++)
		close(msg.fds[i]);
	close(near);
	close(far);
	return 0;
}

/* Sends bytes with `n_fds` descriptors, all of the same eventfd. */
static void
put(const void *data, size_t len, uint32_t n_fds)
{
	union {
		char buffer[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int fds[FDS_MAX];
	uint32_t i;

	for (i = 0; i < n_fds; i++)
		fds[i] = eventfd(0, 0);
	if (n_fds != 0) {
		hdr.msg_control = control.buffer;
		hdr.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(far, &hdr, MSG_NOSIGNAL), len);
	for (i = 0; i < n_fds; i++)
		close(fds[i]);
}

struct wire {
	struct vhost_header header;
	uint8_t payload[8];
} __attribute__((packed));

static const struct wire wire = {
	{ VHOST_REQ_SET_FEATURES, VHOST_FLAG_VERSION, 8 },
	{ 1, 2, 3, 4, 5, 6, 7, 8 },
};

static void
test_whole(void **state)
{
	const struct vhost_header bare = { VHOST_REQ_SET_OWNER, VHOST_FLAG_VERSION, 0 };

	(void)state;
	assert_int_equal(read_on(), VHOST_IO_AGAIN);
	assert_true(vhost_io_idle(&msg));
	put(&wire, sizeof(wire), 0);
	put(&bare, sizeof(bare), 0);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	assert_int_equal(msg.header.request, VHOST_REQ_SET_FEATURES);
	assert_int_equal(read_on(), VHOST_IO_WHOLE);
	assert_true(msg.payload.u64 == 0x0807060504030201);
	/* nothing of the next one was touched */
	vhost_io_init(&msg);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	assert_int_equal(read_on(), VHOST_IO_WHOLE);
	assert_int_equal(msg.header.request, VHOST_REQ_SET_OWNER);
}

static void
test_in_pieces(void **state)
{
	const uint8_t *bytes = (const uint8_t *)&wire;
	enum vhost_io io = VHOST_IO_AGAIN;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wire); i++) {
		put(bytes + i, 1, i % 4 == 3 ? 1 : 0);
		io = read_on();
		assert_int_equal(io,
				i == 11			  ? VHOST_IO_HEADER
						: i == 19 ? VHOST_IO_WHOLE
							  : VHOST_IO_AGAIN);
		assert_false(vhost_io_idle(&msg));
	}
	assert_true(msg.payload.u64 == 0x0807060504030201);
	assert_int_equal(msg.n_fds, 5);
	for (i = 0; i < msg.n_fds; i++)
		assert_int_equal(fcntl(msg.fds[i], F_GETFD), FD_CLOEXEC);
}

static void
test_end(void **state)
{
	(void)state;
	put(&wire, 5, 0);
	assert_int_equal(read_on(), VHOST_IO_AGAIN);
	shutdown(far, SHUT_RDWR);
	assert_int_equal(read_on(), VHOST_IO_END);
}

static void
test_eight_descriptors(void **state)
{
	(void)state;
	put(&wire, sizeof(wire), 8);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	assert_int_equal(read_on(), VHOST_IO_WHOLE);
	assert_int_equal(msg.n_fds, 8);
}

/* What is too much is given away, in their order, and nothing is left to the kernel to close. */
static void
check_too_many(uint32_t n)
{
	int next, probe;

	next = dup(near);
	close(next);
	put(&wire, sizeof(wire), n);
	assert_int_equal(read_on(), VHOST_IO_BAD_FDS);
	assert_int_equal(msg.n_fds, 8);
	assert_int_equal(n_surplus, n - 8);
	while (msg.n_fds > 0)
		close(msg.fds[--msg.n_fds]);
	probe = dup(near);
	close(probe);
	assert_int_equal(probe, next);
}

static void
test_nine_descriptors(void **state)
{
	(void)state;
	check_too_many(9);
}

static void
test_most_descriptors(void **state)
{
	(void)state;
	check_too_many(FDS_MAX);
}

static void
test_nine_descriptors_in_two_parts(void **state)
{
	int first;

	(void)state;
	put(&wire, 12, 7);
	put(wire.payload, 8, 2);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	first = msg.fds[0];
	assert_int_equal(read_on(), VHOST_IO_BAD_FDS);
	assert_int_equal(msg.n_fds, 8);
	assert_int_equal(msg.fds[0], first);
	assert_int_equal(n_surplus, 1);
}

static void
test_descriptors_after_eight(void **state)
{
	(void)state;
	put(&wire, 12, 8);
	put(wire.payload, 8, FDS_MAX);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	assert_int_equal(read_on(), VHOST_IO_BAD_FDS);
	assert_int_equal(msg.n_fds, 8);
	assert_int_equal(n_surplus, FDS_MAX);
}

static void
test_send(void **state)
{
	struct vhost_msg out;

	(void)state;
	vhost_io_init(&out);
	out.header = wire.header;
	out.payload.u64 = 42;
	out.n_fds = 2;
	out.fds[0] = eventfd(0, 0);
	out.fds[1] = eventfd(0, 0);
	assert_int_equal(vhost_io_send(far, &out), 0);
	close(out.fds[0]);
	close(out.fds[1]);
	assert_int_equal(read_on(), VHOST_IO_HEADER);
	assert_int_equal(read_on(), VHOST_IO_WHOLE);
	assert_true(msg.payload.u64 == 42);
	assert_int_equal(msg.n_fds, 2);
	assert_int_equal(eventfd_write(msg.fds[1], 1), 0);
}

static void
test_send_to_who_does_not_read(void **state)
{
	struct vhost_msg out;
	int ret = 0, i;

	(void)state;
	vhost_io_init(&out);
	out.header = wire.header;
	for (i = 0; i < 1000000 && ret == 0; i++)
		ret = vhost_io_send(far, &out);
	assert_int_equal(ret, -EAGAIN);
	close(near);
	assert_int_equal(vhost_io_send(far, &out), -EPIPE);
	near = dup(far);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_eight_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nine_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_most_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(
				test_nine_descriptors_in_two_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_after_eight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send_to_who_does_not_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
