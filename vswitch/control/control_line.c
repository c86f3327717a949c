/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_line.h. */
#include "control_line.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/buffer.h>

struct control_line {
	struct control_line_owner owner;
	struct jsonrpc_batch requests;
	bool whole;	       /* all of its requests are read */
	size_t next;	       /* request to run */
	size_t size;	       /* bytes of the answers so far */
	struct rpc_rows *rows; /* the answer that is being written, or NULL */
	bool waits;	       /* for the answer of the request before `next` */
	bool runs;	       /* the request that it has not answered yet */
	bool due;	       /* that request is no notification: it has an id */
	bool failed;
	bool left;
};

static void
free_line(struct control_line *line)
{
	rpc_rows_release(line->rows);
	jsonrpc_batch_release(&line->requests);
	free(line);
}

static int
put(void *arg, const char *text, size_t len)
{
	struct control_line *line = arg;

	if (evbuffer_add(line->owner.out, text, len) != 0)
		return -ENOMEM;
	line->size += len;
	return 0;
}

/* What stands before a reply: those of a batch are elements of an array. */
static void
begin_reply(struct control_line *line)
{
	if (line->requests.is_array && put(line, line->size == 0 ? "[" : ",", 1) != 0)
		line->failed = true;
}

/* Takes the reply over. */
static void
put_reply(struct control_line *line, json_t *reply)
{
	size_t len;
	char *text = jsonrpc_dump(reply, &len);

	json_decref(reply);
	begin_reply(line);
	if (text == NULL || put(line, text, len) != 0)
		line->failed = true;
	free(text);
}

static void
on_answer(void *arg, json_t *reply, struct rpc_rows *rows)
{
	struct control_line *line = arg;

	line->waits = false;
	if (line->left) {
		json_decref(reply);
		rpc_rows_release(rows);
		free_line(line);
		return;
	}
	line->rows = rows;
	if (rows != NULL)
		begin_reply(line);
	else if (reply != NULL || line->due) /* none is for want of memory, and fails the line */
		put_reply(line, reply);
	if (!line->runs)
		line->owner.answered(line->owner.arg);
}

/* Why no more requests of the line are run, or NULL. */
static const char *
why_not(const struct control_line *line, bool stopping)
{
	if (stopping)
		return "the switch is stopping; nothing was done";
	if (line->requests.is_array && line->size > CONTROL_LINE_REPLIES_MAX)
		return "the replies of this batch have grown too long; send what is left in another";
	return NULL;
}

static void
run_request(struct control_line *line, bool stopping, bool unheard)
{
	const char *refusal = why_not(line, stopping);
	struct jsonrpc_request request;
	char err[RPC_TEXT_MAX];
	int code;

	code = jsonrpc_batch_request(&line->requests, line->next, &request, err, sizeof(err));
	if (code != 0) {
		put_reply(line, jsonrpc_error(request.id, code, err, NULL));
	} else if (unheard && rpc_only_tells(request.method)) {
		; /* and there is nobody to tell */
	} else if (refusal == NULL) {
		line->waits = true;
		line->due = request.id != NULL;
		line->runs = true;
		rpc_run(line->owner.context, line->owner.subscriber, &request, on_answer, line);
		line->runs = false;
	} else if (request.id != NULL) {
		put_reply(line, jsonrpc_error(request.id, JSONRPC_REFUSED, refusal, NULL));
	}
	jsonrpc_batch_drop(&line->requests, line->next++);
}

static void
write_rows(struct control_line *line, bool unheard)
{
	int more = unheard ? 0 : rpc_rows_write(line->rows, put, line);

	if (more > 0)
		return;
	rpc_rows_release(line->rows);
	line->rows = NULL;
	if (more < 0)
		line->failed = true;
}

/* A line that held nothing but notifications is not answered. */
static void
put_end(struct control_line *line)
{
	if (line->size == 0)
		return;
	if (line->requests.is_array && put(line, "]", 1) != 0)
		line->failed = true;
	if (put(line, "\n", 1) != 0)
		line->failed = true;
}

static enum control_step
end(struct control_line *line, bool failed)
{
	free_line(line);
	return failed ? CONTROL_LINE_FAILED : CONTROL_LINE_DONE;
}

/* Reads a request more. A line that is wrong anywhere is refused as a whole. */
static enum control_step
read_request(struct control_line *line)
{
	char err[RPC_TEXT_MAX];
	int code = jsonrpc_batch_read(&line->requests, err, sizeof(err));

	line->whole = code == 0;
	if (code >= 0)
		return CONTROL_LINE_MORE;
	return end(line,
			control_line_put(line->owner.out, jsonrpc_error(NULL, code, err, NULL)) !=
					0);
}

static bool
is_answered(const struct control_line *line)
{
	return !line->waits && line->rows == NULL &&
			line->next == jsonrpc_batch_count(&line->requests);
}

enum control_step
control_line_step(struct control_line *line, bool stopping, bool unheard)
{
	if (line->waits)
		return CONTROL_LINE_WAITS;
	if (!line->whole)
		return read_request(line);
	if (line->rows != NULL)
		write_rows(line, unheard);
	else if (!is_answered(line))
		run_request(line, stopping, unheard);
	if (line->failed)
		return end(line, true);
	if (is_answered(line)) {
		put_end(line);
		return end(line, line->failed);
	}
	return line->waits ? CONTROL_LINE_WAITS : CONTROL_LINE_MORE;
}

struct control_line *
control_line_begin(const struct control_line_owner *owner, const char *text, size_t len)
{
	struct control_line *line = calloc(1, sizeof(*line));

	if (line == NULL)
		return NULL;
	if (jsonrpc_batch_begin(&line->requests, text, len) != 0) {
		free(line);
		return NULL;
	}
	line->owner = *owner;
	return line;
}

bool
control_line_waits(const struct control_line *line)
{
	return line->waits;
}

bool
control_line_is_open(const struct control_line *line)
{
	return line->size > 0;
}

void
control_line_leave(struct control_line *line)
{
	line->left = true;
	if (!line->waits)
		free_line(line);
}

int
control_line_put(struct evbuffer *out, json_t *message)
{
	size_t len;
	char *text = jsonrpc_line(message, &len);
	int ret = -ENOMEM;

	json_decref(message);
	if (text != NULL && evbuffer_add(out, text, len) == 0)
		ret = 0;
	free(text);
	return ret;
}
