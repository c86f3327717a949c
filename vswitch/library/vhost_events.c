/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The half of vhost_lib.h that runs in the library's event thread ("vhost-events"): the callbacks
 * and message handlers that the library calls, the only callers of rte_vhost_*(vid), and the
 * library's start. It decides nothing; it posts to the control thread what it saw. The only file that
 * includes rte_vhost.h.
 *
 * How the library behaves (22.11; 24.11, 25.11 and 26.07 do the same), and what follows here:
 * - All connections share one server socket. The order of callbacks does not safely tell which device
 *   id (vid) belongs to which connection. So the first message on each connection is a request of our
 *   own, HELLO, with a random token. An unknown request reaches pre_msg_handle (vhost_user.c:
 *   vhost_user_msg_handler), which binds the vid to the token's slot. Without a token nothing on
 *   that connection is served.
 * - pre_msg_handle runs before the library handles a message, post_msg_handle after it succeeded and
 *   before the reply is sent. new_device and vring_state_changed(q, 1) come after the reply. So a
 *   mapping is posted before the gate can read the reply; readiness is posted later.
 * - SET_MEM_TABLE unmaps the old memory without a callback. GET_VRING_BASE calls destroy_device
 *   and then replies with the cursor that the library has. It gets our cursor by
 *   rte_vhost_set_vring_base() in pre_msg_handle.
 * - destroy_connection comes before the library unmaps, and a reply comes before the library is done
 *   with the message. So at the end its thread is parked in a handler (vhost_lib_stop).
 * - The library handles every request in its table, negotiated or not. 26.07 has ADD_MEM_REG and
 *   REM_MEM_REG, which map and unmap without a handler here. So the gate relays only requests that
 *   its own table marks as relayed.
 * - rte_vhost_driver_start() does not wake the thread's poll, which lasts a second. A connection
 *   that the library makes itself wakes it (socket.c: vhost_user_add_connection), see
 *   wake_event_thread(). Since 24.11 the library uses epoll, which notices at once.
 */
#include "vhost_lib_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_vhost.h>

#include "base/bell.h"
#include "base/thread_role.h"
#include "base/virtio_bits.h"
#include "rings/sigbus.h"

#define SET_MEM_TABLE_REQUEST 5
#define SET_VRING_ADDR_REQUEST 9
#define SET_VRING_KICK_REQUEST 12
#define UNUSED_WAIT_MS 1000

#define FEATURES                                                                                   \
	(1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_NET_F_MRG_RXBUF |                             \
			1ULL << VIRTIO_F_ANY_LAYOUT | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |        \
			1ULL << VIRTIO_F_IN_ORDER | 1ULL << VHOST_USER_F_PROTOCOL_FEATURES |       \
			1ULL << VIRTIO_NET_F_MTU | 1ULL << VIRTIO_NET_F_GUEST_ANNOUNCE |           \
			VIRTIO_NET_F_OFFLOADS)
#define PROTOCOL_FEATURES                                                                          \
	(1ULL << VHOST_USER_PROTOCOL_F_MQ | 1ULL << VHOST_USER_PROTOCOL_F_REPLY_ACK |              \
			1ULL << VHOST_USER_PROTOCOL_F_NET_MTU |                                    \
			1ULL << VHOST_USER_PROTOCOL_F_RARP | 1ULL << VHOST_USER_PROTOCOL_F_STATUS)

struct vhost_shared vhost_shared = {
	.lock = MUTEX_INIT,
	.posts = STAILQ_HEAD_INITIALIZER(vhost_shared.posts),
	.bell_fd = -1,
};

/* The connection of each vid; NULL before HELLO. The library's thread only. */
static struct vhost_conn *by_vid[RTE_MAX_VHOST_DEVICE];

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

/*
 * Waits until there is memory for a report, because a lost report would let a worker use unmapped
 * memory. A session that this delays too long ends with a fault (GATE_ANSWER_LIMIT_S).
 */
static struct post *
new_post(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct post *post;

	while ((post = malloc(sizeof(*post))) == NULL)
		nanosleep(&ms, NULL);
	return post;
}

