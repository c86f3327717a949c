/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_build.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vhost_build.h"

const struct vhost_offer build_offer = {
	.features = 1ull << 32 | 1ull << 15 | SESSION_F_PROTOCOL_FEATURES,
	.protocol_features = 0x1001d,
	.mtu = 9000,
};

static uint8_t owned[BUILD_FDS_MAX];
static int next_fd = 3;
static int n_open;

int
build_fd(void)
{
	assert_true(next_fd < BUILD_FDS_MAX);
	owned[next_fd] = 1;
	n_open++;
	return next_fd++;
}

void
build_close(void *unused, int fd)
{
	(void)unused;
	assert_uint_in_range(fd, 3, BUILD_FDS_MAX - 1);
	assert_int_equal(owned[fd], 1);
	owned[fd] = 0;
	n_open--;
}

int
build_open_fds(void)
{
	return n_open;
}

void
build_empty(struct vhost_msg *msg, uint32_t request)
{
	memset(msg, 0, sizeof(*msg));
	msg->header.request = request;
	msg->header.flags = VHOST_FLAG_VERSION;
}

void
build_u64(struct vhost_msg *msg, uint32_t request, uint64_t value)
{
	build_empty(msg, request);
	msg->header.size = sizeof(msg->payload.u64);
	msg->payload.u64 = value;
}

void
build_state(struct vhost_msg *msg, uint32_t request, uint32_t index, uint32_t num)
{
	build_empty(msg, request);
	msg->header.size = sizeof(msg->payload.state);
	msg->payload.state.index = index;
	msg->payload.state.num = num;
}

void
build_file(struct vhost_msg *msg, uint32_t request, uint32_t index)
{
	build_u64(msg, request, index);
	msg->n_fds = 1;
	msg->fds[0] = build_fd();
	msg->facts[0].kind = VHOST_FD_EVENTFD;
}

void
build_addr(struct vhost_msg *msg, uint32_t index, uint64_t desc, uint64_t avail, uint64_t used)
{
	build_empty(msg, VHOST_REQ_SET_VRING_ADDR);
	msg->header.size = sizeof(msg->payload.addr);
	msg->payload.addr.index = index;
	msg->payload.addr.desc_user_addr = desc;
	msg->payload.addr.avail_user_addr = avail;
	msg->payload.addr.used_user_addr = used;
}

void
build_memory(struct vhost_msg *msg, uint32_t n)
{
	struct vhost_payload_region *region;
	uint32_t i;

	build_empty(msg, VHOST_REQ_SET_MEM_TABLE);
	msg->header.size = 8 + n * (uint32_t)sizeof(*region);
	msg->payload.memory.n_regions = n;
	for (i = 0; i < n && i < MEMORY_REGIONS_MAX; i++) {
		region = &msg->payload.memory.regions[i];
		region->guest_phys_addr = BUILD_GUEST_ADDR + i * BUILD_STEP;
		region->userspace_addr = BUILD_USER_ADDR + i * BUILD_STEP;
		region->size = BUILD_REGION_SIZE;
		region->mmap_offset = i * BUILD_REGION_SIZE;
		msg->fds[i] = build_fd();
		msg->facts[i].kind = VHOST_FD_MEMORY;
		msg->facts[i].writable = true;
		msg->facts[i].size = (i + 1) * BUILD_REGION_SIZE;
		msg->facts[i].ino = 1000 + i;
	}
	msg->n_fds = i;
}

void
build_release(struct vhost_msg *msg)
{
	uint32_t i;

	for (i = 0; i < msg->n_fds; i++) {
		if (msg->fds[i] >= 0)
			build_close(NULL, msg->fds[i]);
	}
	msg->n_fds = 0;
}

enum vhost_verdict
build_check(const struct vhost_msg *msg, const struct session *session, char *why)
{
	enum vhost_verdict verdict;

	memset(why, 0, 256);
	verdict = vhost_msg_check_header(&msg->header, why, 256);
	if (verdict == VHOST_GOOD)
		verdict = vhost_msg_check(msg, session, &build_offer, why, 256);
	return verdict;
}

void
build_pass(struct vhost_msg *msg, struct session *session)
{
	struct vhost_msg reply;
	char why[256];

	build_check(msg, session, why);
	assert_string_equal(why, "");
	build_state(&reply, msg->header.request, msg->payload.state.index, 77);
	vhost_msg_apply(msg, &reply, session);
	build_release(msg);
}

static void
start_ring(struct session *session, uint32_t index)
{
	const uint64_t at = index * 0x4000ull;
	struct vhost_msg msg;

	build_state(&msg, VHOST_REQ_SET_VRING_NUM, index, 256);
	build_pass(&msg, session);
	build_state(&msg, VHOST_REQ_SET_VRING_BASE, index, 0);
	build_pass(&msg, session);
	build_addr(&msg, index, BUILD_DESC + at, BUILD_AVAIL + at, BUILD_USED + at);
	build_pass(&msg, session);
	build_file(&msg, VHOST_REQ_SET_VRING_KICK, index);
	build_pass(&msg, session);
	build_state(&msg, VHOST_REQ_SET_VRING_ENABLE, index, 1);
	build_pass(&msg, session);
}

void
build_running(struct session *session)
{
	struct vhost_msg msg;
	uint32_t i;

	session_init(session, build_close, NULL);
	for (i = 0; i < PORT_VRINGS; i++) {
		build_file(&msg, VHOST_REQ_SET_VRING_CALL, i);
		build_pass(&msg, session);
	}
	build_u64(&msg, VHOST_REQ_SET_FEATURES, build_offer.features);
	build_pass(&msg, session);
	build_memory(&msg, 2);
	build_pass(&msg, session);
	for (i = 0; i < PORT_VRINGS; i++)
		start_ring(session, i);
}
