/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two halves. The library's half runs in its event thread ("vhost-events"): the callbacks and
 * message handlers that the library calls, the only callers of rte_vhost_*(vid). It decides
 * nothing and waits for nobody; it posts what it saw. The control half connects, and hands posts
 * out in the order in which they were made.
 *
 * What the library's code (22.11) says, and what follows here:
 * - All connections share one server socket. Which device id (vid) belongs to whose connection
 *   must not be guessed from the order of callbacks, so the first message on each connection is a
 *   request of our own, HELLO, with a random token. An unknown request reaches pre_msg_handle
 *   (vhost_user.c: vhost_user_msg_handler), which binds the vid to the token's slot. Without a
 *   token nothing on that connection is served.
 * - pre_msg_handle runs before the library handles a message and post_msg_handle after it
 *   succeeded, before the answer is sent; new_device and vring_state_changed(q, 1) come after the
 *   answer. So a mapping is posted before the answer can be read, readiness is not.
 * - SET_MEM_TABLE unmaps the old memory without a callback. GET_VRING_BASE calls destroy_device
 *   and then answers with the cursor that the library has; it learns ours by
 *   rte_vhost_set_vring_base() in pre_msg_handle.
 * - destroy_connection comes before the library unmaps; only an answer on another connection
 *   proves that the unmapping is over (vhost_lib_stop).
 * - rte_vhost_driver_start() does not wake the thread's poll, which lasts a second. A connection
 *   that the library makes itself does (socket.c: vhost_user_add_connection): wake_event_thread().
 */
#include "vhost_lib.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/virtio_config.h>

#include <rte_vhost.h>

#include "log.h"
#include "sigbus.h"

#define HELLO_REQUEST 0x5eed
#define SET_MEM_TABLE_REQUEST 5
#define FLAG_VERSION_1 0x1
#define FLAG_NEED_REPLY 0x8
#define STOP_WAIT_MS 1000
#define UNUSED_WAIT_MS 1000

/*
 * A message on the socket, as the library lays it out for its handlers too. (vhost_msg.h cannot be
 * had here: rte_vhost.h brings in kernel headers that use some of its names.)
 */
struct wire_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint64_t u64;
} __attribute__((packed));

#define FEATURES                                                                                   \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF |                             \
			1ULL << VIRTIO_F_ANY_LAYOUT | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |        \
			1ULL << VIRTIO_F_IN_ORDER | 1ULL << VHOST_USER_F_PROTOCOL_FEATURES)
#define PROTOCOL_FEATURES                                                                          \
	(1ULL << VHOST_USER_PROTOCOL_F_MQ | 1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK |              \
			1ULL << VHOST_USER_PROTOCOL_F_NET_MTU |                                    \
			1ULL << VHOST_USER_PROTOCOL_F_RARP | 1ULL << VHOST_USER_PROTOCOL_F_STATUS)

enum conn_state {
	CONN_FREE,
	CONN_QUEUED,	 /* waits for its turn to connect */
	CONN_CONNECTING, /* HELLO is under way */
	CONN_READY,
};

struct conn_cursor {
	bool set;
	uint16_t avail, used;
};

struct vhost_conn {
	/* Control thread. */
	enum conn_state state;
	const struct vhost_conn_ops *ops; /* NULL: closed, nobody to report to */
	void *arg;
	int fd;
	struct event *hello_event;
	TAILQ_ENTRY(vhost_conn) link; /* in lib.queue */
	/* Under lib.lock. */
	uint64_t token; /* 0: no HELLO is expected */
	bool bound;	/* the library holds a device for this slot */
	/*
	 * Written by control while no message is under way, read by the library's thread while it
	 * handles one; the sockets order the two.
	 */
	struct conn_cursor cursors[PORT_VRINGS];
	bool in_use; /* writer: control, atomically */
	/* For faults in the library's own touches of memory; see vhost_conn_memory_gone(). */
	struct vring_health library_health;
};

enum post_kind {
	POST_MEMORY,
	POST_VRING,
	POST_DEVICE,
	POST_GONE,
};

struct post {
	STAILQ_ENTRY(post) link;
	enum post_kind kind;
	struct vhost_conn *conn;
	uint32_t index;
	bool on;
	struct guest_mem mem;
};

static struct {
	struct event_base *base;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct vhost_conn conns[SESSIONS_MAX];
	uint32_t n_conns; /* not CONN_FREE */
	TAILQ_HEAD(, vhost_conn) queue;
	struct vhost_conn *connecting;
	struct event *bell;
	struct event *next; /* starts the next connection, from the loop */
	int bell_fd;
	pthread_mutex_t lock;
	STAILQ_HEAD(, post) posts; /* under lock */
	/* The library's thread. */
	struct vhost_conn *by_vid[RTE_MAX_VHOST_DEVICE];
} lib = {
	.queue = TAILQ_HEAD_INITIALIZER(lib.queue),
	.posts = STAILQ_HEAD_INITIALIZER(lib.posts),
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.bell_fd = -1,
};

