/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control thread's half of vhost_lib.h: makes connections, one at a time, and hands out what the
 * library's thread (vhost_events.c) posted, in the same order.
 */
#include "vhost_lib_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/thread_role.h"
#include "base/bell.h"
#include "base/log.h"
#include "rings/sigbus.h"

#define STOP_WAIT_MS 1000
#define FENCE_AGAIN_US 100000

static struct {
	struct event_base *base;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	uint32_t n_conns; /* not CONN_FREE */
	TAILQ_HEAD(, vhost_conn) queue;
	TAILQ_HEAD(, vhost_conn) ended;
	int fence_fd; /* a connection to the library for fences alone */
	bool fence_under_way;
	struct event *fence_again; /* the next attempt, when a fence could not be sent */
	struct vhost_conn *connecting;
	struct event *bell;
	struct event *next; /* starts the next connection, from the loop */
} lib = {
	.queue = TAILQ_HEAD_INITIALIZER(lib.queue),
	.ended = TAILQ_HEAD_INITIALIZER(lib.ended),
	.fence_fd = -1,
};

static void
free_conn(struct vhost_conn *conn)
{
	conn->state = CONN_FREE;
	lib.n_conns--;
	if (conn->closed != NULL)
		conn->closed(conn->closed_arg);
}

static int
send_request(int fd, uint32_t request, uint32_t flags, uint64_t token)
{
	const struct wire_message message = {
		.request = request,
		.flags = FLAG_VERSION_1 | flags,
		.size = sizeof(token),
		.u64 = token,
	};

	return send(fd, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message) ? 0 : -EIO;
}

/*
 * The library reports the end of a connection before it unmaps and closes what belonged to it, and
 * does not report when that is done. But its thread does one thing after the other. So the cleaning up
 * is over when the thread gets a message (the fence) that was sent after the report.
 */
static void
send_fence(void)
{
	const struct timeval again = { .tv_usec = FENCE_AGAIN_US };
	struct vhost_conn *conn;

	if (lib.fence_under_way || TAILQ_EMPTY(&lib.ended))
		return;
	TAILQ_FOREACH (conn, &lib.ended, link)
		conn->fenced = true;
	lib.fence_under_way = send_request(lib.fence_fd, FENCE_REQUEST, 0, 0) == 0;
	if (lib.fence_under_way)
		return;
	log_warning("vhost library: cannot send a fence to its thread (%s); trying again",
			strerror(errno));
	evtimer_add(lib.fence_again, &again);
}

static void
on_fence_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	send_fence();
}

static void
on_fence(void)
{
	struct vhost_conn *conn, *next;

	lib.fence_under_way = false;
	for (conn = TAILQ_FIRST(&lib.ended); conn != NULL; conn = next) {
		next = TAILQ_NEXT(conn, link);
		if (!conn->fenced)
			continue;
		TAILQ_REMOVE(&lib.ended, conn, link);
		conn->cleared = true;
		if (conn->ops == NULL)
			free_conn(conn);
	}
	send_fence();
}

static void
on_gone(struct vhost_conn *conn)
{
	conn->bound = false;
	conn->ended = true;
	conn->fenced = false;
	TAILQ_INSERT_TAIL(&lib.ended, conn, link);
	send_fence();
}

static void
handle_post(const struct post *post)
{
	struct vhost_conn *conn = post->conn;

	if (post->kind == POST_FENCE)
		on_fence();
	else if (post->kind == POST_GONE)
		on_gone(conn);
	else if (conn->ops == NULL)
		return;
	else if (post->kind == POST_MEMORY)
		conn->ops->memory(conn->arg, post->mem.n > 0 ? &post->mem : NULL);
	else if (post->kind == POST_VRING)
		conn->ops->vring_state(conn->arg, post->index, post->on);
	else
		conn->ops->device_state(conn->arg, post->on);
}

void
vhost_lib_drain(void)
{
	struct post *post;

	ASSERT_ON(THREAD_CONTROL);
	for (;;) {
		mutex_lock(&vhost_shared.lock);
		post = STAILQ_FIRST(&vhost_shared.posts);
		if (post != NULL)
			STAILQ_REMOVE_HEAD(&vhost_shared.posts, link);
		mutex_unlock(&vhost_shared.lock);
		if (post == NULL)
			return;
		handle_post(post);
		free(post);
	}
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	bell_hear(fd);
	vhost_lib_drain();
}

