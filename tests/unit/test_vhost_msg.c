/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of vhost-user messages and every check but that of the memory table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "vhost_build.h"

static struct session session;
static struct vhost_msg msg;
static char why[256];

static int
setup(void **state)
{
	(void)state;
	build_running(&session);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	build_release(&msg);
	session_reset(&session);
	return build_open_fds() == 0 ? 0 : -1;
}

static void
expect(enum vhost_verdict verdict, const char *words)
{
	assert_int_equal(build_check(&msg, &session, why), verdict);
	if (strstr(why, words) == NULL)
		assert_string_equal(why, words);
	build_release(&msg);
}

static void
test_header_flags(void **state)
{
	static const uint32_t bad[] = { 0, 2, 3, 5, 0x11, 0x80000001 };
	size_t i;

	(void)state;
	build_empty(&msg, VHOST_REQ_GET_FEATURES);
	expect(VHOST_GOOD, "");
	msg.header.flags = VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY;
	expect(VHOST_GOOD, "");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		msg.header.flags = bad[i];
		expect(VHOST_BROKEN, "GET_FEATURES: ");
	}
}

/* Each known request with the size that is right for it, and one byte more and less. */
static void
test_payload_sizes(void **state)
{
	static const struct {
		uint32_t request, size;
	} sizes[] = {
		{ VHOST_REQ_GET_FEATURES, 0 },
		{ VHOST_REQ_SET_FEATURES, 8 },
		{ VHOST_REQ_SET_OWNER, 0 },
		{ VHOST_REQ_RESET_OWNER, 0 },
		{ VHOST_REQ_SET_VRING_NUM, 8 },
		{ VHOST_REQ_SET_VRING_ADDR, 40 },
		{ VHOST_REQ_SET_VRING_BASE, 8 },
		{ VHOST_REQ_GET_VRING_BASE, 8 },
		{ VHOST_REQ_SET_VRING_KICK, 8 },
		{ VHOST_REQ_SET_VRING_CALL, 8 },
		{ VHOST_REQ_SET_VRING_ERR, 8 },
		{ VHOST_REQ_GET_PROTOCOL_FEATURES, 0 },
		{ VHOST_REQ_SET_PROTOCOL_FEATURES, 8 },
		{ VHOST_REQ_GET_QUEUE_NUM, 0 },
		{ VHOST_REQ_SET_VRING_ENABLE, 8 },
		{ VHOST_REQ_SEND_RARP, 8 },
		{ VHOST_REQ_NET_SET_MTU, 8 },
		{ VHOST_REQ_SET_STATUS, 8 },
		{ VHOST_REQ_GET_STATUS, 0 },
	};
	struct vhost_header header = { .flags = VHOST_FLAG_VERSION };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		header.request = sizes[i].request;
		header.size = sizes[i].size;
		assert_int_equal(vhost_msg_check_header(&header, why, sizeof(why)), VHOST_GOOD);
		header.size = sizes[i].size + 1;
		assert_int_equal(vhost_msg_check_header(&header, why, sizeof(why)), VHOST_BROKEN);
		header.size = sizes[i].size - 1;
		assert_int_equal(vhost_msg_check_header(&header, why, sizeof(why)), VHOST_BROKEN);
	}
}

static void
test_unsupported(void **state)
{
	static const uint32_t requests[] = { 0, 6, 7, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
		32, 33, 34, 35, 36, 37, 38, 41, 0x5eed, UINT32_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		build_u64(&msg, requests[i], 1);
		expect(VHOST_REFUSED, "is not supported");
		assert_int_equal(vhost_msg_flags(requests[i]), 0);
	}
	build_empty(&msg, 77);
	expect(VHOST_REFUSED, "request 77 is not supported");
	build_file(&msg, VHOST_REQ_SET_LOG_FD, 0);
	expect(VHOST_REFUSED, "SET_LOG_FD is not supported");
	msg.header.size = VHOST_PAYLOAD_MAX + 1;
	expect(VHOST_BROKEN, "payload of 2049 bytes");
}

static void
test_descriptors_where_none_belong(void **state)
{
	(void)state;
	build_empty(&msg, VHOST_REQ_SET_OWNER);
	msg.n_fds = 1;
	msg.fds[0] = build_fd();
	expect(VHOST_BROKEN, "SET_OWNER with 1 descriptors");
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 0, 256);
	msg.n_fds = 2;
	msg.fds[0] = build_fd();
	msg.fds[1] = build_fd();
	expect(VHOST_BROKEN, "SET_VRING_NUM with 2 descriptors");
}