uint64_t
vhost_lib_features(void)
{
	return FEATURES;
}

uint64_t
vhost_lib_protocol_features(void)
{
	return PROTOCOL_FEATURES;
}

/* ---- The library's thread ---- */

static void
put_post(const struct post *content)
{
	const uint64_t one = 1;
	struct post *post = malloc(sizeof(*post));

	if (post == NULL)
		abort(); /* a lost report would let a worker use unmapped memory */
	*post = *content;
	pthread_mutex_lock(&lib.lock);
	STAILQ_INSERT_TAIL(&lib.posts, post, link);
	pthread_mutex_unlock(&lib.lock);
	if (write(lib.bell_fd, &one, sizeof(one)) < 0)
		return; /* it rings already */
}

static struct vhost_conn *
conn_of(int vid)
{
	return lib.by_vid[vid];
}

/* The token's low bits name the slot; the rest makes it unguessable and never used twice. */
static enum rte_vhost_msg_result
bind_connection(int vid, uint64_t token)
{
	uint32_t slot = token % SESSIONS_MAX;
	enum rte_vhost_msg_result result = RTE_VHOST_MSG_RESULT_ERR;

	pthread_mutex_lock(&lib.lock);
	if (token != 0 && lib.conns[slot].token == token) {
		lib.conns[slot].bound = true;
		lib.conns[slot].token = 0;
		lib.by_vid[vid] = &lib.conns[slot];
		result = RTE_VHOST_MSG_RESULT_OK;
	}
	pthread_mutex_unlock(&lib.lock);
	return result;
}

static void
hand_over_cursors(int vid, struct vhost_conn *conn)
{
	for (uint32_t i = 0; i < PORT_VRINGS; i++) {
		struct conn_cursor *cursor = &conn->cursors[i];

		if (cursor->set)
			rte_vhost_set_vring_base(vid, i, cursor->avail, cursor->used);
		cursor->set = false;
	}
}

static enum rte_vhost_msg_result
on_message(int vid, void *context)
{
	const struct wire_message *msg = context;
	struct vhost_conn *conn = conn_of(vid);

	if (msg->request == HELLO_REQUEST)
		return bind_connection(vid, msg->u64);
	if (conn == NULL)
		return RTE_VHOST_MSG_RESULT_ERR;
	sigbus_work_for(&conn->library_health);
	hand_over_cursors(vid, conn);
	if (msg->request == SET_MEM_TABLE_REQUEST)
		put_post(&(struct post){ .kind = POST_MEMORY, .conn = conn });
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static void
post_memory(int vid, struct vhost_conn *conn)
{
	struct post post = { .kind = POST_MEMORY, .conn = conn };
	struct rte_vhost_memory *mem;

	if (rte_vhost_get_mem_table(vid, &mem) < 0)
		return;
	for (uint32_t i = 0; i < mem->nregions && i < MEMORY_REGIONS_MAX; i++) {
		post.mem.regions[i].guest_phys_addr = mem->regions[i].guest_phys_addr;
		post.mem.regions[i].size = mem->regions[i].size;
		post.mem.regions[i].user_addr = mem->regions[i].guest_user_addr;
		post.mem.regions[i].host = (uint8_t *)(uintptr_t)mem->regions[i].host_user_addr;
		post.mem.n = i + 1;
	}
	free(mem);
	put_post(&post);
}

/* Only after success: the library must not be asked for its table after a failed one. */
static enum rte_vhost_msg_result
on_message_done(int vid, void *context)
{
	const struct wire_message *msg = context;
	struct vhost_conn *conn = conn_of(vid);

	if (conn != NULL && msg->request == SET_MEM_TABLE_REQUEST)
		post_memory(vid, conn);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static int
on_new_connection(int vid)
{
	static const struct rte_vhost_user_extern_ops handlers = {
		.pre_msg_handle = on_message,
		.post_msg_handle = on_message_done,
	};

	lib.by_vid[vid] = NULL;
	return rte_vhost_extern_callback_register(vid, &handlers, NULL);
}

static int
on_new_device(int vid)
{
	struct vhost_conn *conn = conn_of(vid);

	if (conn != NULL)
		put_post(&(struct post){ .kind = POST_DEVICE, .conn = conn, .on = true });
	return 0;
}

/* After this the library unmaps, whoever asked for it; on the usual ways nothing is in use. */
static void
wait_until_unused(const struct vhost_conn *conn)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; __atomic_load_n(&conn->in_use, __ATOMIC_ACQUIRE); i++) {
		if (i == UNUSED_WAIT_MS)
			abort();
		nanosleep(&ms, NULL);
	}
}

