/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The half of vhost_lib.h that runs in the library's event thread ("vhost-events"): the callbacks
 * and message handlers that the library calls, the only callers of rte_vhost_*(vid), and its start.
 * It decides nothing and waits for nobody; it posts what it saw. The only file that includes
 * rte_vhost.h.
 *
 * What the library's code says (22.11; 24.11, 25.11 and 26.07 do the same), and what follows here:
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
 * - destroy_connection comes before the library unmaps, and an answer before it is done with the
 *   message. So at the end its thread is parked in a handler (vhost_lib_stop).
 * - It handles what its table has, agreed or not: 26.07 knows ADD_MEM_REG and REM_MEM_REG, which map
 *   and unmap, and for which we have no handlers. So the gate relays no message without a row of its own.
 * - rte_vhost_driver_start() does not wake the thread's poll, which lasts a second. A connection
 *   that the library makes itself does (socket.c: vhost_user_add_connection): wake_event_thread().
 *   Since 24.11 there is an epoll in place of it, which hears at once.
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

/* Whose device a vid is; the library's thread only. NULL before HELLO. */
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
 * A lost report would let a worker use unmapped memory. So while there is none for it, the library
 * waits, and sessions that are held up by that end in words (GATE_ANSWER_LIMIT_S).
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

/* The token's low bits name the slot; the rest makes it unguessable and never used twice. */
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

/* Where the library's thread ends: see PARK_REQUEST. It holds no lock here. */
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
 * A ring may lie on pages that nobody has touched yet. The library asks the kernel on which node they
 * are, and would find it an error that they do not exist.
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

/* A guest's memory is nobody else's to read, in a core file neither. */
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
 * Where the library finds rings it wants their pages in core files (since DPDK 23.03), which would
 * also cut the region's mapping into three.
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

/* Only after success: the library must not be asked for its table after a failed one. */
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

	unlink(path); /* of a run before that died */
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
