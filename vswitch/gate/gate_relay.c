/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relays a good message of the frontend to the vhost library: waits until the workers have left the
 * rings that it concerns, sends it, records it in the session once the library accepted it, and
 * replies to the frontend. Control thread.
 *
 * The library gets NEED_REPLY with every request that has no reply of its own, because only the reply
 * says whether the message took effect. The frontend gets that reply if it asked for it.
 */
#include "gate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "library/vhost_lib.h"
#include "vhost_io.h"

void
gate_relay_go_on(struct gate *gate)
{
	uint32_t rings = vhost_msg_rings(&gate->msg);

	if (rings == 0) {
		gate_relay_send(gate);
		return;
	}
	gate->state = GATE_QUIESCING;
	gate_request_quiesce(gate, rings);
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
	ret = vhost_io_send(gate->library->fd(gate->conn), msg);
	msg->header.flags = asked;
	if (ret != 0) {
		snprintf(why, sizeof(why), "cannot send to the vhost library: %s", strerror(-ret));
		gate_end(gate, why);
		return;
	}
	gate->state = GATE_RELAYED;
	gate->answer_due = true;
	gate_message_set_limit(gate, GATE_ANSWER_LIMIT_S);
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
	gate_message_refuse(gate, why);
}

/*
 * Takes the library's reply to `msg`. What the library posted before it is handled first. False when
 * the library refused `msg` or the session ends; nothing is left to do then.
 */
static bool
accept_answer(struct gate *gate, struct vhost_msg *msg)
{
	bool has_reply = (vhost_msg_flags(msg->header.request) & VHOST_MSG_HAS_REPLY) != 0;

	if (!vhost_msg_check_answer(msg, &gate->answer, &gate->offer)) {
		gate_end(gate, "the vhost library sent an invalid reply");
		return false;
	}
	gate->library->drain();
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
			gate_message_give_up(gate, &gate->answer);
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
		alive = gate_message_reply(gate, &gate->answer.payload, gate->answer.header.size);
	else
		alive = gate_message_acknowledge(gate, true);
	if (alive)
		gate_message_next(gate);
}

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	const struct fd_receiver surplus = { .give = gate_message_close_surplus, .arg = gate };
	enum vhost_io io = vhost_io_read(fd, &gate->answer, &surplus);

	(void)what;
	if (io == VHOST_IO_HEADER && gate->answer.header.size <= VHOST_PAYLOAD_MAX)
		io = vhost_io_read(fd, &gate->answer, &surplus);
	if (io == VHOST_IO_AGAIN)
		return;
	event_del(&gate->limit);
	gate->answer_due = false;
	gate->library->answered(gate->conn);
	if (io == VHOST_IO_WHOLE && gate->state == GATE_RELAYED) {
		handle_answer(gate);
		return;
	}
	/* no reply is expected any more, and unread data would make the event fire for ever */
	event_del(&gate->answered);
	gate->answered_added = false;
	gate_end(gate, "the vhost library ended the connection");
	gate_defer(gate);
}

static void
on_connected(void *arg, int result)
{
	struct gate *gate = arg;
	char why[GATE_TEXT_MAX];

	if (result < 0) {
		gate->conn = NULL;
		snprintf(why, sizeof(why), "cannot connect to the vhost library: %s",
				strerror(-result));
		gate_end(gate, why);
		return;
	}
	if (gate->state != GATE_OPENING)
		return;
	event_assign(&gate->answered, gate->base, gate->library->fd(gate->conn),
			EV_READ | EV_PERSIST, on_answer, gate);
	gate->answered_added = event_add(&gate->answered, NULL) == 0;
	if (gate->answered_added)
		gate_relay_go_on(gate);
	else
		gate_end(gate, "no memory to watch the connection to the vhost library");
}

static void
on_memory(void *arg, const struct guest_mem *mem)
{
	struct gate *gate = arg;

	gate->ops->memory(gate->port, mem);
}

static void
on_vring_state(void *arg, uint32_t index, bool on)
{
	struct gate *gate = arg;

	gate->ops->vring_state(gate->port, index, on);
}

static void
on_device_state(void *arg, bool running)
{
	struct gate *gate = arg;

	gate->ops->device_state(gate->port, running);
}

static const struct vhost_conn_ops own_conn_ops = {
	.connected = on_connected,
	.memory = on_memory,
	.vring_state = on_vring_state,
	.device_state = on_device_state,
};

void
gate_relay_open(struct gate *gate)
{
	char why[GATE_TEXT_MAX];

	gate->state = GATE_OPENING;
	gate->conn = gate->library->connect(&own_conn_ops, gate, gate->name);
	if (gate->conn != NULL)
		return;
	gate->blameless = true;
	snprintf(why, sizeof(why),
			"the switch has %d frontends already, which is as many as it can serve",
			SESSIONS_MAX);
	gate_end(gate, why);
}
