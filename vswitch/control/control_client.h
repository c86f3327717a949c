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
#include <sys/types.h>

#include "control_turns.h"
#include "jsonrpc/lineframe.h"
#include "rpc.h"

/* For what clients make the switch say. */
extern struct log_bucket control_log;

/* What of its events a client may leave unread. */
#define CONTROL_CLIENT_OUTPUT_MAX (4u << 20)

/* With so much of its answers unread, a client gets no more until it has read. */
#define CONTROL_CLIENT_AHEAD 65536

/* Of what the kernel keeps for a client: the less, the sooner is seen that it does not read. */
#define CONTROL_CLIENT_KERNEL_MAX 32768

/*
 * So long a client that has just connected keeps its place without an answer, and one that was
 * answered without reading: longer than it needs for that, and than the loop needs to hear it, on a
 * machine under load.
 */
#define CONTROL_CLIENT_PATIENCE_NS 250000000u

struct control_context;
struct control_line;
struct evbuffer;
struct event;
struct log_bucket;

struct control_client {
	LIST_ENTRY(control_client) next; /* control.c's */
	const struct control_context *context;
	int fd;
	pid_t pid; /* of the peer, for the log */
	struct event *readable;
	struct event *writable; /* pending while something waits in `out` */
	struct event *later;	/* frees the client when nobody is inside it any more */
	struct control_turn turn;
	struct lineframe in;
	struct evbuffer *out;
	struct evbuffer *held;	   /* events that wait for the end of the line in `out` */
	struct control_line *line; /* the line that is not answered in full; NULL: none */
	struct rpc_subscriber subscriber;
	uint64_t opened_ns; /* CLOCK_MONOTONIC, as the next */
	uint64_t heard_ns; /* when it last sent a byte, or took one of several that waited for it */
	int queued;	   /* not 0: what was sent it had not read in full when we last looked */
	bool answered;	   /* a line of it, in full */
	bool at_end;	   /* reads no more: closes when all is answered and sent */
	bool lost;	   /* it reads no more: what it has asked for is done without an answer */
	bool dead;	   /* closed already, to be freed */
	bool in_turn;
	void (*gone)(struct control_client *client);
};

/*
 * Serves the connection `fd` of the process `pid`, which is taken over. `gone` is called once, from the event loop,
 * before the client is freed. NULL: no memory, and fd is closed.
 */
struct control_client *control_client_open(const struct control_context *context, int fd, pid_t pid,
		void (*gone)(struct control_client *client));

/* Sends an event, which is copied. A client that has too much unread is cut off. */
void control_client_send(struct control_client *client, const char *line, size_t len);

/* Reads no more requests; the connection ends when what is due was answered and sent. */
void control_client_finish(struct control_client *client);

/*
 * True when there is something to read of the client, of which the event loop has not told yet: it
 * is busy from now on.
 */
bool control_client_notice(struct control_client *client);

/*
 * True when the other end was closed and nothing is left to do for it: the connection ends now. What was
 * asked for and is left is done without an answer.
 */
bool control_client_end_if_left(struct control_client *client);

/* Finds out how much the client has read, for control_room.c. */
void control_client_look(struct control_client *client);

/* Says why, where that can be said, and closes. `gone` is called as ever. */
void control_client_dismiss(struct control_client *client, const char *why);

/* Closes and frees at once, without `gone`. Not from inside a call that the client made. */
void control_client_free(struct control_client *client);

#endif
