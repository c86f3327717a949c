/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DPDK vhost library behind a private socket: connections to it, its reports, its memory map.
 *
 * Called by the control thread (vhost_lib.c). The other half (vhost_events.c) runs in the library's
 * event thread and posts plain structs to the control thread, which hands them out from
 * vhost_lib_drain().
 */
#ifndef VSWITCH_VHOST_LIB_H
#define VSWITCH_VHOST_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rings/guest_mem.h"
#include "base/switch_limits.h"

struct event_base;
struct vhost_conn;

/* Reports of one connection; control thread, from vhost_lib_drain() or the event loop. */
struct vhost_conn_ops {
	/* The connection is bound and may be used, or failed (negative errno; conn is gone then). */
	void (*connected)(void *arg, int result);
	/* The library (un)mapped the frontend's memory; NULL: nothing is mapped. Valid in the call. */
	void (*memory)(void *arg, const struct guest_mem *mem);
	/* The library started or stopped a ring, or the device as a whole. */
	void (*vring_state)(void *arg, uint32_t index, bool on);
	void (*device_state)(void *arg, bool running);
};

/*
 * Registers the private server socket `path` (in a directory of mode 0700) and starts the
 * library's event thread. Reports reach `base`'s loop. 0, or -errno with words in `err`.
 */
int vhost_lib_start(struct event_base *base, const char *path, char *err, size_t err_size);

/* The virtio feature bits that frontends are offered, and the protocol feature bits. */
uint64_t vhost_lib_features(void);
uint64_t vhost_lib_protocol_features(void);

/*
 * Asks for a connection; `ops->connected` answers later, never from inside this call. Connections
 * are made one at a time in the order asked. NULL when SESSIONS_MAX are in use or no memory.
 */
struct vhost_conn *vhost_lib_connect(const struct vhost_conn_ops *ops, void *arg, const char *name);

/* The library has answered what was sent last on the connection. */
void vhost_conn_answered(const struct vhost_conn *conn);

/* The socket to the library: non-blocking, for the gate to relay on. Valid after connected(0). */
int vhost_conn_fd(const struct vhost_conn *conn);

/* Cursors of a quiet ring, which the library is told before it handles the next message. */
void vhost_conn_set_cursor(struct vhost_conn *conn, uint32_t index, uint16_t avail, uint16_t used);

/*
 * Workers use the rings and the memory of this connection from now on, or no longer. While they
 * do, the library's thread does not get past a device that it ends by itself: it waits up to a
 * second for `false`, which must follow device_state(false), and then ends the process rather than
 * unmap what is in use.
 */
void vhost_conn_set_in_use(struct vhost_conn *conn, bool in_use);

/*
 * True when the library itself met SIGBUS in the frontend's memory: the file behind it shrank.
 * control_bell.h's bell was rung then.
 */
bool vhost_conn_memory_gone(const struct vhost_conn *conn);

/*
 * Ends the connection; no report comes any more. The caller has made sure that no worker uses its
 * rings or memory. The library unmaps and closes in its own time; when it has done so `closed(arg)`
 * is called (not NULL), from vhost_lib_drain(), the event loop or within this call: descriptors of
 * which the library had copies, and that are open until then, were never closed last by it.
 * vhost_lib_sessions() counts until then.
 */
void vhost_conn_close(struct vhost_conn *conn, void (*closed)(void *arg), void *arg);

/* Hands out what the library's thread has posted so far. The gate calls it before each reply. */
void vhost_lib_drain(void);

/* Sessions that the library still holds, closing ones included. */
uint32_t vhost_lib_sessions(void);

/*
 * Ends the library's part when no session is left: `vhost_lib_sessions()` must be 0, or it waits
 * for at most a second. Returns -ETIMEDOUT when sessions are still there.
 */
int vhost_lib_stop(void);

/*
 * What the gate needs of the library, as a table: the gate's unit tests stand in for the library with
 * another one.
 */
struct vhost_library {
	uint64_t (*features)(void);
	uint64_t (*protocol_features)(void);
	void (*drain)(void);
	struct vhost_conn *(*connect)(
			const struct vhost_conn_ops *ops, void *arg, const char *name);
	int (*fd)(const struct vhost_conn *conn);
	void (*answered)(const struct vhost_conn *conn);
	void (*close)(struct vhost_conn *conn, void (*closed)(void *arg), void *arg);
};

extern const struct vhost_library vhost_library;

#endif
