/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The message at hand, for the parts that read and relay it: its reply, its time limit, and the
 * descriptors that came with it. Control thread, by the gate.
 */
#include "gate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fd_budget.h"
#include "vhost_io.h"

static void
look_later(struct gate *gate)
{
	const struct timeval tv = { .tv_usec = GATE_LOOK_MS * 1000L };

	event_add(&gate->limit, &tv);
}

void
gate_message_set_limit(struct gate *gate, uint32_t seconds)
{
	gate->looks = seconds * 1000 / GATE_LOOK_MS;
	look_later(gate);
}

void
gate_message_on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;

	(void)fd;
	(void)what;
	if (--gate->looks > 0) {
		look_later(gate);
		return;
	}
	if (!gate->answer_due) {
		gate_end(gate, "a message was not complete within a second of its first byte");
		return;
	}
	gate->answer_due = false;
	gate_end(gate, "the vhost library did not answer within five seconds");
	gate_defer(gate);
}

void
gate_message_give_up(struct gate *gate, struct vhost_msg *msg)
{
	uint32_t i;

	for (i = 0; i < msg->n_fds; i++) {
		if (msg->fds[i] >= 0)
			fd_reaper_close(msg->fds[i], gate->unclosed);
	}
	vhost_io_init(msg);
}

void
gate_message_release(struct gate *gate)
{
	gate_message_give_up(gate, &gate->msg);
	gate_message_give_up(gate, &gate->answer);
	fd_budget_give(gate->message_budget);
	gate->message_budget = 0;
}

void
gate_message_close_surplus(void *arg, int fd)
{
	const struct gate *gate = arg;

	fd_reaper_close(fd, gate->unclosed);
}

void
gate_message_next(struct gate *gate)
{
	char why[GATE_TEXT_MAX];

	gate_message_release(gate);
	gate->state = GATE_READING;
	gate->pause_ms = GATE_PAUSE_MIN_MS;
	if (gate_is_clogged(gate, why, sizeof(why)))
		gate_end(gate, why);
	else if (event_add(&gate->readable, NULL) != 0)
		gate_end(gate, "no memory to watch the frontend's connection");
}

bool
gate_message_reply(struct gate *gate, const union vhost_payload *payload, uint32_t size)
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
		snprintf(why, sizeof(why), "cannot reply to the frontend: %s", strerror(-ret));
	/* leaving is not a fault */
	gate_end(gate, ret == -EPIPE || ret == -ECONNRESET ? NULL : why);
	return false;
}

bool
gate_message_reply_u64(struct gate *gate, uint64_t value)
{
	const union vhost_payload payload = { .u64 = value };

	return gate_message_reply(gate, &payload, sizeof(payload.u64));
}

/* By the specification 0 is ACK; any other value is NACK. */
bool
gate_message_acknowledge(struct gate *gate, bool accepted)
{
	if ((gate->msg.header.flags & VHOST_FLAG_NEED_REPLY) == 0)
		return true;
	return gate_message_reply_u64(gate, accepted ? 0 : 1);
}

void
gate_message_refuse(struct gate *gate, const char *why)
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
	if (gate->state == state && gate_message_acknowledge(gate, false))
		gate_message_next(gate);
}
