/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One message after the other: collected without ever blocking, checked, handed to the vhost
 * library when the workers have left the rings that it concerns, recorded when the library took
 * it, and answered. The next one is not read before, so nothing piles up here; and each begins
 * from the event loop, so a frontend that sends much is served in turn with the others. Control
 * thread.
 *
 * The library gets NEED_REPLY with every request that has no reply of its own: only its answer
 * says whether the message took effect. The frontend gets that answer if it asked for it.
 */
#include "gate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fd_budget.h"
#include "fd_check.h"
#include "base/log.h"
#include "memory_space.h"
#include "vhost_io.h"
#include "base/watched.h"

static void
look_later(struct gate *gate)
{
	const struct timeval tv = { .tv_usec = GATE_LOOK_MS * 1000L };

	event_add(&gate->limit, &tv);
}

static void
set_limit(struct gate *gate, uint32_t seconds)
{
	gate->looks = seconds * 1000 / GATE_LOOK_MS;
	look_later(gate);
}

/* Gives up the descriptors that the session did not take. */
static void
release(struct gate *gate, struct vhost_msg *msg)
{
	uint32_t i;

	for (i = 0; i < msg->n_fds; i++) {
		if (msg->fds[i] >= 0)
			closer_close(msg->fds[i], gate->unclosed);
	}
	vhost_io_init(msg);
}

void
gate_relay_release(struct gate *gate)
{
	release(gate, &gate->msg);
	release(gate, &gate->answer);
	fd_budget_give(gate->message_budget);
	gate->message_budget = 0;
}

void
gate_relay_next(struct gate *gate)
{
	char why[GATE_TEXT_MAX];

	gate_relay_release(gate);
	gate->state = GATE_READING;
	gate->pause_ms = GATE_PAUSE_MIN_MS;
	if (gate_is_clogged(gate, why, sizeof(why)))
		gate_end(gate, why);
	else if (event_add(&gate->readable, NULL) != 0)
		gate_end(gate, "no memory to watch the frontend's connection");
}

/* Sends a reply with what is in `payload`; `size` bytes. False when the session ends over it. */
static bool
reply(struct gate *gate, const union vhost_payload *payload, uint32_t size)
{
	struct vhost_msg out;
	char why[GATE_TEXT_MAX];
	int ret;

	vhost_io_init(&out);
	out.header.request = gate->msg.header.request;
	out.header.flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY;
	out.header.size = size;
	memcpy(out.payload.bytes, payload->bytes, size);
	ret = vhost_io_send(gate->fd, &out);
	if (ret == 0)
		return true;
	if (ret == -EAGAIN)
		snprintf(why, sizeof(why), "the frontend does not read its replies");
	else
		snprintf(why, sizeof(why), "the frontend cannot be answered: %s", strerror(-ret));
	/* a frontend that is gone is no fault of its */
	gate_end(gate, ret == -EPIPE || ret == -ECONNRESET ? NULL : why);
	return false;
}

static bool
reply_u64(struct gate *gate, uint64_t value)
{
	const union vhost_payload payload = { .u64 = value };

	return reply(gate, &payload, sizeof(payload.u64));
}

/* Answers NEED_REPLY of a request without a reply of its own: 0 is yes. */
static bool
acknowledge(struct gate *gate, bool accepted)
{
	if ((gate->msg.header.flags & VHOST_FLAG_NEED_REPLY) == 0)
		return true;
	return reply_u64(gate, accepted ? 0 : 1);
}

/* What a well-meaning frontend asked and did not get: it is told, or it could not go on. */
static void
refuse(struct gate *gate, const char *why)
{
	enum gate_state state = gate->state;

	if ((gate->msg.header.flags & VHOST_FLAG_NEED_REPLY) == 0) {
		gate_end(gate, why);
		return;
	}
	snprintf(gate->refusal, sizeof(gate->refusal), "%s", why);
	if (++gate->refusals <= GATE_REFUSALS_LOGGED)
		log_from(&gate->log, LOG_LEVEL_WARNING, "refused: %s (pid %d, %s)", why,
				(int)gate->peer.pid, gate->peer.program);
	gate->ops->updated(gate->port);
	if (gate->state == state && acknowledge(gate, false))
		gate_relay_next(gate);
}

