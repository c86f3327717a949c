/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frontend's part of the vhost-user protocol, as far as a measurement needs it: negotiation,
 * one region of memory, two rings. User addresses serve as guest-physical ones.
 */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "raw_port.h"

#define VHOST_USER_F_PROTOCOL_FEATURES 30
#define VHOST_USER_VERSION 1
#define HEADER_LEN 12
#define ANSWER_LIMIT 5 /* seconds */

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
};

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct {
			uint32_t index, num;
		} state;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n, padding;
			uint64_t guest_phys_addr, size, user_addr, mmap_offset;
		} memory;
	} __attribute__((packed));
} __attribute__((packed));

static int
send_message(int socket, struct message *msg, uint32_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = msg, .iov_len = HEADER_LEN + size };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

	msg->flags = VHOST_USER_VERSION;
	msg->size = size;
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL) == (ssize_t)iov.iov_len ? 0 : -errno;
}

static int
send_u64(int socket, enum request request, uint64_t value, int fd)
{
	struct message msg = { .request = request, .u64 = value };

	return send_message(socket, &msg, sizeof(value), fd);
}

static int
send_state(int socket, enum request request, uint32_t index, uint32_t num)
{
	struct message msg = { .request = request, .state = { index, num } };

	return send_message(socket, &msg, sizeof(msg.state), -1);
}

static int
get_u64(int socket, enum request request, uint64_t *value)
{
	struct message msg = { .request = request };
	ssize_t want = HEADER_LEN + sizeof(*value), n;
	int ret = send_message(socket, &msg, 0, -1);

	if (ret < 0)
		return ret;
	n = recv(socket, &msg, (size_t)want, MSG_WAITALL);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (n != want)
		return -EPROTO;
	*value = msg.u64;
	return 0;
}

static int
negotiate(int socket)
{
	const uint64_t wanted = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_NET_F_MRG_RXBUF |
			1ull << VIRTIO_F_IN_ORDER | 1ull << VHOST_USER_F_PROTOCOL_FEATURES;
	const uint64_t required = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_NET_F_MRG_RXBUF |
			1ull << VHOST_USER_F_PROTOCOL_FEATURES;
	struct message owner = { .request = SET_OWNER };
	uint64_t offered = 0, protocol = 0;
	int ret = send_message(socket, &owner, 0, -1);

	if (ret == 0)
		ret = get_u64(socket, GET_FEATURES, &offered);
	if (ret == 0 && (offered & required) != required)
		ret = -EOPNOTSUPP;
	if (ret == 0)
		ret = get_u64(socket, GET_PROTOCOL_FEATURES, &protocol);
	if (ret == 0)
		ret = send_u64(socket, SET_PROTOCOL_FEATURES, 0, -1);
	if (ret == 0)
		ret = send_u64(socket, SET_FEATURES, offered & wanted, -1);
	return ret;
}

static int
share_memory(int socket, const struct raw_port *port)
{
	struct message msg = {
		.request = SET_MEM_TABLE,
		.memory = {
			.n = 1,
			.guest_phys_addr = (uintptr_t)port->memory,
			.size = port->memory_size,
			.user_addr = (uintptr_t)port->memory,
		},
	};

	return send_message(socket, &msg, sizeof(msg.memory), port->memory_fd);
}

static int
start_ring(int socket, const struct raw_ring *ring, uint32_t index)
{
	struct message addr = {
		.request = SET_VRING_ADDR,
		.addr = {
			.index = index,
			.desc = (uintptr_t)ring->desc,
			.used = (uintptr_t)ring->used,
			.avail = (uintptr_t)ring->avail,
		},
	};
	int ret = send_state(socket, SET_VRING_NUM, index, ring->size);

	if (ret == 0)
		ret = send_state(socket, SET_VRING_BASE, index, 0);
	if (ret == 0)
		ret = send_message(socket, &addr, sizeof(addr.addr), -1);
	if (ret == 0)
		ret = send_u64(socket, SET_VRING_CALL, index, ring->call_fd);
	if (ret == 0)
		ret = send_u64(socket, SET_VRING_KICK, index, ring->kick_fd);
	if (ret == 0)
		ret = send_state(socket, SET_VRING_ENABLE, index, 1);
	return ret;
}

static int
connect_to(const char *path)
{
	const struct timeval limit = { .tv_sec = ANSWER_LIMIT };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
			connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/* A question that is answered only after all that was said before has been heard. */
static int
wait_until_heard(int socket)
{
	uint64_t features;

	return get_u64(socket, GET_FEATURES, &features);
}

int
raw_session_start(struct raw_port *port, const char *path)
{
	int ret = connect_to(path);

	if (ret < 0)
		return ret;
	port->fd = ret;
	ret = negotiate(port->fd);
	if (ret == 0)
		ret = share_memory(port->fd, port);
	if (ret == 0)
		ret = start_ring(port->fd, &port->rx, 0);
	if (ret == 0)
		ret = start_ring(port->fd, &port->tx, 1);
	if (ret == 0)
		ret = wait_until_heard(port->fd);
	return ret;
}
