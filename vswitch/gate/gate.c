/* SPDX-License-Identifier: BSD-3-Clause */
/* See gate.h, and gate_internal.h for the states. */
#include "gate_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fd_budget.h"
#include "base/thread_role.h"
#include "base/log.h"
#include "base/virtio_bits.h"
#include "memory_space.h"

#define ALL_RINGS ((1u << PORT_VRINGS) - 1)

/*
 * Reserves what a session needs. False with the reason in `why`. Where the switch itself lacks
 * something the port gets no rest (`blameless`): its next frontend may try at once.
 */
static bool
open_session(struct gate *gate, char *why, size_t why_size)
{
	if (gate_is_clogged(gate, why, why_size))
		return false;
	gate->has_budget = fd_budget_take(FD_BUDGET_SESSION, why, why_size);
	gate->blameless = !gate->has_budget;
	return gate->has_budget;
}

static void
admit(struct gate *gate, int fd)
{
	char why[GATE_TEXT_MAX];

	gate->fd = fd;
	gate->state = GATE_READING;
	gate->refusals = 0;
	gate->refusal[0] = '\0';
	gate->at_fault = false;
	gate->blameless = false;
	event_assign(&gate->readable, gate->base, fd, EV_READ | EV_PERSIST, gate_read_on_readable,
			gate);
	socket_peer_read(fd, &gate->peer);
	log_from(&gate->log, LOG_LEVEL_INFO, "frontend attached (pid %d, %s)", (int)gate->peer.pid,
			gate->peer.program);
	gate->ops->attached(gate->port, &gate->peer);
	if (gate->state != GATE_READING)
		return;
	if (open_session(gate, why, sizeof(why)))
		gate_message_next(gate);
	else
		gate_end(gate, why);
}

