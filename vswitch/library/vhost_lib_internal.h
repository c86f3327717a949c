/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two halves of the vhost library's adapter share; private to vhost_lib.c (the control
 * thread's half) and vhost_events.c (the half in the library's own thread).
 */
#ifndef VSWITCH_VHOST_LIB_INTERNAL_H
#define VSWITCH_VHOST_LIB_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <sys/queue.h>

#include "vhost_lib.h"
#include "base/mutex.h"
#include "rings/vring.h"
#include "base/watched.h"

/* The first message on each connection to the library: a request of our own, with a token. */
#define HELLO_REQUEST 0x5eed

/* The last message that the library gets, with a token as well: its thread stays in it for ever. */
#define PARK_REQUEST 0x5eee

/* Nothing but a sign of life, on a connection of its own: the library's thread posts POST_FENCE. */
#define FENCE_REQUEST 0x5eef

#define FLAG_VERSION_1 0x1
#define FLAG_NEED_REPLY 0x8

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

/* SET_VRING_ADDR: addresses in the frontend's own space. */
struct wire_addr {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint32_t index;
	uint32_t vring_flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
} __attribute__((packed));

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
	TAILQ_ENTRY(vhost_conn) link; /* of those that wait to connect, or that ended */
	bool ended;		      /* the library has begun to clear up after it ... */
	bool cleared;		      /* ... and is done with that */
	bool fenced;		      /* ended before the fence that is under way was sent */
	void (*closed)(void *arg);    /* see vhost_conn_close(); NULL: nobody asks */
	void *closed_arg;
	/* Under vhost_shared.lock. */
	uint64_t token; /* 0: no HELLO is expected */
	bool bound;	/* the library holds a device for this slot */
	/*
	 * Written by control while no message is under way, read by the library's thread while it
	 * handles one; the sockets order the two.
	 */
	struct conn_cursor cursors[PORT_VRINGS];
	bool in_use;   /* writer: control, atomically */
	char name[64]; /* whose it is, for the watchdog; constant while it is in use */
	uint64_t begun; /* writer: the library's thread; when it began with a message, as in watched.h */
	/* For faults in the library's own touches of memory; see vhost_conn_memory_gone(). */
	struct vring_health library_health;
	/* The library's thread. */
	struct guest_mem mem; /* as mapped */
};

enum post_kind {
	POST_MEMORY,
	POST_VRING,
	POST_DEVICE,
	POST_GONE,
	POST_FENCE, /* of no connection: whatever was posted before is over and done with */
};

struct post {
	STAILQ_ENTRY(post) link;
	enum post_kind kind;
	struct vhost_conn *conn;
	uint32_t index;
	bool on;
	struct guest_mem mem;
};

/* The library's thread writes posts, the control thread takes them. */
struct vhost_shared {
	struct vhost_conn conns[SESSIONS_MAX];
	struct mutex lock;
	STAILQ_HEAD(, post) posts; /* under lock */
	int bell_fd;		   /* rung after each post */
	sem_t parked;		   /* posted when the library's thread will touch nothing more */
};

extern struct vhost_shared vhost_shared; /* vhost_events.c */

/*
 * Registers the server socket `path` with the library and starts its event thread, which wakes up
 * at once for the first connection. 0 or -errno.
 */
int vhost_events_start(const char *path);

#endif
