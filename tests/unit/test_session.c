/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of a session: when rings are complete, what is missing, who owns descriptors. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vhost_build.h"

static struct session session;
static struct vhost_msg msg;

static int
setup(void **state)
{
	(void)state;
	session_init(&session, build_close, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	session_reset(&session);
	return build_open_fds() == 0 ? 0 : -1;
}

static void
expect_missing(const char *words)
{
	char text[128];

	session_missing(&session, text, sizeof(text));
	assert_string_equal(text, words);
}

/* A whole start in the order of virtio_user, with what is said at each step. */
static void
test_missing(void **state)
{
	uint32_t i;

	(void)state;
	expect_missing("no features agreed yet");
	build_u64(&msg, VHOST_REQ_SET_FEATURES, SESSION_F_PROTOCOL_FEATURES);
	build_pass(&msg, &session);
	expect_missing("no memory table yet");
	build_memory(&msg, 1);
	build_pass(&msg, &session);
	expect_missing("ring 0 has no size yet");
	session_set_vring_size(&session, 0, 256);
	expect_missing("ring 0 has no address yet");
	session_set_vring_addr(&session, 0, BUILD_DESC, BUILD_AVAIL, BUILD_USED);
	expect_missing("ring 0 is not started yet"); /* a call descriptor is not needed */
	session_set_vring_call(&session, 0, -1);
	expect_missing("ring 0 is not started yet");
	session_start_vring(&session, 0, -1);
	expect_missing("ring 0 is not enabled yet");
	assert_false(session_vring_complete(&session, 0));
	session_enable_vring(&session, 0, true);
	assert_true(session_vring_complete(&session, 0));
	expect_missing("ring 1 has no size yet");
	session_set_vring_size(&session, 1, 256);
	session_set_vring_addr(&session, 1, BUILD_DESC + 0x4000, BUILD_AVAIL + 0x4000,
			BUILD_USED + 0x4000);
	session_set_vring_call(&session, 1, -1);
	session_start_vring(&session, 1, -1);
	session_enable_vring(&session, 1, true);
	expect_missing("");
	for (i = 0; i < PORT_VRINGS; i++)
		assert_true(session_vring_complete(&session, i));
	/* a frontend that took the STATUS feature says at last that its driver is ready */
	session.protocol_features = SESSION_PROTOCOL_F_STATUS;
	expect_missing("the driver has not said that it is ready (DRIVER_OK)");
	session.status = SESSION_STATUS_DRIVER_OK;
	expect_missing("");
}

/* vhost-user, "Ring states": without the protocol features bit rings are born enabled. */
static void
test_born_enabled(void **state)
{
	(void)state;
	session_set_features(&session, 0);
	session_start_vring(&session, 0, -1);
	assert_true(session.vrings[0].enabled);
	session_set_features(&session, SESSION_F_PROTOCOL_FEATURES);
	session_start_vring(&session, 1, -1);
	assert_false(session.vrings[1].enabled);
}

static void
test_stopped_by_base(void **state)
{
	(void)state;
	build_running(&session);
	assert_false(session_stopped(&session));
	assert_true(session_started(&session));
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 0, 0);
	build_pass(&msg, &session);
	assert_false(session_stopped(&session));
	assert_true(session_started(&session));
	build_state(&msg, VHOST_REQ_GET_VRING_BASE, 1, 0);
	build_pass(&msg, &session);
	assert_true(session_stopped(&session));
	assert_false(session_started(&session));
	/* the library's answer is the base, and what it forgot must be said again */
	assert_int_equal(session.vrings[1].base, 77);
	assert_int_equal(session.vrings[1].size, 256);
	assert_true(session.vrings[1].enabled);
	assert_false(session.vrings[1].has_addr);
	assert_false(session.vrings[1].has_call);
	assert_int_equal(session.vrings[1].kick_fd, -1);
	assert_int_equal(build_open_fds(), 2);
}

static void
test_stopped_by_disabling(void **state)
{
	(void)state;
	build_running(&session);
	session_enable_vring(&session, 0, false);
	session_enable_vring(&session, 1, false);
	assert_true(session_stopped(&session));
	session_enable_vring(&session, 0, true);
	assert_false(session_stopped(&session));
	session_enable_vring(&session, 1, true);
	assert_true(session_vring_complete(&session, 1));
}

static void
test_never_ran_is_not_stopped(void **state)
{
	(void)state;
	session_enable_vring(&session, 0, false);
	session_enable_vring(&session, 1, false);
	session_stop_vring(&session, 0, 0);
	session_stop_vring(&session, 1, 0);
	assert_false(session_stopped(&session));
}

/* Addresses hold as long as the memory and the size let them. */
static void
test_addresses_follow_memory(void **state)
{
	(void)state;
	build_running(&session);
	build_memory(&msg, 2);
	msg.payload.memory.regions[0].userspace_addr += 0x4000;
	build_pass(&msg, &session);
	assert_false(session.vrings[0].has_addr);
	assert_true(session.vrings[1].has_addr);
	expect_missing("ring 0 has no address yet");
}

static void
test_addresses_follow_size(void **state)
{
	const uint64_t end = BUILD_USER_ADDR + BUILD_REGION_SIZE;

	(void)state;
	build_running(&session);
	session_set_vring_addr(&session, 0, BUILD_DESC, BUILD_AVAIL, end - 2056);
	session_set_vring_size(&session, 0, 128);
	assert_true(session.vrings[0].has_addr);
	session_set_vring_size(&session, 0, 512);
	assert_false(session.vrings[0].has_addr);
	assert_true(session.vrings[1].has_addr);
}

static void
test_areas(void **state)
{
	(void)state;
	assert_int_equal(session_area_bytes(SESSION_AREA_DESC, 32768), 524288);
	assert_int_equal(session_area_bytes(SESSION_AREA_AVAIL, 2), 10);
	assert_int_equal(session_area_bytes(SESSION_AREA_USED, 2), 22);
	assert_int_equal(session_check_area(&session, SESSION_AREA_DESC, 2, 0), -EFAULT);
	build_memory(&msg, 1);
	build_pass(&msg, &session);
	assert_int_equal(
			session_check_area(&session, SESSION_AREA_USED, 2, BUILD_USER_ADDR + 4), 0);
	assert_int_equal(session_check_area(&session, SESSION_AREA_USED, 2, BUILD_USER_ADDR + 6),
			-EINVAL);
}

static void
test_descriptors_replaced(void **state)
{
	(void)state;
	build_running(&session);
	assert_int_equal(build_open_fds(), 6);
	session_start_vring(&session, 0, build_fd());
	session_set_vring_call(&session, 0, build_fd());
	assert_int_equal(build_open_fds(), 6);
	session_start_vring(&session, 0, -1);
	assert_int_equal(build_open_fds(), 5);
	session_reset(&session);
	assert_int_equal(build_open_fds(), 0);
	assert_int_equal(session.vrings[1].call_fd, -1);
	expect_missing("no features agreed yet");
}

/* A ring size that the library could not allocate for leaves the ring without one. */
static void
test_size_refused_by_library(void **state)
{
	(void)state;
	build_running(&session);
	build_state(&msg, VHOST_REQ_SET_VRING_NUM, 1, 32768);
	vhost_msg_apply_refusal(&msg, &session);
	expect_missing("ring 1 has no size yet");
	assert_false(session.vrings[1].has_addr);
	assert_true(session_vring_complete(&session, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_born_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_by_base, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_by_disabling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_ran_is_not_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses_follow_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_addresses_follow_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_areas, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_refused_by_library, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