/* True when the other end of a socket is gone, even if data of it is still unread. */
static bool
is_dead(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void
arrived(struct gate *gate, int fd)
{
	bool may_wait;

	if (gate->waiting_fd >= 0 && is_dead(gate->waiting_fd)) {
		gate_drop(gate, gate->waiting_fd);
		gate->waiting_fd = -1;
	}
	if (gate->state != GATE_IDLE && is_dead(gate->fd))
		gate_end(gate, NULL);
	may_wait = gate->waiting_fd < 0 && (gate->state == GATE_IDLE || gate_is_ending(gate));
	if (may_wait && gate->state == GATE_IDLE && gate_rest_ms(gate) == 0) {
		admit(gate, fd);
	} else if (may_wait) {
		gate->waiting_fd = fd;
	} else {
		gate->rejected++;
		gate_drop(gate, fd);
	}
}

void
gate_fault(struct gate *gate, const char *text)
{
	ASSERT_ON(THREAD_CONTROL);
	gate_end(gate, text);
}

static void
close_frontend(struct gate *gate)
{
	gate_drop(gate, gate->fd);
	gate->fd = -1;
	gate_message_release(gate);
	if (gate->has_budget)
		fd_budget_give(FD_BUDGET_SESSION + gate->region_budget);
	memory_space_give(&gate->address_space);
	gate->has_budget = false;
	gate->region_budget = 0;
}

static void
log_end(struct gate *gate)
{
	if (gate->at_fault)
		log_from(&gate->log, LOG_LEVEL_WARNING, "fault: %s (pid %d, %s)", gate->fault,
				(int)gate->peer.pid, gate->peer.program);
	else
		log_from(&gate->log, LOG_LEVEL_INFO, "frontend %s (pid %d, %s)",
				gate->destroying ? "detached" : "left", (int)gate->peer.pid,
				gate->peer.program);
}

/* No worker uses the rings any more. */
static void
close_session(struct gate *gate)
{
	bool useful = gate->session.has_memory;
	struct vhost_conn *conn = gate->conn;
	struct fd_reaper_batch *held;

	if (gate->answered_added)
		event_del(&gate->answered);
	gate->answered_added = false;
	gate->conn = NULL;
	close_frontend(gate);
	session_reset(&gate->session);
	/* kept open until the library has closed its copies: its closes must never be the last */
	held = fd_reaper_hold(gate->unclosed);
	if (conn != NULL)
		gate->library->close(conn, fd_reaper_send, held);
	else
		fd_reaper_send(held);
	if (gate->at_fault && !gate->blameless)
		gate_rest_count_fault(gate);
	log_end(gate);
	gate->state = GATE_IDLE;
	gate->refusal[0] = '\0';
	if (gate->connects && !gate->destroying)
		gate_connect_again(gate, useful);
	gate_defer(gate);
	gate->ops->detached(gate->port, gate->at_fault ? gate->fault : NULL);
}

void
gate_quiesced(struct gate *gate)
{
	ASSERT_ON(THREAD_CONTROL);
	if (!gate->quiesce_asked)
		return;
	gate->quiesce_asked = false;
	if (gate->state == GATE_QUIESCING)
		gate_relay_send(gate);
	else if (gate->state == GATE_CLOSING)
		close_session(gate);
	else
		gate_defer(gate);
}

static void
finish(struct gate *gate)
{
	void (*done)(void *arg) = gate->done;
	void *done_arg = gate->done_arg;

	event_del(&gate->step);
	gate_rest_stop(gate);
	fd_reaper_free_account(gate->unclosed);
	log_bucket_release(&gate->log);
	free(gate);
	done(done_arg);
}

/* Runs from the event loop what must not run while a caller of the gate is on the stack. */
static void
gate_run_deferred(evutil_socket_t unused, short what, void *arg)
{
	struct gate *gate = arg;
	int fd = gate->waiting_fd;

	(void)unused;
	(void)what;
	if (gate->state == GATE_ENDING && !gate->quiesce_asked && !gate->answer_due) {
		gate->state = GATE_CLOSING;
		gate_request_quiesce(gate, ALL_RINGS);
	} else if (gate->state == GATE_IDLE && gate->destroying) {
		finish(gate);
	} else if (gate->state == GATE_IDLE && fd >= 0 && gate_rest_ms(gate) == 0) {
		gate->waiting_fd = -1;
		admit(gate, fd);
	}
}

static void
close_session_fd(void *arg, int fd)
{
	const struct gate *gate = arg;

	fd_reaper_close(fd, gate->unclosed);
}

static int
copy_config(struct gate *gate, const struct gate_config *config, char *err, size_t err_size)
{
	size_t len = strlen(config->path);

	if (len >= sizeof(gate->path)) {
		snprintf(err, err_size,
				"cannot use the socket %s: its path has %zu bytes and may have "
				"%zu; choose a shorter one, or go through a symbolic link to its "
				"directory",
				config->path, len, sizeof(gate->path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(gate->path, config->path, len + 1);
	snprintf(gate->name, sizeof(gate->name), "%s", config->name);
	snprintf(gate->log.subject, sizeof(gate->log.subject), "port %s", config->name);
	gate->connects = config->connect;
	gate->library = config->library;
	gate_set_offload(gate, config->offload);
	gate_set_mtu(gate, config->mtu);
	gate->offer.protocol_features = gate->library->protocol_features();
	return 0;
}

struct gate *
gate_create(struct event_base *base, const struct gate_config *config, const struct gate_ops *ops,
		void *port, char *err, size_t err_size)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	int ret = -ENOMEM;

	ASSERT_ON(THREAD_CONTROL);
	if (gate != NULL)
		gate->unclosed = fd_reaper_open_account();
	if (gate == NULL || gate->unclosed == NULL) {
		snprintf(err, err_size, "cannot open %s: out of memory", config->path);
		goto fail;
	}
	gate->base = base;
	gate->ops = ops;
	gate->port = port;
	gate->arrived = arrived;
	gate->fd = gate->waiting_fd = gate->listener.fd = -1;
	session_init(&gate->session, close_session_fd, gate);
	event_assign(&gate->step, base, -1, 0, gate_run_deferred, gate);
	event_assign(&gate->limit, base, -1, 0, gate_message_on_limit, gate);
	event_assign(&gate->pause, base, -1, 0, gate_read_on_pause_over, gate);
	gate_rest_init(gate);
	ret = copy_config(gate, config, err, err_size);
	if (ret == 0 && !gate->connects)
		ret = gate_listen_start(gate, config, err, err_size);
	if (ret != 0)
		goto fail;
	if (gate->connects)
		gate_connect_start(gate);
	return gate;

fail:
	if (gate != NULL && gate->unclosed != NULL)
		fd_reaper_free_account(gate->unclosed);
	free(gate);
	errno = -ret;
	return NULL;
}

void
gate_destroy(struct gate *gate, void (*done)(void *arg), void *arg)
{
	ASSERT_ON(THREAD_CONTROL);
	if (gate->destroying)
		return;
	gate->destroying = true;
	gate->done = done;
	gate->done_arg = arg;
	if (gate->connects)
		gate_connect_stop(gate);
	gate_listen_stop(gate);
	if (gate->waiting_fd >= 0)
		gate_drop(gate, gate->waiting_fd);
	gate->waiting_fd = -1;
	gate_end(gate, NULL);
	gate_defer(gate);
}

void
gate_set_offload(struct gate *gate, bool offload)
{
	ASSERT_ON(THREAD_CONTROL);
	gate->offer.features = gate->library->features();
	if (!offload)
		gate->offer.features &= ~VIRTIO_NET_F_OFFLOADS;
}

void
gate_set_mtu(struct gate *gate, uint32_t mtu)
{
	ASSERT_ON(THREAD_CONTROL);
	gate->offer.mtu = mtu;
}

int
gate_set_access(struct gate *gate, mode_t mode, uid_t owner, gid_t group, char *err,
		size_t err_size)
{
	ASSERT_ON(THREAD_CONTROL);
	if (gate->connects) {
		snprintf(err, err_size,
				"cannot change the access to %s: it is the frontend's socket, "
				"which sets mode, owner and group itself",
				gate->path);
		return -ENOTSUP;
	}
	return gate_listen_set_access(gate, mode, owner, group, err, err_size);
}

struct log_bucket *
gate_log(struct gate *gate)
{
	return &gate->log;
}

/*
 * Compares what the library compares before it keeps its mapping: the addresses. That the files are the
 * same too, vhost_check.c has seen to.
 */
static bool
is_same_table(const struct session *session, const struct vhost_payload_memory *memory)
{
	if (session->n_regions != memory->n_regions)
		return false;
	for (uint32_t i = 0; i < memory->n_regions; i++) {
		const struct session_region *old = &session->regions[i];

		if (old->guest_phys_addr != memory->regions[i].guest_phys_addr ||
				old->size != memory->regions[i].size ||
				old->userspace_addr != memory->regions[i].userspace_addr)
			return false;
	}
	return true;
}

bool
gate_drops_memory(const struct gate *gate)
{
	ASSERT_ON(THREAD_CONTROL);
	if (!gate->session.has_memory)
		return false;
	if (gate->state == GATE_CLOSING)
		return true;
	return gate->state == GATE_QUIESCING &&
			gate->msg.header.request == VHOST_REQ_SET_MEM_TABLE &&
			!is_same_table(&gate->session, &gate->msg.payload.memory);
}

const struct session *
gate_session(const struct gate *gate)
{
	ASSERT_ON(THREAD_CONTROL);
	return &gate->session;
}

struct vhost_conn *
gate_conn(const struct gate *gate)
{
	ASSERT_ON(THREAD_CONTROL);
	return gate->conn;
}

const struct socket_peer *
gate_peer(const struct gate *gate)
{
	ASSERT_ON(THREAD_CONTROL);
	return gate->state == GATE_IDLE ? NULL : &gate->peer;
}

uint64_t
gate_rejected(const struct gate *gate)
{
	return gate->rejected;
}

const char *
gate_refusal(const struct gate *gate)
{
	return gate->refusal;
}
