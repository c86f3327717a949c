/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The DPDK vhost library behind a private socket: connections to it, its reports, its memory map.
 *
 * The control thread calls it (vhost_lib.c). The other half (vhost_events.c) runs in the library's
 * event thread and posts plain structs to the control thread, where vhost_lib_drain() hands them out.
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

/* Reports on one connection; control thread, from vhost_lib_drain() or the event loop. */
struct vhost_conn_ops {
	/* 0: the connection may be used. Negative errno: it failed, and conn is already freed. */
	void (*connected)(void *arg, int result);
	/* The library mapped the frontend's memory; NULL: it unmapped it. `mem` is valid in the call. */
	void (*memory)(void *arg, const struct guest_mem *mem);
	/* The library started or stopped a ring, or the device as a whole. */
	void (*vring_state)(void *arg, uint32_t index, bool on);
	void (*device_state)(void *arg, bool running);
};

/*
 * Registers the private server socket `path` (in a directory of mode 0700) and starts the
 * library's event thread. Reports reach `base`'s loop. 0, or -errno with a message in `err`.
 */
int vhost_lib_start(struct event_base *base, const char *path, char *err, size_t err_size);

/* The virtio feature bits that frontends are offered, and the protocol feature bits. */
uint64_t vhost_lib_features(void);
uint64_t vhost_lib_protocol_features(void);

/*
 * Asks for a connection; `ops->connected` tells the result later, never within this call.
 * Connections are made one at a time, in the order of the calls. NULL when SESSIONS_MAX are in use.
 */
struct vhost_conn *vhost_lib_connect(const struct vhost_conn_ops *ops, void *arg, const char *name);

/* To be called when the library has replied on the connection: the watchdog then knows. */
void vhost_conn_answered(const struct vhost_conn *conn);

/* The socket to the library: non-blocking, for the gate to relay on. Valid after connected(0). */
int vhost_conn_fd(const struct vhost_conn *conn);

/* Cursors of a quiet ring; the library gets them before it handles the next message. */
void vhost_conn_set_cursor(struct vhost_conn *conn, uint32_t index, uint16_t avail, uint16_t used);

/*
 * Workers use the rings and the memory of this connection from now on, or no longer. Call it with
 * `false` after device_state(false): when the library ends a device by itself, its thread waits for
 * that up to a second, and then ends the process rather than unmap memory that is in use.
 */
void vhost_conn_set_in_use(struct vhost_conn *conn, bool in_use);

/*
 * True when the library itself got SIGBUS in the frontend's memory, because the file behind it
 * shrank. The bell of control_bell.h was rung then.
 */
bool vhost_conn_memory_gone(const struct vhost_conn *conn);

/*
 * Ends the connection; no report comes any more. The caller has made sure that no worker uses its
 * rings or memory. The library unmaps and closes later. When it has done so, `closed(arg)` is called
 * (unless NULL), from vhost_lib_drain(), the event loop or within this call. A descriptor that the
 * caller keeps open until then is never closed last by the library. vhost_lib_sessions() counts the
 * connection until then.
 */
void vhost_conn_close(struct vhost_conn *conn, void (*closed)(void *arg), void *arg);

/* Hands out what the library's thread has posted so far. The gate calls it before it takes a reply. */
void vhost_lib_drain(void);

/* Sessions that the library still has, including those that it is closing. */
uint32_t vhost_lib_sessions(void);

/*
 * Stops the library. Waits up to a second until vhost_lib_sessions() is 0. 0; -ETIMEDOUT when
 * sessions are still there; -errno when the library's thread could not be stopped.
 */
int vhost_lib_stop(void);

/*
 * What the gate needs of the library, as a table, because the gate's unit tests replace the library
 * by a table of their own.
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
