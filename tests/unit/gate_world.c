/* SPDX-License-Identifier: BSD-3-Clause */
/* See gate_world.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "gate/fd_reaper.h"
#include "gate/memory_space.h"
#include "gate/vhost_io.h"
#include "gate_world.h"
#include "library/vhost_lib.h"

#define LIMIT_NS 10000000000ull

struct gate_world world;

/* The library's connection, as the gate holds it. */
struct vhost_conn {
	int fd; /* the gate's end */
	const struct vhost_conn_ops *ops;
	void *arg;
	struct event *ready;
};

static char directory[64];

/* ---- The library ---- */

static uint64_t
features(void)
{
	return 1ull << 32 | 1ull << 15 | 1ull << 30;
}

static uint64_t
protocol_features(void)
{
	return 0x9; /* MQ, REPLY_ACK */
}

static void
drain(void)
{
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct vhost_conn *conn = arg;

	(void)fd;
	(void)what;
	conn->ops->connected(conn->arg, 0);
}

static struct vhost_conn *
connect_library(const struct vhost_conn_ops *ops, void *arg, const char *name)
{
	struct vhost_conn *conn;
	int ends[2];

	(void)name;
	if (world.is_full)
		return NULL;
	conn = calloc(1, sizeof(*conn));
	assert_non_null(conn);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			0);
	conn->fd = ends[0];
	world.library = ends[1];
	conn->ops = ops;
	conn->arg = arg;
	conn->ready = event_new(world.base, -1, 0, on_ready, conn);
	event_active(conn->ready, 0, 0);
	world.connections++;
	return conn;
}

static int
conn_fd(const struct vhost_conn *conn)
{
	return conn->fd;
}

static void
answered(const struct vhost_conn *conn)
{
	(void)conn;
}

static void
close_conn(struct vhost_conn *conn, void (*closed)(void *arg), void *arg)
{
	event_free(conn->ready);
	close(conn->fd);
	free(conn);
	world.closed++;
	closed(arg);
}

static const struct vhost_library library = {
	.features = features,
	.protocol_features = protocol_features,
	.drain = drain,
	.connect = connect_library,
	.fd = conn_fd,
	.answered = answered,
	.close = close_conn,
};

/* ---- The port ---- */

static void
on_attached(void *port, const struct socket_peer *peer)
{
	(void)port;
	assert_int_equal(peer->pid, getpid());
	world.attached++;
}

static void
on_quiesce(void *port, uint32_t vring_mask)
{
	(void)port;
	world.quiesced++;
	world.mask = vring_mask;
	if (!world.holds_quiesce)
		gate_quiesced(world.gate);
}

static void
on_announced(void *port, const uint8_t mac[6])
{
	(void)port;
	(void)mac;
}

static void
on_updated(void *port)
{
	(void)port;
	world.updated++;
}

static void
on_detached(void *port, const char *fault)
{
	(void)port;
	world.detached++;
	world.at_fault = fault != NULL;
	snprintf(world.fault, sizeof(world.fault), "%s", fault != NULL ? fault : "");
}

static const struct gate_ops ops = {
	.attached = on_attached,
	.quiesce = on_quiesce,
	.announced = on_announced,
	.updated = on_updated,
	.detached = on_detached,
};

static void
on_gone(void *unused)
{
	(void)unused;
	world.gone = true;
}

static bool
is_gone(void)
{
	return world.gone;
}

int
gate_world_open(void **state)
{
	struct gate_config config = {
		.name = "p0",
		.path = world.path,
		.mtu = 1500,
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
		.library = &library,
	};
	char err[256] = "";

	(void)state;
	memset(&world, 0, sizeof(world));
	world.library = -1;
	snprintf(directory, sizeof(directory), "/tmp/vsw-gate-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(world.path, sizeof(world.path), "%s/p0.sock", directory);
	memory_space_init(1ull << 30, UINT64_MAX);
	assert_int_equal(fd_reaper_fork(), 0);
	world.base = event_base_new();
	assert_int_equal(fd_reaper_start(world.base), 0);
	world.gate = gate_create(world.base, &config, &ops, &world, err, sizeof(err));
	assert_string_equal(err, "");
	return world.gate == NULL;
}

int
gate_world_close(void **state)
{
	(void)state;
	if (!world.gone) {
		world.holds_quiesce = false;
		gate_destroy(world.gate, on_gone, NULL);
		gate_quiesced(world.gate);
		if (world.library >= 0)
			shutdown(world.library, SHUT_RDWR);
		gate_world_run(is_gone);
	}
	assert_int_equal(world.attached, world.detached);
	assert_int_equal(world.connections, world.closed);
	assert_int_equal(rmdir(directory), 0);
	fd_reaper_stop();
	event_base_free(world.base);
	if (world.library >= 0)
		close(world.library);
	return wait(NULL) > 0 ? 0 : -1;
}

void
gate_world_run(bool (*done)(void))
{
	uint64_t end = clock_ns() + LIMIT_NS;

	while (!done()) {
		assert_true(clock_ns() < end);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	}
}

int
gate_world_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", world.path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void
gate_world_send(int fd, const struct vhost_msg *msg)
{
	assert_int_equal(vhost_io_send(fd, msg), 0);
}

static void
drop(void *unused, int fd)
{
	(void)unused;
	close(fd);
}

void
gate_world_receive(int fd, struct vhost_msg *msg)
{
	const struct fd_receiver surplus = { .give = drop };
	uint64_t end = clock_ns() + LIMIT_NS;
	enum vhost_io io;

	vhost_io_init(msg);
	do {
		assert_true(clock_ns() < end);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
		io = vhost_io_read(fd, msg, &surplus);
		assert_true(io == VHOST_IO_AGAIN || io == VHOST_IO_HEADER || io == VHOST_IO_WHOLE);
	} while (io != VHOST_IO_WHOLE);
}

void
gate_world_see_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };
	uint64_t end = clock_ns() + LIMIT_NS;

	while (poll(&pfd, 1, 0) == 0 || (pfd.revents & (POLLRDHUP | POLLHUP)) == 0) {
		assert_true(clock_ns() < end);
		event_base_loop(world.base, EVLOOP_NONBLOCK);
	}
}
