/* SPDX-License-Identifier: BSD-3-Clause */
/* See fd_receive.h. */
#include "fd_receive.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void
give_all(struct msghdr *hdr, const struct fd_receiver *receiver)
{
	struct cmsghdr *cmsg;
	size_t n, i;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL; cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			receiver->give(receiver->arg, fd);
		}
	}
}

ssize_t
fd_receive(int fd, void *data, size_t len, const struct fd_receiver *receiver, bool *lost)
{
	union {
		char buffer[CMSG_SPACE(FD_RECEIVE_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	ssize_t n;

	do
		n = recvmsg(fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*lost = n >= 0 && (hdr.msg_flags & MSG_CTRUNC) != 0;
	if (n >= 0)
		give_all(&hdr, receiver);
	return n;
}