static int
connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

/* Reads the reply to HELLO, a single ACK. */
static int
read_hello_answer(int fd)
{
	struct wire_message answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);

	if (n < 0)
		return -errno;
	if (n != sizeof(answer) || answer.request != HELLO_REQUEST || answer.u64 != 0)
		return -ECONNREFUSED;
	return 0;
}

/* HELLO is no longer accepted. True when the library has already bound the connection. */
static bool
forget_token(struct vhost_conn *conn)
{
	bool bound;

	mutex_lock(&vhost_shared.lock);
	conn->token = 0;
	bound = conn->bound;
	mutex_unlock(&vhost_shared.lock);
	return bound;
}

static void
end_connecting(struct vhost_conn *conn)
{
	if (conn->hello_event != NULL)
		event_free(conn->hello_event);
	conn->hello_event = NULL;
	if (lib.connecting == conn) {
		lib.connecting = NULL;
		event_active(lib.next, 0, 0);
	}
}

static void
fail_connecting(struct vhost_conn *conn, int error)
{
	const struct vhost_conn_ops *ops = conn->ops;
	void *arg = conn->arg;

	vhost_conn_close(conn, NULL, NULL);
	ops->connected(arg, error);
}

static void
on_hello_answer(evutil_socket_t fd, short what, void *arg)
{
	struct vhost_conn *conn = arg;
	int ret = what & EV_TIMEOUT ? -ETIMEDOUT : read_hello_answer(fd);

	if (ret < 0) {
		fail_connecting(conn, ret);
		return;
	}
	end_connecting(conn);
	conn->state = CONN_READY;
	conn->ops->connected(conn->arg, 0);
}

static int
start_connecting(struct vhost_conn *conn)
{
	const struct timeval limit = { .tv_sec = 5 };
	uint64_t random;

	conn->state = CONN_CONNECTING;
	lib.connecting = conn;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	random = random % (UINT64_MAX / SESSIONS_MAX - 1) + 1;
	conn->token = random * SESSIONS_MAX + (uint64_t)(conn - vhost_shared.conns);
	conn->fd = connect_to(lib.path);
	if (conn->fd < 0)
		return conn->fd;
	conn->hello_event = event_new(lib.base, conn->fd, EV_READ, on_hello_answer, conn);
	if (conn->hello_event == NULL || event_add(conn->hello_event, &limit) < 0)
		return -ENOMEM;
	return send_request(conn->fd, HELLO_REQUEST, FLAG_NEED_REPLY, conn->token);
}

static void
start_next(void)
{
	struct vhost_conn *conn = TAILQ_FIRST(&lib.queue);
	int ret;

	if (lib.connecting != NULL || conn == NULL)
		return;
	TAILQ_REMOVE(&lib.queue, conn, link);
	ret = start_connecting(conn);
	if (ret < 0)
		fail_connecting(conn, ret);
}

static void
on_next(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	start_next();
}

struct vhost_conn *
vhost_lib_connect(const struct vhost_conn_ops *ops, void *arg, const char *name)
{
	struct vhost_conn *conn = NULL;

	ASSERT_ON(THREAD_CONTROL);
	for (uint32_t i = 0; i < SESSIONS_MAX && conn == NULL; i++)
		if (vhost_shared.conns[i].state == CONN_FREE)
			conn = &vhost_shared.conns[i];
	if (conn == NULL)
		return NULL;
	memset(conn, 0, sizeof(*conn));
	conn->state = CONN_QUEUED;
	conn->ops = ops;
	conn->arg = arg;
	snprintf(conn->name, sizeof(conn->name), "%s", name);
	conn->fd = -1;
	lib.n_conns++;
	TAILQ_INSERT_TAIL(&lib.queue, conn, link);
	event_active(lib.next, 0, 0);
	return conn;
}

void
vhost_conn_answered(const struct vhost_conn *conn)
{
	ASSERT_ON(THREAD_CONTROL);
	watched_end_of(&watched_library, __atomic_load_n(&conn->begun, __ATOMIC_ACQUIRE));
}

int
vhost_conn_fd(const struct vhost_conn *conn)
{
	return conn->fd;
}