static void
test_ring_index(void **state)
{
	static const uint32_t requests[] = { VHOST_REQ_SET_VRING_NUM, VHOST_REQ_SET_VRING_BASE,
		VHOST_REQ_GET_VRING_BASE, VHOST_REQ_SET_VRING_ENABLE };
	static const uint32_t indices[] = { 2, 128, 255, 256, UINT32_MAX };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		for (j = 0; j < sizeof(indices) / sizeof(indices[0]); j++) {
			build_state(&msg, requests[i], indices[j], 1);
			expect(VHOST_REFUSED, "the port has one queue pair");
		}
	}
	build_addr(&msg, 2, BUILD_DESC, BUILD_AVAIL, BUILD_USED);
	expect(VHOST_REFUSED, "ring 2: SET_VRING_ADDR");
	build_file(&msg, VHOST_REQ_SET_VRING_CALL, 255);
	expect(VHOST_REFUSED, "ring 255: SET_VRING_CALL");
}

static void
test_features(void **state)
{
	(void)state;
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 1ull << 34);
	expect(VHOST_REFUSED, "bits 0x400000000 were not offered");
	/* the same bits again are fine while rings run, others are not */
	build_u64(&msg, VHOST_REQ_SET_FEATURES, session.features);
	expect(VHOST_GOOD, "");
	build_u64(&msg, VHOST_REQ_SET_FEATURES, session.features & ~(1ull << 15));
	expect(VHOST_REFUSED, "changes bits 0x8000 while a ring is started");
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 0, 0);
	build_pass(&msg, &session);
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 0);
	expect(VHOST_REFUSED, "while a ring is started");
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 1, 0);
	build_pass(&msg, &session);
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 0);
	expect(VHOST_GOOD, "");
	build_u64(&msg, VHOST_REQ_SET_PROTOCOL_FEATURES, 0x10009);
	expect(VHOST_GOOD, "");
	build_u64(&msg, VHOST_REQ_SET_PROTOCOL_FEATURES, 0x1000);
	expect(VHOST_REFUSED, "bits 0x1000 were not offered");
}

static void
test_ring_size_and_base(void **state)
{
	static const uint32_t bad[] = { 0, 1, 3, 255, 32767, 65536, 0x80000000 };
	uint32_t size;
	size_t i;

	(void)state;
	session.vrings[1].has_addr = false;
	for (size = VRING_SIZE_MIN; size <= VRING_SIZE_MAX; size *= 2) {
		build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, size);
		expect(VHOST_GOOD, "");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, bad[i]);
		expect(VHOST_BROKEN, "a power of two from 2 to 32768 is right");
	}
	build_state(&msg, VHOST_REQ_SET_VRING_BASE, 0, 65535);
	expect(VHOST_GOOD, "");
	build_state(&msg, VHOST_REQ_SET_VRING_BASE, 0, 65536);
	expect(VHOST_BROKEN, "ring 0: base 65536");
	session_drop_memory(&session);
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 0, 256);
	expect(VHOST_REFUSED, "before a good memory table");
	build_state(&msg, VHOST_REQ_SET_VRING_BASE, 0, 0);
	expect(VHOST_REFUSED, "before a good memory table");
}

static void
expect_addr(uint64_t desc, uint64_t avail, uint64_t used, enum vhost_verdict verdict,
		const char *words)
{
	build_addr(&msg, 0, desc, avail, used);
	expect(verdict, words);
}

static void
test_ring_addresses(void **state)
{
	const uint64_t end = BUILD_USER_ADDR + BUILD_REGION_SIZE;

	(void)state;
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED, VHOST_GOOD, "");
	/* up to the last byte of the region, and one step beyond it */
	expect_addr(end - 4096, BUILD_AVAIL, BUILD_USED, VHOST_GOOD, "");
	expect_addr(end - 4080, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN,
			"ring 0: descriptor area (4096");
	expect_addr(BUILD_DESC, end - 518, BUILD_USED, VHOST_GOOD, "");
	expect_addr(BUILD_DESC, end - 516, BUILD_USED, VHOST_BROKEN, "avail ring (518 bytes");
	expect_addr(BUILD_DESC, BUILD_AVAIL, end - 2056, VHOST_GOOD, "");
	expect_addr(BUILD_DESC, BUILD_AVAIL, end - 2052, VHOST_BROKEN, "used ring (2054 bytes");
	/* before the memory, in the hole between regions, at the end of the address space */
	expect_addr(BUILD_USER_ADDR - 16, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not wholly");
	expect_addr(end, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not wholly");
	expect_addr(UINT64_MAX - 15, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not wholly");
	expect_addr(0, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not wholly");
	/* the other region does as well */
	expect_addr(BUILD_DESC + BUILD_STEP, BUILD_AVAIL, BUILD_USED, VHOST_GOOD, "");
	expect_addr(BUILD_DESC + 8, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not aligned to 16");
	expect_addr(BUILD_DESC, BUILD_AVAIL + 1, BUILD_USED, VHOST_BROKEN, "not aligned to 2");
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED + 2, VHOST_BROKEN, "not aligned to 4");
}

/* A ring that has its place may not grow out of it. */
static void
test_ring_grows(void **state)
{
	(void)state;
	session.vrings[1].used_user_addr = BUILD_USER_ADDR + BUILD_REGION_SIZE - 2056;
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, 128);
	expect(VHOST_GOOD, "");
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, 512);
	expect(VHOST_BROKEN, "ring 1: used ring (4102 bytes");
	session.vrings[1].has_addr = false;
	expect(VHOST_GOOD, "");
}

static void
test_ring_addresses_need(void **state)
{
	(void)state;
	build_addr(&msg, 0, BUILD_DESC, BUILD_AVAIL, BUILD_USED);
	msg.payload.addr.flags = 1;
	expect(VHOST_REFUSED, "writes are not logged");
	session.vrings[0].size = 0;
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED, VHOST_REFUSED, "before SET_VRING_NUM");
	session_drop_memory(&session);
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED, VHOST_REFUSED, "before a good memory");
}

