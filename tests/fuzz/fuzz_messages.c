/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions of a hostile frontend as the gate leads them: messages with real descriptors through a
 * socket, whole or in pieces, read, checked, taken over by the session or refused by a library that
 * says what the input says. After each message: an answer in words for each refusal, a memory table
 * without overlaps, complete rings that lie in it, every descriptor owned once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/fd_check.h"
#include "fuzz.h"
#include "base/virtio_bits.h"
#include "gate/session.h"
#include "gate/vhost_io.h"
#include "gate/vhost_msg.h"

#define MESSAGES_MAX 64
#define SENT_FDS_MAX 16 /* with one message; more than it may have */
#define PIECES_MAX 3	/* in which a message is sent */
#define FDS_WATCHED 128 /* no descriptor of this process has a higher number */
#define USER_ADDR 0x7f0000000000ull
#define PAGE 4096ull

/* Kinds of descriptors that a frontend sends. */
enum gift {
	GIFT_EVENTFD,
	GIFT_SMALL,   /* memory of 64 KiB */
	GIFT_LARGE,   /* memory of 8 MiB */
	GIFT_ENDLESS, /* memory of 2 TiB */
	GIFT_EMPTY,   /* memory of no bytes */
	GIFT_SEALED,  /* memory that may not be written to */
	GIFT_READ_ONLY,
	GIFT_PIPE,
	GIFT_SOCKET,
	GIFT_NULL,
	GIFT_EPOLL,
	GIFTS,
};

static int gifts[GIFTS];
static int near = -1, far = -1;
static bool before[FDS_WATCHED]; /* open before the input */
static bool owned[FDS_WATCHED];	 /* came through the socket and was not closed since */

/* As a port that offers offloads. */
static const struct vhost_offer offer = {
	.features = 1ull << 32 | 1ull << 28 | 1ull << 15 | VIRTIO_NET_F_OFFLOADS |
			SESSION_F_PROTOCOL_FEATURES,
	.protocol_features = 0x1001d,
	.mtu = 9000,
};

static int
make_memory(off_t size, int seals)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) != 0 || fcntl(fd, F_ADD_SEALS, seals) != 0)
		FUZZ_FAIL("no memory file: %s", strerror(errno));
	return fd;
}

