/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line of requests: they run one after the other, and their answers become one line of text,
 * step by step, so that neither a large batch nor a long answer holds up the control thread.
 * Control thread; made by control_client.c.
 *
 * A request may be answered long after it was run, and whoever sent it may be gone by then: the
 * line that is left takes the answer, drops it, and frees itself.
 */
#ifndef VSWITCH_CONTROL_LINE_H
#define VSWITCH_CONTROL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "rpc.h"

/* When the replies of a batch have passed this, what is left of it is refused. */
#define CONTROL_LINE_REPLIES_MAX (8u << 20)

struct control_line;
struct control_context;
struct evbuffer;

/* Whose line it is; all of it outlives the line, or control_line_leave() is called. */
struct control_line_owner {
	const struct control_context *context;
	struct rpc_subscriber *subscriber;
	struct evbuffer *out; /* where the answers go */
	/* A step is possible again, after CONTROL_LINE_WAITS: from inside whatever has answered. */
	void (*answered)(void *arg);
	void *arg;
};

enum control_step {
	CONTROL_LINE_MORE,
	CONTROL_LINE_WAITS,  /* for an answer */
	CONTROL_LINE_DONE,   /* all is answered; the line is freed */
	CONTROL_LINE_FAILED, /* memory ran out, and what is in `out` has no end; the line is freed */
};

/* A line of JSON, which is borrowed until control_line_step() has run a request. NULL: no memory. */
struct control_line *
control_line_begin(const struct control_line_owner *owner, const char *text, size_t len);

/*
 * Reads one request of the line, or runs one, or writes a piece of an answer. With `stopping`,
 * requests are refused instead of run. `unheard`: nobody reads the answers any more, so that requests which
 * only tell something are left out.
 */
enum control_step control_line_step(struct control_line *line, bool stopping, bool unheard);

bool control_line_waits(const struct control_line *line);

/* Something of its answer is in `out`, and not its end. */
bool control_line_is_open(const struct control_line *line);

/* The owner goes. */
void control_line_leave(struct control_line *line);

/* Writes a reply or an event, which is taken over, as a line. 0 or -ENOMEM. */
int control_line_put(struct evbuffer *out, json_t *message);

#endif