static void
reject(struct gate *gate, enum vhost_verdict verdict, const char *why)
{
	if (verdict == VHOST_REFUSED) {
		refuse(gate, why);
		return;
	}
	gate_end(gate, why);
	(void)acknowledge(gate, false);
}

/* Answers without the library. */
static void
answer_locally(struct gate *gate)
{
	bool alive;

	vhost_msg_apply(&gate->msg, NULL, &gate->session);
	if (gate->msg.header.request == VHOST_REQ_SEND_RARP)
		gate->ops->announced(gate->port, gate->msg.payload.bytes);
	gate->ops->updated(gate->port);
	if (gate->state != GATE_READING)
		return;
	if ((vhost_msg_flags(gate->msg.header.request) & VHOST_MSG_HAS_REPLY) != 0)
		alive = reply_u64(gate, PORT_VRINGS / 2); /* GET_QUEUE_NUM: queue pairs */
	else
		alive = acknowledge(gate, true);
	if (alive)
		gate_relay_next(gate);
}

/*
 * What a memory table needs besides its checks: address space, descriptors here and in the library,
 * reserved until the session ends, and that each file can be mapped.
 */
static enum vhost_verdict
prepare_memory(struct gate *gate, char *why, size_t why_size)
{
	const struct vhost_payload_memory *memory = &gate->msg.payload.memory;
	uint32_t need = memory->n_regions * FD_BUDGET_REGION;
	uint64_t bytes = 0;
	uint32_t i;
	int ret;

	for (i = 0; i < memory->n_regions; i++)
		bytes += memory->regions[i].mmap_offset + memory->regions[i].size;
	if (!memory_space_take(&gate->address_space, bytes, why, why_size))
		return VHOST_REFUSED;
	for (i = 0; i < memory->n_regions; i++) {
		ret = fd_check_map(gate->msg.fds[i],
				memory->regions[i].mmap_offset + memory->regions[i].size);
		if (ret != 0) {
			snprintf(why, why_size, "memory region %u cannot be mapped: %s", i,
					strerror(-ret));
			return VHOST_REFUSED;
		}
	}
	if (need > gate->region_budget) {
		if (!fd_budget_take(need - gate->region_budget, why, why_size))
			return VHOST_REFUSED;
		gate->region_budget = need;
	}
	return VHOST_GOOD;
}

static enum vhost_verdict
check(struct gate *gate, char *why, size_t why_size)
{
	enum vhost_verdict verdict;
	uint32_t i;

	for (i = 0; i < gate->msg.n_fds; i++)
		fd_check(gate->msg.fds[i], &gate->msg.facts[i]);
	verdict = vhost_msg_check(&gate->msg, &gate->session, &gate->offer, why, why_size);
	if (verdict == VHOST_GOOD && gate->msg.header.request == VHOST_REQ_SET_MEM_TABLE)
		verdict = prepare_memory(gate, why, why_size);
	return verdict;
}

void
gate_relay_go_on(struct gate *gate)
{
	uint32_t rings = vhost_msg_rings(&gate->msg);

	if (rings == 0) {
		gate_relay_send(gate);
		return;
	}
	gate->state = GATE_QUIESCING;
	gate_ask_quiet(gate, rings);
}