void
vhost_conn_set_cursor(struct vhost_conn *conn, uint32_t index, uint16_t avail, uint16_t used)
{
	ASSERT_ON(THREAD_CONTROL);
	conn->cursors[index] = (struct conn_cursor){ .set = true, .avail = avail, .used = used };
}

void
vhost_conn_set_in_use(struct vhost_conn *conn, bool in_use)
{
	ASSERT_ON(THREAD_CONTROL);
	__atomic_store_n(&conn->in_use, in_use, __ATOMIC_RELEASE);
}

bool
vhost_conn_memory_gone(const struct vhost_conn *conn)
{
	ASSERT_ON(THREAD_CONTROL);
	return vring_health_defect(&conn->library_health) != VRING_SOUND;
}

void
vhost_conn_close(struct vhost_conn *conn, void (*closed)(void *arg), void *arg)
{
	bool held = forget_token(conn) || (conn->ended && !conn->cleared);

	ASSERT_ON(THREAD_CONTROL);
	if (conn->state == CONN_QUEUED)
		TAILQ_REMOVE(&lib.queue, conn, link);
	end_connecting(conn);
	conn->ops = NULL;
	conn->closed = closed;
	conn->closed_arg = arg;
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	if (!held)
		free_conn(conn);
}

uint32_t
vhost_lib_sessions(void)
{
	return lib.n_conns;
}

int
vhost_lib_start(struct event_base *base, const char *path, char *err, size_t err_size)
{
	int ret;

	ASSERT_ON(THREAD_CONTROL);
	lib.base = base;
	snprintf(lib.path, sizeof(lib.path), "%s", path);
	sem_init(&vhost_shared.parked, 0, 0);
	vhost_shared.bell_fd = bell_open();
	if (vhost_shared.bell_fd >= 0) {
		lib.bell = event_new(
				base, vhost_shared.bell_fd, EV_READ | EV_PERSIST, on_bell, NULL);
		lib.next = event_new(base, -1, 0, on_next, NULL);
		lib.fence_again = evtimer_new(base, on_fence_again, NULL);
	}
	if (lib.bell == NULL || lib.next == NULL || lib.fence_again == NULL ||
			event_add(lib.bell, NULL) < 0) {
		snprintf(err, err_size, "cannot start the vhost library: no memory or descriptors");
		return -ENOMEM;
	}
	ret = sigbus_install();
	if (ret == 0)
		ret = vhost_events_start(path);
	if (ret == 0) {
		lib.fence_fd = connect_to(path);
		ret = lib.fence_fd < 0 ? lib.fence_fd : 0;
	}
	if (ret < 0)
		snprintf(err, err_size,
				"cannot start the vhost library on %s: see the log with "
				"--log-level debug",
				path);
	return ret;
}

/*
 * Stops the library's thread in a handler of ours, after everything that it had to close and unmap. To
 * wait for a reply would not be enough: the library sends it before it is done with the message, and
 * EAL's memory must not vanish meanwhile.
 */
static int
park(void)
{
	struct vhost_conn *conn = &vhost_shared.conns[0];
	struct timespec limit;
	int fd;

	conn->token = UINT64_MAX / SESSIONS_MAX * SESSIONS_MAX;
	fd = connect_to(lib.path);
	if (fd < 0 || send_request(fd, PARK_REQUEST, FLAG_NEED_REPLY, conn->token) < 0)
		return -EIO;
	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += STOP_WAIT_MS / 1000;
	while (sem_clockwait(&vhost_shared.parked, CLOCK_MONOTONIC, &limit) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int
vhost_lib_stop(void)
{
	ASSERT_ON(THREAD_CONTROL);
	for (int ms = 0; lib.n_conns > 0 && ms < STOP_WAIT_MS; ms++)
		if (bell_await(vhost_shared.bell_fd, 1))
			vhost_lib_drain();
	event_free(lib.bell);
	event_free(lib.next);
	event_free(lib.fence_again);
	if (lib.n_conns > 0)
		return -ETIMEDOUT;
	return park();
}

const struct vhost_library vhost_library = {
	.features = vhost_lib_features,
	.protocol_features = vhost_lib_protocol_features,
	.drain = vhost_lib_drain,
	.connect = vhost_lib_connect,
	.fd = vhost_conn_fd,
	.answered = vhost_conn_answered,
	.close = vhost_conn_close,
};
