/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection to the control socket: lines in, replies and events out, both bounded. Control
 * thread; made and listed by control.c.
 */
#ifndef VSWITCH_CONTROL_CLIENT_H
#define VSWITCH_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lineframe.h"
#include "rpc.h"

/* What a client may leave unread; the longest reply (a full forwarding table) is half of it. */
#define CONTROL_CLIENT_OUTPUT_MAX (16u << 20)

/* The replies of one batch together; what would pass it is refused. */
#define CONTROL_CLIENT_BATCH_MAX (CONTROL_CLIENT_OUTPUT_MAX / 2)

struct control_batch;
struct daemon;
struct evbuffer;
struct event;

struct control_client {
	LIST_ENTRY(control_client) next; /* control.c's */
	struct daemon *daemon;
	int fd;
	pid_t pid; /* of the peer, for the log */
	struct event *readable;
	struct event *writable; /* pending while something waits in `out` */
	struct event *later; /* goes on, or frees the client, when nobody is inside it any more */
	struct lineframe in;
	struct evbuffer *out;
	struct control_batch *batch; /* the line that is not answered in full; NULL: none */
	struct rpc_subscriber subscriber;
	bool at_end; /* reads no more: closes when all is answered and sent */
	bool dead;   /* closed already, to be freed */
	bool runs;   /* inside run(), which goes on by itself */
	void (*gone)(struct control_client *client);
};

/*
 * Serves the connection `fd`, which is taken over. `gone` is called once, from the event loop,
 * before the client is freed. NULL: no memory, and fd is closed.
 */
struct control_client *
control_client_open(struct daemon *daemon, int fd, void (*gone)(struct control_client *client));

/* Sends a line, which is copied. A client that has too much unread is cut off. */
void control_client_send(struct control_client *client, const char *line, size_t len);

/* Reads no more requests; the connection ends when what is due was answered and sent. */
void control_client_finish(struct control_client *client);

/* Closes and frees at once, without `gone`. Not from inside a call that the client made. */
void control_client_free(struct control_client *client);

#endif