static void
put_post(const struct post *content)
{
	struct post *post = new_post();

	*post = *content;
	mutex_lock(&vhost_shared.lock);
	STAILQ_INSERT_TAIL(&vhost_shared.posts, post, link);
	mutex_unlock(&vhost_shared.lock);
	bell_ring(vhost_shared.bell_fd);
}

/* The token modulo SESSIONS_MAX is the slot; the random rest makes it unguessable. It is valid once. */
static enum rte_vhost_msg_result
bind_connection(int vid, uint64_t token)
{
	uint32_t slot = token % SESSIONS_MAX;
	enum rte_vhost_msg_result result = RTE_VHOST_MSG_RESULT_ERR;

	mutex_lock(&vhost_shared.lock);
	if (token != 0 && vhost_shared.conns[slot].token == token) {
		vhost_shared.conns[slot].bound = true;
		vhost_shared.conns[slot].token = 0;
		by_vid[vid] = &vhost_shared.conns[slot];
		result = RTE_VHOST_MSG_RESULT_OK;
	}
	mutex_unlock(&vhost_shared.lock);
	return result;
}

/* The library's thread stays here for ever: see PARK_REQUEST. It holds no lock. */
static void
park(void)
{
	sem_post(&vhost_shared.parked);
	for (;;)
		pause();
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

/*
 * Makes the first page of each area exist: the library asks the kernel on which NUMA node it is, and
 * fails for a page that nobody has touched yet.
 */
static void
touch_areas(const struct vhost_conn *conn, const struct wire_addr *addr)
{
	const uint64_t areas[] = { addr->desc, addr->used, addr->avail };

	for (uint32_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		const uint8_t *host = guest_mem_from_user(&conn->mem, areas[i], 1);

		if (host != NULL)
			(void)__atomic_load_n(host, __ATOMIC_RELAXED);
	}
}

static enum rte_vhost_msg_result
on_message(int vid, void *context)
{
	const struct wire_message *msg = context;
	struct vhost_conn *conn = by_vid[vid];

	THREAD_IS(THREAD_LIBRARY);
	if (msg->request == HELLO_REQUEST)
		return bind_connection(vid, msg->u64);
	if (msg->request == FENCE_REQUEST) {
		put_post(&(struct post){ .kind = POST_FENCE });
		return RTE_VHOST_MSG_RESULT_OK;
	}
	if (msg->request == PARK_REQUEST &&
			bind_connection(vid, msg->u64) == RTE_VHOST_MSG_RESULT_OK)
		park();
	if (conn == NULL)
		return RTE_VHOST_MSG_RESULT_ERR;
	watched_begin(&watched_library, "handling a message of the frontend of port", conn->name);
	__atomic_store_n(&conn->begun, watched_library.since, __ATOMIC_RELEASE);
	sigbus_work_for(&conn->library_health);
	hand_over_cursors(vid, conn);
	if (msg->request == SET_MEM_TABLE_REQUEST) {
		conn->mem.n = 0;
		put_post(&(struct post){ .kind = POST_MEMORY, .conn = conn });
	}
	if (msg->request == SET_VRING_ADDR_REQUEST)
		touch_areas(conn, context);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* A core file of the switch must not contain the memory of guests. */
static void
leave_out_of_core_files(const struct rte_vhost_memory *mem)
{
	for (uint32_t i = 0; i < mem->nregions; i++)
		madvise(mem->regions[i].mmap_addr, mem->regions[i].mmap_size, MADV_DONTDUMP);
}

static void
post_memory(int vid, struct vhost_conn *conn)
{
	struct post post = { .kind = POST_MEMORY, .conn = conn };
	struct rte_vhost_memory *mem;

	if (rte_vhost_get_mem_table(vid, &mem) < 0)
		return;
	leave_out_of_core_files(mem);
	for (uint32_t i = 0; i < mem->nregions && i < MEMORY_REGIONS_MAX; i++) {
		post.mem.regions[i].guest_phys_addr = mem->regions[i].guest_phys_addr;
		post.mem.regions[i].size = mem->regions[i].size;
		post.mem.regions[i].user_addr = mem->regions[i].guest_user_addr;
		post.mem.regions[i].host = (uint8_t *)(uintptr_t)mem->regions[i].host_user_addr;
		post.mem.n = i + 1;
	}
	free(mem);
	conn->mem = post.mem;
	put_post(&post);
}

/*
 * Since DPDK 23.03 the library marks the pages of rings for core files, which also splits the
 * region's mapping into three. This undoes it.
 */
static void
leave_rings_out(int vid, const struct vhost_conn *conn)
{
	struct rte_vhost_memory *mem;

	/* Without a table of its own the library would read at NULL. */
	if (conn->mem.n == 0 || rte_vhost_get_mem_table(vid, &mem) < 0)
		return;
	leave_out_of_core_files(mem);
	free(mem);
}

/* The library calls this only after success: after a failure it must not be asked for its memory table. */
static enum rte_vhost_msg_result
on_message_done(int vid, void *context)
{
	const struct wire_message *msg = context;
	struct vhost_conn *conn = by_vid[vid];

	if (conn == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (msg->request == SET_MEM_TABLE_REQUEST)
		post_memory(vid, conn);
	else if (msg->request == SET_VRING_ADDR_REQUEST || msg->request == SET_VRING_KICK_REQUEST)
		leave_rings_out(vid, conn);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static int
on_new_connection(int vid)
{
	static const struct rte_vhost_user_extern_ops handlers = {
		.pre_msg_handle = on_message,
		.post_msg_handle = on_message_done,
	};

	THREAD_IS(THREAD_LIBRARY);
	by_vid[vid] = NULL;
	return rte_vhost_extern_callback_register(vid, &handlers, NULL);
}

static int
on_new_device(int vid)
{
	struct vhost_conn *conn = by_vid[vid];

	ASSERT_ON(THREAD_LIBRARY);
	if (conn != NULL)
		put_post(&(struct post){ .kind = POST_DEVICE, .conn = conn, .on = true });
	return 0;
}

/*
 * The library unmaps after this. Usually nothing is in use any more; it is where the library ends a
 * device by itself. Ends the process rather than let workers use unmapped memory.
 */
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
	struct vhost_conn *conn = by_vid[vid];

	ASSERT_ON(THREAD_LIBRARY);
	if (conn == NULL)
		return;
	put_post(&(struct post){ .kind = POST_DEVICE, .conn = conn, .on = false });
	wait_until_unused(conn);
}

static int
on_vring_state_changed(int vid, uint16_t index, int enable)
{
	struct vhost_conn *conn = by_vid[vid];

	ASSERT_ON(THREAD_LIBRARY);
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
	struct vhost_conn *conn = by_vid[vid];

	ASSERT_ON(THREAD_LIBRARY);
	sigbus_work_for(NULL);
	by_vid[vid] = NULL;
	if (conn != NULL)
		put_post(&(struct post){ .kind = POST_GONE, .conn = conn });
}

/* Makes the library connect to a socket of ours, because that wakes its thread's poll. */
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
	/* accepted first, because the library logs a reset connection as an error */
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer >= 0)
		close(peer);
	unlink(addr.sun_path);
	close(fd);
	return ret < 0 ? -EIO : 0;
}

int
vhost_events_start(const char *path)
{
	static const struct rte_vhost_device_ops ops = {
		.new_device = on_new_device,
		.destroy_device = on_destroy_device,
		.vring_state_changed = on_vring_state_changed,
		.new_connection = on_new_connection,
		.destroy_connection = on_destroy_connection,
	};
	uint64_t all;

	unlink(path); /* a run that died may have left it */
	if (rte_vhost_driver_register(path, 0) != 0 ||
			rte_vhost_driver_get_features(path, &all) != 0)
		return -EIO;
	/* not rte_vhost_driver_set_features(): it switches the library's own net device model off */
	if (rte_vhost_driver_disable_features(path, all & ~FEATURES) != 0 ||
			rte_vhost_driver_set_protocol_features(path, PROTOCOL_FEATURES) != 0 ||
			rte_vhost_driver_callback_register(path, &ops) != 0 ||
			rte_vhost_driver_start(path) != 0)
		return -EIO;
	return wake_event_thread(path);
}