static void
handle_message(struct gate *gate)
{
	char why[GATE_TEXT_MAX];
	enum vhost_verdict verdict;

	event_del(&gate->readable);
	event_del(&gate->limit);
	verdict = check(gate, why, sizeof(why));
	if (verdict != VHOST_GOOD) {
		reject(gate, verdict, why);
		return;
	}
	if ((vhost_msg_flags(gate->msg.header.request) & VHOST_MSG_RELAYED) == 0) {
		answer_locally(gate);
		return;
	}
	if (gate->conn == NULL)
		gate_open(gate);
	else
		gate_relay_go_on(gate);
}

/* Reckons the descriptors that have come with the message. False with words. */
static bool
reserve_message_fds(struct gate *gate, char *why, size_t why_size)
{
	uint32_t more = gate->msg.n_fds - gate->message_budget;

	if (more == 0)
		return true;
	if (!fd_budget_take(more, why, why_size))
		return false;
	gate->message_budget += more;
	return true;
}

static void
close_surplus(void *arg, int fd)
{
	const struct gate *gate = arg;

	closer_close(fd, gate->unclosed);
}

/* Reads on, to the end of the message at most. Whatever is wrong with it already ends it. */
static enum vhost_io
collect(struct gate *gate, int fd)
{
	const struct fd_receiver surplus = { .give = close_surplus, .arg = gate };
	enum vhost_io io = vhost_io_read(fd, &gate->msg, &surplus);
	char why[GATE_TEXT_MAX];

	if (io == VHOST_IO_HEADER) {
		if (vhost_msg_check_header(&gate->msg.header, why, sizeof(why)) != VHOST_GOOD) {
			reject(gate, VHOST_BROKEN, why);
			return VHOST_IO_END;
		}
		io = vhost_io_read(fd, &gate->msg, &surplus);
	}
	if (!reserve_message_fds(gate, why, sizeof(why))) {
		gate_end(gate, why);
		return VHOST_IO_END;
	}
	return io;
}

/*
 * Whoever sends a message in many small parts is looked at ever less often, so that a thousand who
 * do so take no time from the others.
 */
static void
pause_reading(struct gate *gate)
{
	const struct timeval tv = { .tv_usec = gate->pause_ms * 1000L };

	event_del(&gate->readable);
	event_add(&gate->pause, &tv);
	if (gate->pause_ms < GATE_PAUSE_MAX_MS)
		gate->pause_ms *= 2;
}

void
gate_relay_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;

	(void)fd;
	(void)what;
	event_add(&gate->readable, NULL);
}

void
gate_relay_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	bool begins = vhost_io_idle(&gate->msg);
	enum vhost_io io;

	(void)what;
	watched_begin(&watched_control, "reading a message of the frontend of port", gate->name);
	io = collect(gate, fd);
	if (io == VHOST_IO_WHOLE) {
		handle_message(gate);
	} else if (io == VHOST_IO_END) {
		gate_end(gate, NULL);
	} else if (io == VHOST_IO_BAD_FDS) {
		gate_end(gate, "a message with more descriptors than the 8 that are allowed");
	} else if (!vhost_io_idle(&gate->msg)) {
		if (begins)
			set_limit(gate, GATE_MESSAGE_LIMIT_S);
		pause_reading(gate);
	}
	watched_end(&watched_control);
}

void
gate_relay_on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;

	(void)fd;
	(void)what;
	if (--gate->looks > 0) {
		look_later(gate);
		return;
	}
	if (!gate->answer_due) {
		gate_end(gate, "a message was begun and was not whole within a second");
		return;
	}
	gate->answer_due = false;
	gate_end(gate, "the vhost library did not answer within five seconds");
	gate_step_later(gate);
}

static void
send_to_library(struct gate *gate, struct vhost_msg *msg)
{
	uint32_t asked = msg->header.flags;
	char why[GATE_TEXT_MAX];
	int ret;

	msg->header.flags = VHOST_FLAG_VERSION;
	if ((vhost_msg_flags(msg->header.request) & VHOST_MSG_HAS_REPLY) == 0)
		msg->header.flags |= VHOST_FLAG_NEED_REPLY;
	ret = vhost_io_send(vhost_conn_fd(gate->conn), msg);
	msg->header.flags = asked;
	if (ret != 0) {
		snprintf(why, sizeof(why), "the vhost library took no message: %s", strerror(-ret));
		gate_end(gate, why);
		return;
	}
	gate->state = GATE_RELAYED;
	gate->answer_due = true;
	set_limit(gate, GATE_ANSWER_LIMIT_S);
}

