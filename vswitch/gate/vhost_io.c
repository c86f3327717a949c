/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_io.h. */
#include "vhost_io.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fd_receive.h"

void
vhost_io_init(struct vhost_msg *msg)
{
	memset(&msg->header, 0, sizeof(msg->header));
	msg->have = 0;
	msg->n_fds = 0;
}

bool
vhost_io_idle(const struct vhost_msg *msg)
{
	return msg->have == 0;
}

/* Where keep_fd() puts descriptors. */
struct keeper {
	struct vhost_msg *msg;
	const struct fd_receiver *surplus;
	bool too_many;
};

static void
keep_fd(void *arg, int fd)
{
	struct keeper *keeper = arg;
	struct vhost_msg *msg = keeper->msg;

	if (msg->n_fds < VHOST_MSG_FDS_MAX) {
		msg->fds[msg->n_fds++] = fd;
		return;
	}
	keeper->surplus->give(keeper->surplus->arg, fd);
	keeper->too_many = true;
}

enum vhost_io
vhost_io_read(int fd, struct vhost_msg *msg, const struct fd_receiver *surplus)
{
	const uint32_t header = sizeof(msg->header);
	struct keeper keeper = { .msg = msg, .surplus = surplus };
	const struct fd_receiver receiver = { .give = keep_fd, .arg = &keeper };
	bool lost, in_header = msg->have < header;
	uint8_t *at = in_header ? (uint8_t *)&msg->header + msg->have
				: msg->payload.bytes + (msg->have - header);
	uint32_t end = in_header ? header : header + msg->header.size;
	ssize_t n;

	if (msg->have == end)
		return VHOST_IO_WHOLE;
	n = fd_receive(fd, at, end - msg->have, &receiver, &lost);
	if (n < 0)
		return errno == EAGAIN ? VHOST_IO_AGAIN : VHOST_IO_END;
	if (lost || keeper.too_many)
		return VHOST_IO_BAD_FDS;
	if (n == 0)
		return VHOST_IO_END;
	msg->have += (uint32_t)n;
	if (msg->have < end)
		return VHOST_IO_AGAIN;
	return in_header ? VHOST_IO_HEADER : VHOST_IO_WHOLE;
}

int
vhost_io_send(int fd, const struct vhost_msg *msg)
{
	union {
		char buffer[CMSG_SPACE(VHOST_MSG_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)&msg->header, .iov_len = sizeof(msg->header) },
		{ .iov_base = (void *)(uintptr_t)&msg->payload, .iov_len = msg->header.size },
	};
	struct msghdr hdr = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cmsg;
	ssize_t n;

	if (msg->n_fds != 0) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.buffer;
		hdr.msg_controllen = CMSG_SPACE(msg->n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(msg->n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), msg->fds, msg->n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(msg->header) + msg->header.size ? 0 : -EAGAIN;
}
