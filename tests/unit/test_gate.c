/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate's life and its relay, without EAL: who is admitted, what the library hears and when, and how
 * a session ends in each of its states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "gate_world.h"
#include "vhost_build.h"

#define ALL_RINGS 3u

static bool
has_attached(void)
{
	return world.attached == 1;
}

static bool
has_detached(void)
{
	return world.detached == 1;
}

static bool
was_asked_to_quiesce(void)
{
	return world.quiesced == 1;
}

static bool
has_library(void)
{
	return world.library >= 0;
}

static void
send_empty(int fd, uint32_t request)
{
	struct vhost_msg msg;

	build_empty(&msg, request);
	gate_world_send(fd, &msg);
}

/* The library's answer to what asked for one: 0 is yes. */
static void
library_answers(uint32_t request, uint64_t value)
{
	struct vhost_msg msg;

	build_u64(&msg, request, value);
	msg.header.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY;
	gate_world_send(world.library, &msg);
}

/* A frontend that said SET_OWNER, which the library took. */
static int
open_session(void)
{
	struct vhost_msg msg;
	int fd = gate_world_connect();

	send_empty(fd, VHOST_REQ_SET_OWNER);
	gate_world_run(has_library);
	gate_world_receive(world.library, &msg);
	assert_int_equal(msg.header.request, VHOST_REQ_SET_OWNER);
	assert_int_equal(msg.header.flags, VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY);
	library_answers(VHOST_REQ_SET_OWNER, 0);
	return fd;
}

/* Sends a frontend's message, which goes on to the library; *msg is what the library has then. */
static void
relay(int fd, struct vhost_msg *msg)
{
	uint32_t request = msg->header.request;

	gate_world_send(fd, msg);
	gate_world_receive(world.library, msg);
	assert_int_equal(msg->header.request, request);
}

/* A request with nothing in it that the library shall answer; *msg as above. */
static void
relay_empty(int fd, uint32_t request, struct vhost_msg *msg)
{
	build_empty(msg, request);
	relay(fd, msg);
}

/* A frontend that says nothing costs the library no connection. */
static void
test_silent_frontend(void **state)
{
	int fd = gate_world_connect();

	(void)state;
	gate_world_run(has_attached);
	assert_int_equal(world.connections, 0);
	close(fd);
	gate_world_run(has_detached);
	assert_false(world.at_fault);
	assert_int_equal(world.connections, 0);
}

static void
test_request_with_reply(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	relay_empty(fd, VHOST_REQ_GET_FEATURES, &msg);
	assert_int_equal(msg.header.flags, VHOST_FLAG_VERSION);
	library_answers(VHOST_REQ_GET_FEATURES, 1ull << 32 | 1ull << 30);
	gate_world_receive(fd, &msg);
	assert_int_equal(msg.header.request, VHOST_REQ_GET_FEATURES);
	assert_int_equal(msg.header.flags, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY);
	assert_true(msg.payload.u64 == (1ull << 32 | 1ull << 30));
	assert_true(gate_session(world.gate)->has_owner);
	close(fd);
}

/* The frontend gets the library's yes only if it asked for it; the library is always asked. */
static void
test_acknowledgement(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 1ull << 32 | 1ull << 30);
	relay(fd, &msg);
	assert_true((msg.header.flags & VHOST_FLAG_NEED_REPLY) != 0);
	library_answers(VHOST_REQ_SET_FEATURES, 0);

	build_u64(&msg, VHOST_REQ_SET_PROTOCOL_FEATURES, 0x8);
	msg.header.flags |= VHOST_FLAG_NEED_REPLY;
	relay(fd, &msg);
	library_answers(VHOST_REQ_SET_PROTOCOL_FEATURES, 0);
	gate_world_receive(fd, &msg);
	assert_int_equal(msg.header.request, VHOST_REQ_SET_PROTOCOL_FEATURES);
	assert_true(msg.payload.u64 == 0);
	close(fd);
}

/* The library hears of a message that concerns rings only when the port has left them. */
static void
test_quiesces_first(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();
	char byte;

	(void)state;
	world.holds_quiesce = true;
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 1ull << 32);
	gate_world_send(fd, &msg);
	gate_world_run(was_asked_to_quiesce);
	assert_int_equal(world.mask, ALL_RINGS);
	assert_true(recv(world.library, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0);
	assert_int_equal(gate_session(world.gate)->has_features, false);
	gate_quiesced(world.gate);
	gate_world_receive(world.library, &msg);
	assert_int_equal(msg.header.request, VHOST_REQ_SET_FEATURES);
	library_answers(VHOST_REQ_SET_FEATURES, 0);
	world.holds_quiesce = false;
	close(fd);
	gate_world_run(has_detached);
	assert_false(world.at_fault);
}

/* The frontend leaves while the port is asked: the session ends when the port has answered. */
static void
test_left_while_quiescing(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	world.holds_quiesce = true;
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 1ull << 32);
	gate_world_send(fd, &msg);
	gate_world_run(was_asked_to_quiesce);
	gate_fault(world.gate, "the port found it guilty");
	assert_int_equal(world.detached, 0);
	world.holds_quiesce = false;
	gate_quiesced(world.gate);
	gate_world_run(has_detached);
	assert_int_equal(world.quiesced, 2); /* once more, for the end */
	assert_string_equal(world.fault, "the port found it guilty");
	gate_world_see_end(fd);
	close(fd);
}