/* A file that is mapped at an odd offset moves what was aligned in the frontend. */
static void
test_ring_addresses_odd_mapping(void **state)
{
	(void)state;
	session.regions[0].mmap_offset = 8;
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED, VHOST_BROKEN, "not aligned to 16");
	session.regions[0].mmap_offset = 16;
	expect_addr(BUILD_DESC, BUILD_AVAIL, BUILD_USED, VHOST_GOOD, "");
}

static void
test_ring_files(void **state)
{
	static const uint32_t requests[] = { VHOST_REQ_SET_VRING_KICK, VHOST_REQ_SET_VRING_CALL,
		VHOST_REQ_SET_VRING_ERR };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		build_file(&msg, requests[i], 1);
		expect(VHOST_GOOD, "");
		build_file(&msg, requests[i], 1);
		msg.facts[0].kind = VHOST_FD_OTHER;
		expect(VHOST_BROKEN, "is not an eventfd");
		build_file(&msg, requests[i], 1);
		msg.facts[0].kind = VHOST_FD_MEMORY;
		expect(VHOST_BROKEN, "is not an eventfd");
		build_u64(&msg, requests[i], 1 | VHOST_FILE_NO_DESCRIPTOR);
		expect(VHOST_GOOD, "");
		build_u64(&msg, requests[i], 1);
		expect(VHOST_BROKEN, "with 0 descriptors; 1 is right");
		build_file(&msg, requests[i], 1 | VHOST_FILE_NO_DESCRIPTOR);
		expect(VHOST_BROKEN, "with 1 descriptors; 0 is right");
		build_file(&msg, requests[i], 0x201);
		expect(VHOST_BROKEN, "reserved bits");
	}
}

static void
test_small_values(void **state)
{
	(void)state;
	build_state(&msg, VHOST_REQ_SET_VRING_ENABLE, 0, 2);
	expect(VHOST_BROKEN, "ring 0: SET_VRING_ENABLE 2");
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 67);
	expect(VHOST_REFUSED, "68 to 65535 is right");
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 65536);
	expect(VHOST_REFUSED, "68 to 65535 is right");
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 9000);
	build_pass(&msg, &session);
	assert_int_equal(session.mtu, 9000);
	/* only who asks is told that one over the port's is not valid */
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 9001);
	msg.header.flags |= VHOST_FLAG_NEED_REPLY;
	expect(VHOST_REFUSED, "MTU 9001 is more than the port's 9000");
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 9001);
	build_pass(&msg, &session);
	assert_int_equal(session.mtu, 9001);
	build_u64(&msg, VHOST_REQ_NET_SET_MTU, 9000);
	msg.header.flags |= VHOST_FLAG_NEED_REPLY;
	build_pass(&msg, &session);
	assert_int_equal(session.mtu, 9000);
	build_u64(&msg, VHOST_REQ_SET_STATUS, 256);
	expect(VHOST_BROKEN, "does not fit eight bits");
	build_u64(&msg, VHOST_REQ_SET_STATUS, 15);
	build_pass(&msg, &session);
	assert_int_equal(session.status, 15);
	build_u64(&msg, VHOST_REQ_SEND_RARP, 0x563412005452);
	expect(VHOST_GOOD, "");
}