static void
on_destroy_device(int vid)
{
	struct vhost_conn *conn = conn_of(vid);

	if (conn == NULL)
		return;
	put_post(&(struct post){ .kind = POST_DEVICE, .conn = conn, .on = false });
	wait_until_unused(conn);
}

static int
on_vring_state_changed(int vid, uint16_t index, int enable)
{
	struct vhost_conn *conn = conn_of(vid);

	if (conn != NULL && index < PORT_VRINGS)
		put_post(&(struct post){ .kind = POST_VRING,
				.conn = conn,
				.index = index,
				.on = enable != 0 });
	return 0;
}

static void
on_destroy_connection(int vid)
{
	struct vhost_conn *conn = conn_of(vid);

	sigbus_work_for(NULL);
	lib.by_vid[vid] = NULL;
	if (conn != NULL)
		put_post(&(struct post){ .kind = POST_GONE, .conn = conn });
}

/* ---- The control thread ---- */

static void start_next(void);

static void
free_conn(struct vhost_conn *conn)
{
	conn->state = CONN_FREE;
	lib.n_conns--;
}

static void
handle_post(const struct post *post)
{
	struct vhost_conn *conn = post->conn;

	if (post->kind == POST_GONE) {
		conn->bound = false;
		if (conn->ops == NULL)
			free_conn(conn);
		return;
	}
	if (conn->ops == NULL)
		return;
	if (post->kind == POST_MEMORY)
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

	for (;;) {
		pthread_mutex_lock(&lib.lock);
		post = STAILQ_FIRST(&lib.posts);
		if (post != NULL)
			STAILQ_REMOVE_HEAD(&lib.posts, link);
		pthread_mutex_unlock(&lib.lock);
		if (post == NULL)
			return;
		handle_post(post);
		free(post);
	}
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	(void)arg;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("vhost library: cannot hear its thread: %s", strerror(errno));
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

static int
send_hello(int fd, uint64_t token)
{
	const struct wire_message hello = {
		.request = HELLO_REQUEST,
		.flags = FLAG_VERSION_1 | FLAG_NEED_REPLY,
		.size = sizeof(token),
		.u64 = token,
	};

	return send(fd, &hello, sizeof(hello), MSG_NOSIGNAL) == sizeof(hello) ? 0 : -EIO;
}

/* The answer to HELLO: exactly one acknowledgement, zero for accepted. */
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

/* Ends the expectation of a HELLO. True when the library has bound the connection already. */
static bool
forget_token(struct vhost_conn *conn)
{
	bool bound;

	pthread_mutex_lock(&lib.lock);
	conn->token = 0;
	bound = conn->bound;
	pthread_mutex_unlock(&lib.lock);
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

	vhost_conn_close(conn);
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
	conn->token = random * SESSIONS_MAX + (uint64_t)(conn - lib.conns);
	conn->fd = connect_to(lib.path);
	if (conn->fd < 0)
		return conn->fd;
	conn->hello_event = event_new(lib.base, conn->fd, EV_READ, on_hello_answer, conn);
	if (conn->hello_event == NULL || event_add(conn->hello_event, &limit) < 0)
		return -ENOMEM;
	return send_hello(conn->fd, conn->token);
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
vhost_lib_connect(const struct vhost_conn_ops *ops, void *arg)
{
	struct vhost_conn *conn = NULL;

	for (uint32_t i = 0; i < SESSIONS_MAX && conn == NULL; i++)
		if (lib.conns[i].state == CONN_FREE)
			conn = &lib.conns[i];
	if (conn == NULL)
		return NULL;
	memset(conn, 0, sizeof(*conn));
	conn->state = CONN_QUEUED;
	conn->ops = ops;
	conn->arg = arg;
	conn->fd = -1;
	lib.n_conns++;
	TAILQ_INSERT_TAIL(&lib.queue, conn, link);
	event_active(lib.next, 0, 0);
	return conn;
}

int
vhost_conn_fd(const struct vhost_conn *conn)
{
	return conn->fd;
}

void
vhost_conn_set_cursor(struct vhost_conn *conn, uint32_t index, uint16_t avail, uint16_t used)
{
	conn->cursors[index] = (struct conn_cursor){ .set = true, .avail = avail, .used = used };
}

void
vhost_conn_set_in_use(struct vhost_conn *conn, bool in_use)
{
	__atomic_store_n(&conn->in_use, in_use, __ATOMIC_RELEASE);
}

bool
vhost_conn_memory_gone(const struct vhost_conn *conn)
{
	return vring_health_defect(&conn->library_health) != VRING_SOUND;
}

void
vhost_conn_close(struct vhost_conn *conn)
{
	bool bound = forget_token(conn);

	if (conn->state == CONN_QUEUED)
		TAILQ_REMOVE(&lib.queue, conn, link);
	end_connecting(conn);
	conn->ops = NULL;
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	if (!bound)
		free_conn(conn);
}

uint32_t
vhost_lib_sessions(void)
{
	return lib.n_conns;
}

/* The library's thread polls for a second at a time; a connection that it makes itself wakes it. */
static int
wake_event_thread(const char *path)
{
	static const struct rte_vhost_device_ops no_ops;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int peer, ret = -1;

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s.wake", path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0 &&
			rte_vhost_driver_register(addr.sun_path,
					RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT) == 0 &&
			rte_vhost_driver_callback_register(addr.sun_path, &no_ops) == 0)
		ret = rte_vhost_driver_start(addr.sun_path);
	/* closed before it is accepted, the library would log a reset connection as an error */
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer >= 0)
		close(peer);
	unlink(addr.sun_path);
	close(fd);
	return ret < 0 ? -EIO : 0;
}

