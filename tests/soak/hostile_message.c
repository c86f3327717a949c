/* SPDX-License-Identifier: BSD-3-Clause */
/* One vhost-user message of a hostile frontend: as it should be, or spoiled. */
#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sys/socket.h>

#include "hostile.h"
#include "hostile_requests.h"

#define PAYLOAD_MAX 1024
#define FDS_MAX 253 /* SCM_MAX_FD */
#define FLAG_VERSION 1u
#define FLAG_REPLY 4u
#define FLAG_NEED_REPLY 8u
#define NO_DESCRIPTOR 0x100u
#define F_PROTOCOL_FEATURES 30

struct header {
	uint32_t request, flags, size;
};

struct message {
	struct header header;
	uint8_t payload[PAYLOAD_MAX];
	uint32_t n_fds;
	int fds[FDS_MAX];
	uint32_t length; /* bytes to send: all, unless spoiled */
};

static void
put(struct message *message, const void *data, uint32_t size)
{
	memcpy(message->payload + message->header.size, data, size);
	message->header.size += size;
}

static void
put_u32(struct message *message, uint32_t value)
{
	put(message, &value, sizeof(value));
}

static void
put_u64(struct message *message, uint64_t value)
{
	put(message, &value, sizeof(value));
}

static void
put_memory(const struct hostile *hostile, struct message *message)
{
	put_u32(message, HOSTILE_REGIONS);
	put_u32(message, 0);
	for (uint32_t i = 0; i < HOSTILE_REGIONS; i++) {
		const struct hostile_region *region = &hostile->regions[i];

		put_u64(message, region->guest_phys_addr);
		put_u64(message, HOSTILE_REGION_SIZE);
		put_u64(message, (uintptr_t)region->memory);
		put_u64(message, 0);
		message->fds[message->n_fds++] = region->fd;
	}
}

static void
put_file(struct message *message, uint32_t ring, int fd, bool none)
{
	put_u64(message, ring | (none ? NO_DESCRIPTOR : 0));
	if (!none)
		message->fds[message->n_fds++] = fd;
}

/* Those that a driver would take, with some left out. */
static uint64_t
some_features(struct hostile *hostile)
{
	uint64_t wanted = 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_NET_F_MRG_RXBUF |
			1ull << VIRTIO_F_ANY_LAYOUT | 1ull << VIRTIO_RING_F_INDIRECT_DESC |
			1ull << VIRTIO_F_IN_ORDER | 1ull << VIRTIO_NET_F_CSUM |
			1ull << VIRTIO_NET_F_GUEST_CSUM | 1ull << VIRTIO_NET_F_HOST_TSO4 |
			1ull << VIRTIO_NET_F_GUEST_TSO4 | 1ull << VIRTIO_NET_F_GUEST_TSO6;
	uint64_t some = chance_u64(&hostile->chance);

	some |= chance_u64(&hostile->chance);
	return (wanted & some) | 1ull << F_PROTOCOL_FEATURES;
}

/* The payload that the request has in a good session. */
static void
fill(struct hostile *hostile, struct message *message, uint32_t request, uint32_t index)
{
	const struct hostile_ring *ring = &hostile->rings[index % HOSTILE_RINGS];

	message->header.request = request;
	switch (request) {
	case SET_FEATURES:
		put_u64(message, some_features(hostile));
		break;
	case SET_PROTOCOL_FEATURES:
		put_u64(message, 1u << 0 | 1u << 3);
		break;
	case SET_MEM_TABLE:
		put_memory(hostile, message);
		break;
	case SET_VRING_NUM:
		put_u32(message, index);
		put_u32(message, ring->size);
		break;
	case SET_VRING_ADDR:
		put_u32(message, index);
		put_u32(message, 0);
		put_u64(message, (uintptr_t)ring->desc);
		put_u64(message, (uintptr_t)ring->used);
		put_u64(message, (uintptr_t)ring->avail);
		put_u64(message, 0);
		break;
	case SET_VRING_BASE:
	case GET_VRING_BASE:
		put_u32(message, index);
		put_u32(message, 0);
		break;
	case SET_VRING_ENABLE:
		put_u32(message, index);
		put_u32(message, 1);
		break;
	case SET_VRING_KICK:
		put_file(message, index, ring->kick_fd, chance_one_in(&hostile->chance, 16));
		break;
	case SET_VRING_CALL:
	case SET_VRING_ERR:
		put_file(message, index, ring->call_fd, chance_one_in(&hostile->chance, 8));
		break;
	case SEND_RARP:
	case SET_STATUS:
		put_u64(message, chance_below(&hostile->chance, 256));
		break;
	case NET_SET_MTU:
		put_u64(message, 68 + chance_below(&hostile->chance, 9000));
		break;
	default:
		break;
	}
}