/* With an answer of the library outstanding the connection is kept until it comes. */
static void
test_fault_while_relayed(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	relay_empty(fd, VHOST_REQ_GET_FEATURES, &msg);
	gate_fault(world.gate, "guilty");
	for (int i = 0; i < 20; i++)
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	assert_int_equal(world.closed, 0);
	library_answers(VHOST_REQ_GET_FEATURES, 0);
	gate_world_run(has_detached);
	assert_int_equal(world.closed, 1);
	assert_string_equal(world.fault, "guilty");
	close(fd);
}

static void
test_library_refuses(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	build_u64(&msg, VHOST_REQ_SET_FEATURES, 1ull << 32 | 1ull << 30);
	relay(fd, &msg);
	library_answers(VHOST_REQ_SET_FEATURES, 0);
	build_u64(&msg, VHOST_REQ_SET_PROTOCOL_FEATURES, 0x8);
	msg.header.flags |= VHOST_FLAG_NEED_REPLY;
	relay(fd, &msg);
	library_answers(VHOST_REQ_SET_PROTOCOL_FEATURES, 1);
	gate_world_receive(fd, &msg);
	assert_true(msg.payload.u64 == 1);
	assert_string_equal(gate_refusal(world.gate),
			"the vhost library refused SET_PROTOCOL_FEATURES");
	assert_int_equal(world.detached, 0);

	/* One that did not ask could not know: its session ends. */
	build_u64(&msg, VHOST_REQ_SET_PROTOCOL_FEATURES, 0x8);
	relay(fd, &msg);
	library_answers(VHOST_REQ_SET_PROTOCOL_FEATURES, 1);
	gate_world_run(has_detached);
	assert_string_equal(world.fault, "the vhost library refused SET_PROTOCOL_FEATURES");
	close(fd);
}

static void
test_library_leaves(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	relay_empty(fd, VHOST_REQ_GET_FEATURES, &msg);
	shutdown(world.library, SHUT_RDWR);
	gate_world_run(has_detached);
	assert_string_equal(world.fault, "the vhost library ended the connection");
	gate_world_see_end(fd);
	close(fd);
}

/* An answer to another question is no answer. */
static void
test_library_answers_wrongly(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	relay_empty(fd, VHOST_REQ_GET_FEATURES, &msg);
	library_answers(VHOST_REQ_GET_STATUS, 0);
	gate_world_run(has_detached);
	assert_non_null(strstr(world.fault, "invalid reply"));
	close(fd);
}

/* What the switch itself lacks is said, and brings the port no rest. */
static void
test_library_is_full(void **state)
{
	int fd;

	(void)state;
	world.is_full = true;
	fd = gate_world_connect();
	send_empty(fd, VHOST_REQ_SET_OWNER);
	gate_world_run(has_detached);
	assert_non_null(strstr(world.fault, "as many as it can serve"));
	assert_int_equal(gate_rest_faults(world.gate), 0);
	close(fd);
}

static bool
has_rejected(void)
{
	return gate_rejected(world.gate) == 1;
}

/* One frontend at a time; one that comes when the first is gone is served. */
static void
test_second_frontend(void **state)
{
	int first, second, third;

	(void)state;
	first = gate_world_connect();
	gate_world_run(has_attached);
	second = gate_world_connect();
	gate_world_run(has_rejected);
	gate_world_see_end(second);
	close(first);
	gate_world_run(has_detached);
	third = gate_world_connect();
	while (world.attached < 2)
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	close(second);
	close(third);
}

static void
test_bad_message(void **state)
{
	int fd = open_session();

	(void)state;
	send_empty(fd, 99);
	gate_world_run(has_detached);
	assert_true(world.at_fault);
	assert_int_equal(gate_rest_faults(world.gate), 1);
	close(fd);
}

static void
ignore(void *gone)
{
	*(bool *)gone = true;
}

static bool
is_gone(void)
{
	return world.gone;
}

/* Deleted in the middle of a message: everything ends, once, and the socket file is gone. */
static void
test_destroyed_while_relayed(void **state)
{
	struct vhost_msg msg;
	int fd = open_session();

	(void)state;
	relay_empty(fd, VHOST_REQ_GET_FEATURES, &msg);
	gate_destroy(world.gate, ignore, &world.gone);
	assert_int_equal(access(world.path, F_OK), -1);
	assert_false(world.gone);
	library_answers(VHOST_REQ_GET_FEATURES, 0);
	gate_world_run(is_gone);
	assert_int_equal(world.detached, 1);
	assert_false(world.at_fault);
	gate_world_see_end(fd);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, gate_world_open, gate_world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_silent_frontend),
		TEST(test_request_with_reply),
		TEST(test_acknowledgement),
		TEST(test_quiesces_first),
		TEST(test_left_while_quiescing),
		TEST(test_fault_while_relayed),
		TEST(test_library_refuses),
		TEST(test_library_leaves),
		TEST(test_library_answers_wrongly),
		TEST(test_library_is_full),
		TEST(test_second_frontend),
		TEST(test_bad_message),
		TEST(test_destroyed_while_relayed),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