static void
make_gifts(void)
{
	int pair[2], fds[2];
	char path[32];

	gifts[GIFT_EVENTFD] = eventfd(0, EFD_CLOEXEC);
	gifts[GIFT_SMALL] = make_memory(64 << 10, F_SEAL_SHRINK);
	gifts[GIFT_LARGE] = make_memory(8 << 20, 0);
	gifts[GIFT_ENDLESS] = make_memory((off_t)2 << 40, 0);
	gifts[GIFT_EMPTY] = make_memory(0, 0);
	gifts[GIFT_SEALED] = make_memory(8 << 20, F_SEAL_WRITE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", gifts[GIFT_LARGE]);
	gifts[GIFT_READ_ONLY] = open(path, O_RDONLY | O_CLOEXEC);
	if (pipe2(fds, O_CLOEXEC) != 0 ||
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		FUZZ_FAIL("no descriptors: %s", strerror(errno));
	gifts[GIFT_PIPE] = fds[0];
	gifts[GIFT_SOCKET] = pair[0];
	gifts[GIFT_NULL] = open("/dev/null", O_RDWR | O_CLOEXEC);
	gifts[GIFT_EPOLL] = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; i < GIFTS; i++)
		FUZZ_CHECK(gifts[i] >= 0);
}

static void
look_around(bool *open_now)
{
	for (int fd = 0; fd < FDS_WATCHED; fd++)
		open_now[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* For session_init(), and for what a session did not take. */
static void
close_owned(void *arg, int fd)
{
	(void)arg;
	FUZZ_CHECK(fd >= 0 && fd < FDS_WATCHED);
	if (!owned[fd])
		FUZZ_FAIL("descriptor %d is closed, and nobody owns it", fd);
	owned[fd] = false;
	close(fd);
}

static void
take_fds(const struct vhost_msg *msg, uint32_t from)
{
	for (uint32_t i = from; i < msg->n_fds; i++) {
		int fd = msg->fds[i];

		FUZZ_CHECK(fd >= 0 && fd < FDS_WATCHED && !owned[fd] && !before[fd]);
		FUZZ_CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
		owned[fd] = true;
	}
}

/* A descriptor for which the message has no place. */
static void
close_surplus(void *arg, int fd)
{
	(void)arg;
	FUZZ_CHECK(fd >= 0 && fd < FDS_WATCHED && !owned[fd] && !before[fd]);
	close(fd);
}

static const struct fd_receiver surplus = { .give = close_surplus };

static void
release(struct vhost_msg *msg)
{
	for (uint32_t i = 0; i < msg->n_fds; i++)
		if (msg->fds[i] >= 0)
			close_owned(NULL, msg->fds[i]);
	vhost_io_init(msg);
}

/* Numbers at which checks turn, addresses in and around memory, and any other. */
static uint64_t
read_number(struct fuzz_input *input)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 8, 256, 32768, UINT16_MAX, UINT16_MAX + 1,
		UINT32_MAX, INT64_MAX, UINT64_MAX, 64 << 10, 8 << 20, 1ull << 40, USER_ADDR };
	uint8_t kind = fuzz_u8(input);
	uint8_t more = kind & 0x1f;

	switch (kind >> 5) {
	case 0:
		return edges[more % (sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return edges[more % (sizeof(edges) / sizeof(edges[0]))] + fuzz_u8(input) - 128;
	case 2:
		return more * PAGE;
	case 3:
		return USER_ADDR + more * PAGE;
	case 4:
		return USER_ADDR + more * PAGE + fuzz_u8(input);
	case 5:
		return 1ull << (more * 2);
	case 6:
		return fuzz_u16(input);
	default:
		return fuzz_u64(input);
	}
}

/* Regions anywhere, or where the one before ends, a byte more or less. */
static void
write_memory(struct fuzz_input *input, struct vhost_msg *msg)
{
	struct vhost_payload_memory *memory = &msg->payload.memory;
	uint32_t n = fuzz_below(input, MEMORY_REGIONS_MAX + 1);

	memory->n_regions = n;
	for (uint32_t i = 0; i < n; i++) {
		struct vhost_payload_region *region = &memory->regions[i];
		const struct vhost_payload_region *last = &memory->regions[i > 0 ? i - 1 : 0];
		uint8_t how = fuzz_u8(input);

		region->guest_phys_addr = read_number(input);
		region->size = read_number(input);
		region->userspace_addr = read_number(input);
		region->mmap_offset = read_number(input);
		if (i > 0 && (how & 1))
			region->guest_phys_addr = last->guest_phys_addr + last->size +
					(how >> 4 & 3) - 1;
		if (i > 0 && (how & 2))
			region->userspace_addr = last->userspace_addr + last->size + (how >> 6) - 1;
	}
	msg->header.size = 8 + n * (uint32_t)sizeof(memory->regions[0]);
}

/* An address for an area of the ring: any, or at the end of a region. */
static uint64_t
read_area(struct fuzz_input *input, const struct session *session, uint32_t index,
		enum session_area area)
{
	const struct session_region *region;
	uint8_t how = fuzz_u8(input);

	if ((how & 0x80) == 0 || session->n_regions == 0 || index >= PORT_VRINGS)
		return read_number(input);
	region = &session->regions[how % session->n_regions];
	return region->userspace_addr + region->size -
			session_area_bytes(area, session->vrings[index].size) + (how >> 3 & 0xf) -
			8;
}

static void
write_addr(struct fuzz_input *input, const struct session *session, struct vhost_msg *msg)
{
	struct vhost_payload_addr *addr = &msg->payload.addr;

	addr->index = fuzz_below(input, PORT_VRINGS + 1);
	addr->flags = fuzz_below(input, 8) == 7 ? 1 : 0;
	addr->desc_user_addr = read_area(input, session, addr->index, SESSION_AREA_DESC);
	addr->avail_user_addr = read_area(input, session, addr->index, SESSION_AREA_AVAIL);
	addr->used_user_addr = read_area(input, session, addr->index, SESSION_AREA_USED);
	msg->header.size = sizeof(*addr);
}

/* A payload of the request's kind, with any values. */
static void
write_payload(struct fuzz_input *input, const struct session *session, struct vhost_msg *msg)
{
	switch (msg->header.request) {
	case VHOST_REQ_SET_MEM_TABLE:
		write_memory(input, msg);
		break;
	case VHOST_REQ_SET_VRING_ADDR:
		write_addr(input, session, msg);
		break;
	case VHOST_REQ_SET_VRING_NUM:
	case VHOST_REQ_SET_VRING_BASE:
	case VHOST_REQ_GET_VRING_BASE:
	case VHOST_REQ_SET_VRING_ENABLE:
		msg->payload.state.index = fuzz_below(input, PORT_VRINGS + 1);
		msg->payload.state.num = (uint32_t)read_number(input);
		msg->header.size = sizeof(msg->payload.state);
		break;
	case VHOST_REQ_SET_VRING_KICK:
	case VHOST_REQ_SET_VRING_CALL:
	case VHOST_REQ_SET_VRING_ERR:
		msg->payload.u64 = fuzz_below(input, PORT_VRINGS + 1) |
				(fuzz_below(input, 2) ? VHOST_FILE_NO_DESCRIPTOR : 0);
		msg->header.size = sizeof(msg->payload.u64);
		break;
	case VHOST_REQ_SET_FEATURES:
		msg->payload.u64 = offer.features & fuzz_u64(input);
		msg->header.size = sizeof(msg->payload.u64);
		break;
	case VHOST_REQ_SET_PROTOCOL_FEATURES:
	case VHOST_REQ_SEND_RARP:
	case VHOST_REQ_NET_SET_MTU:
	case VHOST_REQ_SET_STATUS:
		msg->payload.u64 = read_number(input);
		msg->header.size = sizeof(msg->payload.u64);
		break;
	default:
		break;
	}
}

/* Any header, and any payload as far as there is room for it. */
static void
write_anything(struct fuzz_input *input, struct vhost_msg *msg)
{
	fuzz_bytes(input, &msg->header, sizeof(msg->header));
	fuzz_bytes(input, msg->payload.bytes,
			msg->header.size < 64 ? msg->header.size : fuzz_u8(input));
}

/* One bit of what was right may be wrong. */
static void
spoil(struct fuzz_input *input, struct vhost_msg *msg)
{
	uint32_t at = fuzz_below(input, sizeof(msg->header) + 272);
	uint8_t bits = fuzz_u8(input);

	if (at < sizeof(msg->header))
		((uint8_t *)&msg->header)[at] ^= bits;
	else
		msg->payload.bytes[at - sizeof(msg->header)] ^= bits;
}

/* Fills header and payload; the descriptors that come along go to `fds`. Returns their number. */
static uint32_t
write_message(struct fuzz_input *input, const struct session *session, struct vhost_msg *msg,
		int *fds)
{
	uint8_t how = fuzz_u8(input);
	uint32_t n;

	memset(&msg->header, 0, sizeof(msg->header));
	memset(&msg->payload, 0, sizeof(msg->payload));
	msg->header.request = how & 0x3f;
	msg->header.flags = VHOST_FLAG_VERSION | (how & 0x40 ? VHOST_FLAG_NEED_REPLY : 0);
	if (msg->header.request == 0)
		write_anything(input, msg);
	else
		write_payload(input, session, msg);
	if (how & 0x80)
		spoil(input, msg);
	n = fuzz_below(input, SENT_FDS_MAX + 1);
	for (uint32_t i = 0; i < n; i++)
		fds[i] = gifts[fuzz_below(input, GIFTS)];
	return n;
}

static void
send_piece(const uint8_t *data, size_t len, const int *fds, uint32_t n_fds)
{
	union {
		char buffer[CMSG_SPACE(SENT_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (n_fds > 0) {
		hdr.msg_control = control.buffer;
		hdr.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, n_fds * sizeof(int));
	}
	FUZZ_CHECK(sendmsg(far, &hdr, MSG_NOSIGNAL) == (ssize_t)len);
}

/* Reads until the socket is empty or the message is whole or bad; false when the session ends. */
static bool
read_on(struct vhost_msg *msg, enum vhost_io *io)
{
	char why[256] = "";

	do {
		uint32_t n_fds = msg->n_fds, have = msg->have;

		*io = vhost_io_read(near, msg, &surplus);
		take_fds(msg, n_fds);
		FUZZ_CHECK(msg->n_fds >= n_fds && msg->have >= have);
		if (*io == VHOST_IO_HEADER &&
				vhost_msg_check_header(&msg->header, why, sizeof(why)) !=
						VHOST_GOOD) {
			FUZZ_CHECK(why[0] != '\0');
			return false;
		}
		if (msg->have == have)
			break;
	} while (*io == VHOST_IO_AGAIN || *io == VHOST_IO_HEADER);
	return *io != VHOST_IO_END && *io != VHOST_IO_BAD_FDS;
}

/* Sends the message in pieces, each with a share of the descriptors, and reads each. */
static bool
pass_message(struct fuzz_input *input, const struct vhost_msg *sent, const int *fds, uint32_t n_fds,
		struct vhost_msg *msg)
{
	static uint8_t wire[sizeof(sent->header) + VHOST_PAYLOAD_MAX];
	size_t payload = sent->header.size < VHOST_PAYLOAD_MAX ? sent->header.size
							       : VHOST_PAYLOAD_MAX;
	size_t len = sizeof(sent->header) + payload, done = 0;
	uint32_t pieces = 1 + fuzz_below(input, PIECES_MAX), gone = 0;
	enum vhost_io io = VHOST_IO_AGAIN;

	memcpy(wire, &sent->header, sizeof(sent->header));
	memcpy(wire + sizeof(sent->header), sent->payload.bytes, payload);
	for (uint32_t i = 0; i < pieces && io == VHOST_IO_AGAIN; i++) {
		bool last = i + 1 == pieces;
		size_t n = last ? len - done : fuzz_below(input, len - done);
		uint32_t some = last ? n_fds - gone : fuzz_below(input, n_fds - gone + 1);

		if (n == 0)
			continue;
		send_piece(wire + done, n, fds + gone, some);
		done += n;
		gone += some;
		if (!read_on(msg, &io))
			return false;
	}
	return io == VHOST_IO_WHOLE;
}

static bool
apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b ? b - a >= a_size : a - b >= b_size;
}

static void
check_region(const struct session *session, uint32_t i)
{
	const struct session_region *a = &session->regions[i];

	FUZZ_CHECK(a->size > 0);
	FUZZ_CHECK(a->guest_phys_addr <= UINT64_MAX - a->size);
	FUZZ_CHECK(a->userspace_addr <= UINT64_MAX - a->size);
	FUZZ_CHECK(a->mmap_offset % PAGE == 0);
	FUZZ_CHECK(a->fd >= 0 && owned[a->fd]);
	for (uint32_t k = 0; k < i; k++) {
		const struct session_region *b = &session->regions[k];

		FUZZ_CHECK(apart(a->guest_phys_addr, a->size, b->guest_phys_addr, b->size));
		FUZZ_CHECK(apart(a->userspace_addr, a->size, b->userspace_addr, b->size));
	}
}

/* Each byte of an area is in one region of the memory table, and it is aligned there. */
static bool
lies_in_memory(const struct session *session, uint64_t addr, uint64_t size, uint64_t align)
{
	for (uint32_t i = 0; i < session->n_regions; i++) {
		const struct session_region *region = &session->regions[i];

		if (addr >= region->userspace_addr && size <= region->size &&
				addr - region->userspace_addr <= region->size - size)
			return addr % align == 0 &&
					(region->mmap_offset + (addr - region->userspace_addr)) %
							align ==
					0;
	}
	return false;
}

static void
check_vring(const struct session *session, uint32_t index)
{
	const struct session_vring *vring = &session->vrings[index];
	uint64_t size = vring->size;

	FUZZ_CHECK(size == 0 ||
			(size >= VRING_SIZE_MIN && size <= VRING_SIZE_MAX &&
					(size & (size - 1)) == 0));
	if (!session_vring_complete(session, index))
		return;
	FUZZ_CHECK(session->has_features && session->n_regions > 0 && size != 0 && vring->enabled);
	FUZZ_CHECK(!vring->was_stopped);
	FUZZ_CHECK(lies_in_memory(session, vring->desc_user_addr, 16 * size, 16));
	FUZZ_CHECK(lies_in_memory(session, vring->avail_user_addr, 6 + 2 * size, 2));
	FUZZ_CHECK(lies_in_memory(session, vring->used_user_addr, 6 + 8 * size, 4));
}

static void
check_ownership(const struct session *session)
{
	uint32_t n = session->n_regions, all = 0;

	for (uint32_t i = 0; i < PORT_VRINGS; i++) {
		const struct session_vring *vring = &session->vrings[i];

		FUZZ_CHECK(vring->kick_fd < 0 || owned[vring->kick_fd]);
		FUZZ_CHECK(vring->call_fd < 0 || owned[vring->call_fd]);
		n += (vring->kick_fd >= 0) + (vring->call_fd >= 0);
	}
	for (uint32_t fd = 0; fd < FDS_WATCHED; fd++)
		all += owned[fd];
	if (n != all)
		FUZZ_FAIL("the session has %u descriptors, and %u are open", n, all);
}

static void
check_session(const struct session *session)
{
	uint64_t mapped = 0;
	char text[128];

	FUZZ_CHECK((session->features & ~offer.features) == 0);
	FUZZ_CHECK((session->protocol_features & ~offer.protocol_features) == 0);
	FUZZ_CHECK(session->n_regions <= MEMORY_REGIONS_MAX);
	FUZZ_CHECK(session->has_memory == (session->n_regions > 0));
	for (uint32_t i = 0; i < session->n_regions; i++) {
		check_region(session, i);
		mapped += session->regions[i].mmap_offset + session->regions[i].size;
	}
	FUZZ_CHECK(mapped <= MEMORY_MAPPED_MAX);
	for (uint32_t i = 0; i < PORT_VRINGS; i++)
		check_vring(session, i);
	session_missing(session, text, sizeof(text));
	FUZZ_CHECK(memchr(text, '\0', sizeof(text)) != NULL);
	check_ownership(session);
}

/* What the library answers, and what then holds in the session. */
static void
take_effect(struct fuzz_input *input, struct vhost_msg *msg, struct session *session)
{
	const uint32_t flags = vhost_msg_flags(msg->header.request);
	static struct vhost_msg answer;
	uint8_t how = fuzz_u8(input);

	if ((flags & VHOST_MSG_RELAYED) == 0) {
		vhost_msg_apply(msg, NULL, session);
		return;
	}
	answer.header = (struct vhost_header){
		.request = msg->header.request,
		.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY,
		.size = sizeof(answer.payload.u64),
	};
	if (how & 0x80)
		fuzz_bytes(input, &answer.header, sizeof(answer.header));
	answer.payload.state.index = how & 0x40 ? fuzz_u32(input) : msg->payload.state.index;
	answer.payload.state.num = how & 0x20 ? fuzz_u32(input) : how;
	if (!vhost_msg_check_answer(msg, &answer, &offer))
		return;
	if (msg->header.request == VHOST_REQ_GET_FEATURES)
		FUZZ_CHECK((answer.payload.u64 & ~offer.features) == 0);
	if ((flags & VHOST_MSG_HAS_REPLY) == 0 && (how & 0x1f) == 1)
		vhost_msg_apply_refusal(msg, session);
	else
		vhost_msg_apply(msg, &answer, session);
}

/* Sends a good message on, as the gate does to the library, which reads the very same. */
static void
relay(const struct vhost_msg *msg)
{
	static struct vhost_msg again;
	enum vhost_io io;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		FUZZ_FAIL("no socket: %s", strerror(errno));
	FUZZ_CHECK(vhost_io_send(pair[0], msg) == 0);
	close(pair[0]);
	vhost_io_init(&again);
	do {
		io = vhost_io_read(pair[1], &again, &surplus);
	} while (io == VHOST_IO_HEADER || io == VHOST_IO_AGAIN);
	FUZZ_CHECK(io == VHOST_IO_WHOLE);
	take_fds(&again, 0);
	FUZZ_CHECK(memcmp(&again.header, &msg->header, sizeof(again.header)) == 0);
	FUZZ_CHECK(memcmp(&again.payload, &msg->payload, again.header.size) == 0);
	FUZZ_CHECK(again.n_fds == msg->n_fds);
	release(&again);
	close(pair[1]);
}

static bool
can_be_mapped(const struct vhost_msg *msg)
{
	const struct vhost_payload_memory *memory = &msg->payload.memory;

	if (msg->header.request != VHOST_REQ_SET_MEM_TABLE)
		return true;
	for (uint32_t i = 0; i < memory->n_regions; i++)
		if (fd_check_map(msg->fds[i],
				    memory->regions[i].mmap_offset + memory->regions[i].size) != 0)
			return false;
	return true;
}

/* A whole message; false when the session ends over it. */
static bool
handle_message(struct fuzz_input *input, struct vhost_msg *msg, struct session *session)
{
	uint64_t features = session->features;
	bool started = session_started(session);
	enum vhost_verdict verdict;
	char why[256] = "";

	for (uint32_t i = 0; i < msg->n_fds; i++)
		fd_check(msg->fds[i], &msg->facts[i]);
	verdict = vhost_msg_check(msg, session, &offer, why, sizeof(why));
	FUZZ_CHECK((why[0] == '\0') == (verdict == VHOST_GOOD));
	FUZZ_CHECK(verdict != VHOST_GOOD || vhost_msg_rings(msg) < 1u << PORT_VRINGS);
	if (verdict == VHOST_GOOD && can_be_mapped(msg)) {
		relay(msg);
		take_effect(input, msg, session);
	}
	FUZZ_CHECK(!started || session->features == features);
	release(msg);
	check_session(session);
	return verdict != VHOST_BROKEN;
}

/* One session, until it ends or the input does. */
static void
play_session(struct fuzz_input *input)
{
	static struct vhost_msg sent, msg;
	struct session session;
	int fds[SENT_FDS_MAX];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		FUZZ_FAIL("no socket: %s", strerror(errno));
	near = pair[0];
	far = pair[1];
	look_around(before);
	session_init(&session, close_owned, NULL);
	vhost_io_init(&msg);
	for (uint32_t i = 0; i < MESSAGES_MAX && input->left > 0; i++) {
		uint32_t n = write_message(input, &session, &sent, fds);

		if (!pass_message(input, &sent, fds, n, &msg) ||
				!handle_message(input, &msg, &session))
			break;
	}
	release(&msg);
	check_session(&session);
	session_reset(&session);
	check_session(&session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	bool after[FDS_WATCHED];

	if (near < 0)
		make_gifts();
	play_session(&input);
	look_around(after);
	for (int fd = 0; fd < FDS_WATCHED; fd++)
		if (after[fd] != before[fd])
			FUZZ_FAIL("descriptor %d was %s", fd,
					after[fd] ? "left open" : "closed by mistake");
	close(near);
	close(far);
	return 0;
}