/* One field or byte becomes another. */
static void
spoil_payload(struct hostile *hostile, struct message *message)
{
	struct chance *chance = &hostile->chance;
	uint32_t size = message->header.size;
	uint64_t odd = chance_odd_number(chance);
	uint32_t width = chance_one_in(chance, 2) ? sizeof(uint32_t) : sizeof(uint64_t);

	if (size < width)
		return;
	if (chance_one_in(chance, 4))
		message->payload[chance_below(chance, size)] ^= 1u << chance_below(chance, 8);
	else
		memcpy(message->payload + chance_below(chance, size / width) * width, &odd, width);
}

static void
spoil_descriptors(struct hostile *hostile, struct message *message)
{
	struct chance *chance = &hostile->chance;
	uint32_t most = chance_one_in(chance, 16) ? FDS_MAX : 10;

	switch (chance_below(chance, 3)) {
	case 0:
		message->n_fds = chance_below(chance, message->n_fds + 1);
		break;
	case 1:
		if (message->n_fds > 0)
			message->fds[chance_below(chance, message->n_fds)] = hostile_some_thing(
					hostile);
		break;
	default:
		message->n_fds = chance_below(chance, most + 1);
		for (uint32_t i = 0; i < message->n_fds; i++)
			message->fds[i] = hostile_some_thing(hostile);
		break;
	}
}

/* The size says something else than is true, or what is said does not come. */
static void
spoil_size(struct hostile *hostile, struct message *message)
{
	struct chance *chance = &hostile->chance;

	switch (chance_below(chance, 4)) {
	case 0:
		message->header.size = (uint32_t)chance_odd_number(chance);
		break;
	case 1:
		message->header.size = chance_below(chance, PAYLOAD_MAX + 1);
		message->length = (uint32_t)sizeof(message->header) + message->header.size;
		break;
	case 2:
		message->header.size += chance_one_in(chance, 2) ? 8 : (uint32_t)-8;
		break;
	default:
		message->length = chance_below(chance, message->length);
		break;
	}
}

static void
spoil(struct hostile *hostile, struct message *message)
{
	struct chance *chance = &hostile->chance;

	switch (chance_below(chance, 8)) {
	case 0:
		message->header.request = chance_below(chance, 48);
		break;
	case 1:
		message->header.flags ^= 1u
				<< chance_below(chance, chance_one_in(chance, 2) ? 4 : 32);
		break;
	case 2:
		spoil_size(hostile, message);
		break;
	case 3:
	case 4:
		spoil_descriptors(hostile, message);
		break;
	default:
		spoil_payload(hostile, message);
		break;
	}
}

static bool
transmit(struct hostile *hostile, const struct message *message)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov[] = {
		{ (void *)(uintptr_t)&message->header, sizeof(message->header) },
		{ (void *)(uintptr_t)message->payload, 0 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (message->length < sizeof(message->header))
		iov[0].iov_len = message->length;
	else
		iov[1].iov_len = message->length - sizeof(message->header);
	if (message->n_fds > 0 && message->length > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * message->n_fds);
		memset(&control, 0, msg.msg_controllen);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * message->n_fds);
		memcpy(CMSG_DATA(&control.align), message->fds, sizeof(int) * message->n_fds);
	}
	hostile->n_sent++;
	return sendmsg(hostile->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool
hostile_say(struct hostile *hostile, uint32_t request, uint32_t ring)
{
	struct message message = { .header = { .flags = FLAG_VERSION } };

	if (chance_one_in(&hostile->chance, 4))
		message.header.flags |= FLAG_NEED_REPLY;
	fill(hostile, &message, request, ring);
	message.length = (uint32_t)sizeof(message.header) + message.header.size;
	if (hostile->spoil != 0 && chance_one_in(&hostile->chance, hostile->spoil))
		spoil(hostile, &message);
	return transmit(hostile, &message);
}

bool
hostile_babble(struct hostile *hostile)
{
	struct message message = { .header = { .flags = FLAG_VERSION } };
	struct chance *chance = &hostile->chance;

	if (chance_one_in(chance, 4)) {
		chance_fill(chance, &message.header, sizeof(message.header));
		chance_fill(chance, message.payload, sizeof(message.payload));
		message.length = 1 + chance_below(chance, sizeof(message.header) + PAYLOAD_MAX);
		spoil_descriptors(hostile, &message);
		return transmit(hostile, &message);
	}
	return hostile_say(hostile, chance_below(chance, 44), chance_below(chance, 3));
}

bool
hostile_listen(struct hostile *hostile)
{
	char data[512];
	ssize_t n;

	do {
		n = recv(hostile->fd, data, sizeof(data), MSG_DONTWAIT);
	} while (n > 0);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

bool
hostile_wait_heard(struct hostile *hostile, int limit_ms)
{
	struct pollfd pfd = { .fd = hostile->fd, .events = POLLIN };
	struct message message = { .header = { GET_FEATURES, FLAG_VERSION, 0 } };

	if (!hostile_listen(hostile))
		return false;
	message.length = sizeof(message.header);
	if (!transmit(hostile, &message) || poll(&pfd, 1, limit_ms) != 1)
		return false;
	return hostile_listen(hostile);
}