void
gate_relay_send(struct gate *gate)
{
	struct vhost_msg call;

	if (vhost_msg_call_first(&gate->msg, &gate->session, &call))
		send_to_library(gate, &call);
	else
		send_to_library(gate, &gate->msg);
}

static void
refused_by_library(struct gate *gate)
{
	char why[GATE_TEXT_MAX], buffer[24];

	vhost_msg_apply_refusal(&gate->msg, &gate->session);
	if (gate->msg.header.request == VHOST_REQ_SET_VRING_NUM)
		snprintf(why, sizeof(why),
				"ring %u: the switch has no memory for %u entries; a "
				"smaller ring or more --memory is right",
				gate->msg.payload.state.index, gate->msg.payload.state.num);
	else
		snprintf(why, sizeof(why), "the vhost library refused %s",
				vhost_msg_name(gate->msg.header.request, buffer, sizeof(buffer)));
	refuse(gate, why);
}

/*
 * The library has dealt with a message: what it reported before its answer comes first. False when it
 * did not take it, and that was dealt with.
 */
static bool
accept_answer(struct gate *gate, struct vhost_msg *msg)
{
	bool has_reply = (vhost_msg_flags(msg->header.request) & VHOST_MSG_HAS_REPLY) != 0;

	if (!vhost_msg_check_answer(msg, &gate->answer, &gate->offer)) {
		gate_end(gate, "the vhost library gave an answer that is none");
		return false;
	}
	vhost_lib_drain();
	if (gate->state != GATE_RELAYED)
		return false;
	if (!has_reply && gate->answer.payload.u64 != 0) {
		refused_by_library(gate);
		return false;
	}
	vhost_msg_apply(msg, &gate->answer, &gate->session);
	return true;
}

static void
handle_answer(struct gate *gate)
{
	bool has_reply = (vhost_msg_flags(gate->msg.header.request) & VHOST_MSG_HAS_REPLY) != 0;
	struct vhost_msg call;
	bool alive;

	if (vhost_msg_call_first(&gate->msg, &gate->session, &call)) {
		if (accept_answer(gate, &call)) {
			release(gate, &gate->answer);
			gate_relay_send(gate);
		}
		return;
	}
	if (!accept_answer(gate, &gate->msg))
		return;
	gate->ops->updated(gate->port);
	if (gate->state != GATE_RELAYED)
		return;
	if (has_reply)
		alive = reply(gate, &gate->answer.payload, gate->answer.header.size);
	else
		alive = acknowledge(gate, true);
	if (alive)
		gate_relay_next(gate);
}

void
gate_relay_on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	const struct fd_receiver surplus = { .give = close_surplus, .arg = gate };
	enum vhost_io io = vhost_io_read(fd, &gate->answer, &surplus);

	(void)what;
	if (io == VHOST_IO_HEADER && gate->answer.header.size <= VHOST_PAYLOAD_MAX)
		io = vhost_io_read(fd, &gate->answer, &surplus);
	if (io == VHOST_IO_AGAIN)
		return;
	event_del(&gate->limit);
	gate->answer_due = false;
	vhost_conn_answered(gate->conn);
	if (io == VHOST_IO_WHOLE && gate->state == GATE_RELAYED) {
		handle_answer(gate);
		return;
	}
	/* nothing more is wanted from it, and what is readable would stay readable */
	event_del(&gate->answered);
	gate->answered_added = false;
	gate_end(gate, "the vhost library ended the connection");
	gate_step_later(gate);
}
