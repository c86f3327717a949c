/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Collects one message of the frontend without ever blocking, checks it, and replies or relays it
 * (gate_relay.c). The next message is read only after that, so nothing piles up here. Each message
 * begins from the event loop, so that a frontend which sends much takes turns with the others.
 * Control thread.
 */
#include "gate_internal.h"

#include <stdio.h>
#include <string.h>

#include "fd_budget.h"
#include "fd_check.h"
#include "memory_space.h"
#include "vhost_io.h"
#include "base/watched.h"

/* Handles a message that is not for the library. */
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
		alive = gate_message_reply_u64(
				gate, PORT_VRINGS / 2); /* GET_QUEUE_NUM: queue pairs */
	else
		alive = gate_message_acknowledge(gate, true);
	if (alive)
		gate_message_next(gate);
}

/*
 * Reserves what a memory table needs until the session ends: address space, and descriptors here
 * and in the library. Also tries whether each file can be mapped.
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

static void
reject(struct gate *gate, enum vhost_verdict verdict, const char *why)
{
	if (verdict == VHOST_REFUSED) {
		gate_message_refuse(gate, why);
		return;
	}
	gate_end(gate, why);
	(void)gate_message_acknowledge(gate, false);
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
		gate_relay_open(gate);
	else
		gate_relay_go_on(gate);
}

/* Reserves the descriptors that have come with the message. False with the reason in `why`. */
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

/* Reads on, at most to the end of the message. Ends the session when the header is bad. */
static enum vhost_io
collect(struct gate *gate, int fd)
{
	const struct fd_receiver surplus = { .give = gate_message_close_surplus, .arg = gate };
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
 * Reads a message that comes in many small parts at growing intervals, so that a thousand frontends
 * which send like this take no time from the others.
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
gate_read_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;

	(void)fd;
	(void)what;
	event_add(&gate->readable, NULL);
}

void
gate_read_on_readable(evutil_socket_t fd, short what, void *arg)
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
			gate_message_set_limit(gate, GATE_MESSAGE_LIMIT_S);
		pause_reading(gate);
	}
	watched_end(&watched_control);
}
