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

/* The last message that the library gets, also with a token: its thread never returns from it. */
#define PARK_REQUEST 0x5eee

/* On a connection of its own: makes the library's thread post POST_FENCE, and does nothing else. */
#define FENCE_REQUEST 0x5eef

#define FLAG_VERSION_1 0x1
#define FLAG_NEED_REPLY 0x8

/*
 * A message as it is on the socket, and as the library passes it to handlers. (vhost_msg.h cannot be
 * included here, because rte_vhost.h includes kernel headers that use some of its names.)
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
	const struct vhost_conn_ops *ops; /* NULL: closed, no reports any more */
	void *arg;
	int fd;
	struct event *hello_event;
	TAILQ_ENTRY(vhost_conn) link; /* in lib.queue or lib.ended */
	bool ended;		      /* the library has begun to unmap and close ... */
	bool cleared;		      /* ... and is done with that */
	bool fenced;		      /* ended before the fence that is under way was sent */
	void (*closed)(void *arg);    /* see vhost_conn_close(); or NULL */
	void *closed_arg;
	/* Under vhost_shared.lock. */
	uint64_t token; /* 0: no HELLO is expected */
	bool bound;	/* the library holds a device for this slot */
	/*
	 * The control thread writes them while no message is under way. The library's thread reads them
	 * while it handles a message. The sockets order the two.
	 */
	struct conn_cursor cursors[PORT_VRINGS];
	bool in_use;	/* writer: control, atomically */
	char name[64];	/* the port's, for the watchdog; constant while the slot is in use */
	uint64_t begun; /* writer: the library's thread; `since` (watched.h) of its last message */
	/* For faults in the library's own touches of memory; see vhost_conn_memory_gone(). */
	struct vring_health library_health;
	/* The library's thread. */
	struct guest_mem mem; /* as the library mapped it */
};

enum post_kind {
	POST_MEMORY,
	POST_VRING,
	POST_DEVICE,
	POST_GONE,
	POST_FENCE, /* of no connection: the library is done with all that it reported before */
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
	sem_t parked;		   /* posted when the library's thread is parked for good */
};

extern struct vhost_shared vhost_shared; /* vhost_events.c */

/*
 * Registers the server socket `path` with the library and starts its event thread, which wakes up
 * at once for the first connection. 0 or -errno.
 */
int vhost_events_start(const char *path);

#endif