static int
register_driver(const char *path)
{
	static const struct rte_vhost_device_ops ops = {
		.new_device = on_new_device,
		.destroy_device = on_destroy_device,
		.vring_state_changed = on_vring_state_changed,
		.new_connection = on_new_connection,
		.destroy_connection = on_destroy_connection,
	};
	uint64_t all;

	/* A session that is attached to nothing may still hold the path of a run before. */
	unlink(path);
	if (rte_vhost_driver_register(path, 0) != 0 ||
			rte_vhost_driver_get_features(path, &all) != 0)
		return -EIO;
	/* Never set_features: it switches the library's own net device model off. */
	if (rte_vhost_driver_disable_features(path, all & ~FEATURES) != 0 ||
			rte_vhost_driver_set_protocol_features(path, PROTOCOL_FEATURES) != 0 ||
			rte_vhost_driver_callback_register(path, &ops) != 0 ||
			rte_vhost_driver_start(path) != 0)
		return -EIO;
	return wake_event_thread(path);
}

int
vhost_lib_start(struct event_base *base, const char *path, char *err, size_t err_size)
{
	int ret;

	lib.base = base;
	snprintf(lib.path, sizeof(lib.path), "%s", path);
	lib.bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lib.bell_fd >= 0) {
		lib.bell = event_new(base, lib.bell_fd, EV_READ | EV_PERSIST, on_bell, NULL);
		lib.next = event_new(base, -1, 0, on_next, NULL);
	}
	if (lib.bell == NULL || lib.next == NULL || event_add(lib.bell, NULL) < 0) {
		snprintf(err, err_size, "cannot start the vhost library: no memory or descriptors");
		return -ENOMEM;
	}
	ret = sigbus_install();
	if (ret == 0)
		ret = register_driver(path);
	if (ret < 0)
		snprintf(err, err_size,
				"cannot start the vhost library on %s: see the log with "
				"--log-level debug",
				path);
	return ret;
}

/*
 * An answer on a new connection proves that all earlier closings, unmapping included, are over.
 * The connection stays open: nothing happens on it any more.
 */
static int
fence(void)
{
	struct vhost_conn *conn = &lib.conns[0];
	struct pollfd pfd = { .events = POLLIN };

	conn->token = UINT64_MAX / SESSIONS_MAX * SESSIONS_MAX;
	pfd.fd = connect_to(lib.path);
	if (pfd.fd < 0 || send_hello(pfd.fd, conn->token) < 0)
		return -EIO;
	if (poll(&pfd, 1, STOP_WAIT_MS) != 1)
		return -ETIMEDOUT;
	return read_hello_answer(pfd.fd);
}

int
vhost_lib_stop(void)
{
	struct pollfd pfd = { .fd = lib.bell_fd, .events = POLLIN };
	uint64_t count;

	for (int ms = 0; lib.n_conns > 0 && ms < STOP_WAIT_MS; ms++) {
		if (poll(&pfd, 1, 1) == 1 && read(lib.bell_fd, &count, sizeof(count)) > 0)
			vhost_lib_drain();
	}
	event_free(lib.bell);
	event_free(lib.next);
	if (lib.n_conns > 0)
		return -ETIMEDOUT;
	return fence();
}