/* Everything that virtio_user and QEMU send before they have a memory table. */
static void
test_any_time(void **state)
{
	struct session fresh;

	(void)state;
	session_init(&fresh, build_close, NULL);
	build_state(&msg, VHOST_REQ_SET_VRING_ENABLE, 1, 0);
	build_pass(&msg, &fresh);
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 0, 0);
	build_pass(&msg, &fresh);
	build_file(&msg, VHOST_REQ_SET_VRING_CALL, 0);
	build_pass(&msg, &fresh);
	build_file(&msg, VHOST_REQ_SET_VRING_ERR, 0);
	build_pass(&msg, &fresh);
	build_empty(&msg, VHOST_REQ_RESET_OWNER);
	build_pass(&msg, &fresh);
	session_reset(&fresh);
}

static void
test_rings_concerned(void **state)
{
	(void)state;
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, 256);
	assert_int_equal(vhost_msg_rings(&msg), 2);
	build_u64(&msg, VHOST_REQ_SET_VRING_CALL, 0);
	assert_int_equal(vhost_msg_rings(&msg), 1);
	build_u64(&msg, VHOST_REQ_SET_VRING_ERR, 1);
	assert_int_equal(vhost_msg_rings(&msg), 0);
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 0, 0);
	assert_int_equal(vhost_msg_rings(&msg), 3);
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 0);
	assert_int_equal(vhost_msg_rings(&msg), 3);
	build_empty(&msg, VHOST_REQ_SET_MEM_TABLE);
	assert_int_equal(vhost_msg_rings(&msg), 3);
	build_empty(&msg, VHOST_REQ_GET_FEATURES);
	assert_int_equal(vhost_msg_rings(&msg), 0);
	build_empty(&msg, 1000);
	assert_int_equal(vhost_msg_rings(&msg), 0);
}

/* What the library wants to hear before a kick and the specification does not ask for. */
static void
test_call_first(void **state)
{
	struct vhost_msg call;
	struct session fresh;

	(void)state;
	session_init(&fresh, build_close, NULL);
	build_file(&msg, VHOST_REQ_SET_VRING_KICK, 1);
	assert_true(vhost_msg_call_first(&msg, &fresh, &call));
	assert_int_equal(call.header.request, VHOST_REQ_SET_VRING_CALL);
	assert_int_equal(call.header.size, 8);
	assert_int_equal(call.payload.u64, 1 | VHOST_FILE_NO_DESCRIPTOR);
	assert_int_equal(call.n_fds, 0);
	vhost_msg_apply(&call, NULL, &fresh);
	assert_int_equal(fresh.vrings[1].call_fd, -1);
	assert_false(vhost_msg_call_first(&msg, &fresh, &call));
	build_release(&msg);
	build_u64(&msg, VHOST_REQ_SET_VRING_KICK, 0 | VHOST_FILE_NO_DESCRIPTOR);
	assert_true(vhost_msg_call_first(&msg, &fresh, &call));
	build_file(&msg, VHOST_REQ_SET_VRING_CALL, 0);
	assert_false(vhost_msg_call_first(&msg, &fresh, &call));
	build_pass(&msg, &fresh);
	build_u64(&msg, VHOST_REQ_SET_VRING_KICK, 0 | VHOST_FILE_NO_DESCRIPTOR);
	assert_false(vhost_msg_call_first(&msg, &fresh, &call));
	/* the library forgets it when the ring is stopped */
	session_stop_vring(&fresh, 0, 0);
	assert_true(vhost_msg_call_first(&msg, &fresh, &call));
	session_reset(&fresh);
}

static void
test_answers(void **state)
{
	struct vhost_msg answer;

	(void)state;
	build_empty(&msg, VHOST_REQ_GET_FEATURES);
	build_u64(&answer, VHOST_REQ_GET_FEATURES, UINT64_MAX);
	assert_false(vhost_msg_check_answer(&msg, &answer, &build_offer));
	answer.header.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY;
	assert_true(vhost_msg_check_answer(&msg, &answer, &build_offer));
	assert_true(answer.payload.u64 == build_offer.features);
	msg.header.request = answer.header.request = VHOST_REQ_GET_PROTOCOL_FEATURES;
	answer.payload.u64 = UINT64_MAX;
	assert_true(vhost_msg_check_answer(&msg, &answer, &build_offer));
	assert_true(answer.payload.u64 == build_offer.protocol_features);
	msg.header.request = VHOST_REQ_SET_OWNER;
	assert_false(vhost_msg_check_answer(&msg, &answer, &build_offer));
	msg.header.request = answer.header.request;
	answer.header.size = 4;
	assert_false(vhost_msg_check_answer(&msg, &answer, &build_offer));
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 1, 0);
	build_state(&answer, VHOST_REQ_GET_VRING_BASE, 0, 0);
	answer.header.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY;
	assert_false(vhost_msg_check_answer(&msg, &answer, &build_offer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_header_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_payload_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsupported, setup, teardown),
		cmocka_unit_test_setup_teardown(
				test_descriptors_where_none_belong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_size_and_base, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_addresses_need, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_addresses_odd_mapping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rings_concerned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
