/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feeds sessions with messages that are right, nearly right and nonsense, made by a generator
 * with a fixed seed, and checks after each what must always hold: words for every refusal, a
 * session that agrees with what was offered and with its memory, descriptors owned once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vhost_build.h"

#define SESSIONS 400
#define MESSAGES 200

static uint64_t seed = 0x9e3779b97f4a7c15;

/* Marsaglia's xorshift. */
static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint32_t
draw_below(uint32_t n)
{
	return (uint32_t)((draw() >> 32) % n);
}

/* Numbers at which checks turn. */
static uint64_t
draw_number(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 4, 8, 0xff, 0x100, 0xffff, 0x10000, 32768,
		BUILD_REGION_SIZE, BUILD_USER_ADDR, BUILD_GUEST_ADDR, UINT32_MAX, INT64_MAX,
		UINT64_MAX };

	switch (draw_below(3)) {
	case 0:
		return edges[draw_below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return edges[draw_below(sizeof(edges) / sizeof(edges[0]))] + draw_below(33) - 16;
	default:
		return draw();
	}
}

static void
draw_addr(struct vhost_msg *msg)
{
	const uint64_t at = BUILD_USER_ADDR + draw_below(4) * (BUILD_STEP / 2) +
			draw_below(64) * 0x4000ull;

	build_addr(msg, draw_below(2), at, at + 0x1000, at + 0x2000);
}

/* A message as a decent frontend sends it at some time. */
static void
draw_decent(struct vhost_msg *msg)
{
	const uint32_t ring = draw_below(2);

	switch (draw_below(12)) {
	case 0:
		build_u64(msg, VHOST_REQ_SET_FEATURES, draw() & build_offer.features);
		break;
	case 1:
	case 2:
		build_memory(msg, 1 + draw_below(MEMORY_REGIONS_MAX));
		break;
	case 3:
		build_state(msg, VHOST_REQ_SET_VRING_NUM, ring, 2u << draw_below(15));
		break;
	case 4:
	case 5:
		draw_addr(msg);
		break;
	case 6:
		build_file(msg, VHOST_REQ_SET_VRING_KICK, ring);
		break;
	case 7:
		build_file(msg, VHOST_REQ_SET_VRING_CALL, ring);
		break;
	case 8:
		build_state(msg, VHOST_REQ_SET_VRING_ENABLE, ring, draw_below(2));
		break;
	case 9:
		build_state(msg, VHOST_REQ_GET_VRING_BASE, ring, 0);
		break;
	case 10:
		build_u64(msg, VHOST_REQ_SET_PROTOCOL_FEATURES,
				draw() & build_offer.protocol_features);
		break;
	default:
		build_empty(msg, draw_below(45));
		msg->header.size = draw_below(3) * 8;
		break;
	}
}

static void
spoil_region(struct vhost_msg *msg)
{
	const uint32_t i = draw_below(MEMORY_REGIONS_MAX);
	struct vhost_payload_region *region = &msg->payload.memory.regions[i];

	switch (draw_below(6)) {
	case 0:
		region->guest_phys_addr = draw_number();
		break;
	case 1:
		region->userspace_addr = draw_number();
		break;
	case 2:
		region->size = draw_number();
		break;
	case 3:
		region->mmap_offset = draw_number();
		break;
	case 4:
		msg->facts[i].size = draw_number();
		break;
	default:
		msg->facts[i].kind = draw_below(3);
		break;
	}
}

static void
spoil(struct vhost_msg *msg)
{
	switch (draw_below(8)) {
	case 0:
		msg->header.request = (uint32_t)draw_number();
		break;
	case 1:
		msg->header.flags = (uint32_t)draw_number();
		break;
	case 2:
		msg->header.size = (uint32_t)draw_number();
		break;
	case 3:
		msg->payload.bytes[draw_below(64)] ^= (uint8_t)(1u << draw_below(8));
		break;
	case 4:
		memcpy(msg->payload.bytes + 8 * (size_t)draw_below(34),
				&(uint64_t){ draw_number() }, 8);
		break;
	case 5:
		while (msg->n_fds < draw_below(VHOST_MSG_FDS_MAX + 1)) {
			msg->fds[msg->n_fds] = build_fd();
			msg->facts[msg->n_fds++].kind = draw_below(3);
		}
		break;
	default:
		spoil_region(msg);
		break;
	}
}

static bool
apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b ? b - a >= a_size : a - b >= b_size;
}

static void
check_memory(const struct session *session)
{
	const struct session_region *a, *b;
	uint64_t sum = 0;
	uint32_t i, j;

	assert_uint_in_range(session->n_regions, session->has_memory ? 1 : 0,
			session->has_memory ? MEMORY_REGIONS_MAX : 0);
	for (i = 0; i < session->n_regions; i++) {
		a = &session->regions[i];
		assert_true(a->size > 0);
		assert_true(a->guest_phys_addr + a->size > a->guest_phys_addr);
		assert_true(a->userspace_addr + a->size > a->userspace_addr);
		assert_true(a->mmap_offset + a->size <= MEMORY_MAPPED_MAX);
		sum += a->mmap_offset + a->size;
		for (j = 0; j < i; j++) {
			b = &session->regions[j];
			assert_true(apart(
					a->guest_phys_addr, a->size, b->guest_phys_addr, b->size));
			assert_true(apart(a->userspace_addr, a->size, b->userspace_addr, b->size));
		}
	}
	assert_true(sum <= MEMORY_MAPPED_MAX);
}

/* Each byte of an area, first and last above all, is in the memory table. */
static bool
in_memory(const struct session *session, uint64_t addr, uint64_t size)
{
	uint32_t i;

	for (i = 0; i < session->n_regions; i++) {
		if (addr >= session->regions[i].userspace_addr &&
				addr - session->regions[i].userspace_addr + size <=
						session->regions[i].size)
			return true;
	}
	return false;
}

static void
check_vring(const struct session *session, const struct session_vring *vring)
{
	const uint64_t size = vring->size;

	assert_true(size <= VRING_SIZE_MAX && (size & (size - 1)) == 0 && size != 1);
	if (!vring->has_addr || !session->has_memory)
		return;
	assert_true(size != 0);
	assert_true(in_memory(session, vring->desc_user_addr, 16 * size));
	assert_true(in_memory(session, vring->avail_user_addr, 6 + 2 * size));
	assert_true(in_memory(session, vring->used_user_addr, 6 + 8 * size));
	assert_int_equal(vring->desc_user_addr % 16 + vring->avail_user_addr % 2 +
					vring->used_user_addr % 4,
			0);
}

static int
owned_by(const struct session *session)
{
	int n = (int)session->n_regions;
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++)
		n += (session->vrings[i].kick_fd >= 0) + (session->vrings[i].call_fd >= 0);
	return n;
}

static void
check_session(const struct session *session)
{
	uint32_t i;

	assert_true((session->features & ~build_offer.features) == 0);
	assert_true((session->protocol_features & ~build_offer.protocol_features) == 0);
	check_memory(session);
	for (i = 0; i < PORT_VRINGS; i++) {
		check_vring(session, &session->vrings[i]);
		if (session_vring_complete(session, i))
			assert_false(session->vrings[i].was_stopped);
	}
	assert_int_equal(build_open_fds(), owned_by(session));
}

/* One message; counts the good ones. */
static uint32_t
one_message(struct session *session)
{
	const uint64_t features = session->features;
	const bool started = session_started(session);
	enum vhost_verdict verdict;
	struct vhost_msg msg, reply;
	char why[256];

	draw_decent(&msg);
	while (draw_below(2) == 0)
		spoil(&msg);
	verdict = build_check(&msg, session, why);
	assert_int_equal(why[0] == '\0', verdict == VHOST_GOOD);
	assert_true(memchr(why, '\0', sizeof(why)) != NULL);
	if (verdict == VHOST_GOOD) {
		assert_int_equal(msg.header.flags & ~VHOST_FLAG_NEED_REPLY, VHOST_FLAG_VERSION);
		assert_true(msg.header.size <= 264);
		assert_true(vhost_msg_rings(&msg) < 1u << PORT_VRINGS);
		build_state(&reply, msg.header.request, 0, (uint32_t)draw());
		if (draw_below(8) != 0)
			vhost_msg_apply(&msg, &reply, session);
		else
			vhost_msg_apply_refusal(&msg, session);
	}
	build_release(&msg);
	if (started && session->features != features)
		fail_msg("features changed while a ring was started");
	check_session(session);
	return verdict == VHOST_GOOD;
}

static void
test_mutations(void **state)
{
	uint32_t i, j, good = 0, complete = 0;
	struct session session;

	(void)state;
	for (i = 0; i < SESSIONS; i++) {
		session_init(&session, build_close, NULL);
		if (i % 2 == 0)
			build_running(&session);
		for (j = 0; j < MESSAGES; j++) {
			good += one_message(&session);
			complete += session_vring_complete(&session, j % PORT_VRINGS);
		}
		session_reset(&session);
		assert_int_equal(build_open_fds(), 0);
	}
	/* else the generator is too wild, or too tame, to test anything */
	assert_uint_in_range(good, SESSIONS * MESSAGES / 10, SESSIONS * MESSAGES * 9 / 10);
	assert_true(complete > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
