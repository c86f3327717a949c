/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See control_client.h.
 *
 * The requests of a client are done one after the other, in the order in which they were sent, so
 * that a port can be deleted and added again without waiting in between. A request may be answered
 * long after it was read, and the client may be gone by then: its control_batch then has no client
 * any more, takes the answer, and drops it. And while a request runs, what it does (an event for
 * all, say) may cut off the very client that sent it: a client that ends is closed at once, but
 * freed from the event loop.
 */
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "daemon.h"
#include "log.h"

/*
 * Bytes that are read in one turn of the loop, so that no client keeps it from others for long:
 * a few hundred requests at most.
 */
#define READ_SIZE 16384

/* The requests of one line, run one after the other. */
struct control_batch {
	struct control_client *client; /* NULL: gone */
	struct jsonrpc_batch requests;
	size_t next;	   /* request to run */
	size_t reply_size; /* bytes of its replies so far, when they go out as one */
	bool waits;	   /* for the answer of the one before `next` */
};

static void
free_batch(struct control_batch *batch)
{
	jsonrpc_batch_release(&batch->requests);
	free(batch);
}

/* A request under way answers to its batch in any case: the answer frees it then. */
static void
leave_batch(struct control_client *client)
{
	struct control_batch *batch = client->batch;

	client->batch = NULL;
	if (batch == NULL)
		return;
	batch->client = NULL;
	if (!batch->waits)
		free_batch(batch);
}

/* Ends the connection, from wherever. */
static void
cut(struct control_client *client)
{
	if (client->dead)
		return;
	client->dead = true;
	client->subscriber.events = 0;
	leave_batch(client);
	event_del(client->readable);
	event_del(client->writable);
	close(client->fd);
	client->fd = -1;
	event_active(client->later, 0, 0);
}

static bool
is_finished(const struct control_client *client)
{
	return client->at_end && client->batch == NULL && evbuffer_get_length(client->out) == 0;
}

/* Writes what the socket takes, and waits for room for the rest. */
static void
flush(struct control_client *client)
{
	if (evbuffer_get_length(client->out) > 0 && evbuffer_write(client->out, client->fd) < 0 &&
			errno != EAGAIN && errno != EINTR) {
		cut(client);
		return;
	}
	if (evbuffer_get_length(client->out) > CONTROL_CLIENT_OUTPUT_MAX) {
		log_warning("control client (pid %d): cut off, for it leaves more than %u MiB unread",
				client->pid, CONTROL_CLIENT_OUTPUT_MAX >> 20);
		cut(client);
	} else if (is_finished(client)) {
		cut(client);
	} else if (evbuffer_get_length(client->out) > 0) {
		event_add(client->writable, NULL);
	} else {
		event_del(client->writable);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

void
control_client_send(struct control_client *client, const char *line, size_t len)
{
	if (client->dead)
		return;
	if (evbuffer_add(client->out, line, len) == 0)
		flush(client);
	else
		cut(client);
}

/* Sends a message, which is taken over; NULL stands for "no memory to make it". */
static void
send_message(struct control_client *client, json_t *message)
{
	size_t len;
	char *line = jsonrpc_line(message, &len);

	json_decref(message);
	if (line != NULL)
		control_client_send(client, line, len);
	else
		cut(client);
	free(line);
}

static const char too_long[] =
		"the replies of this batch have grown too long; send what is left in another";

/* Why a request is not run, or NULL. */
static const char *
why_not(const struct control_batch *batch)
{
	if (batch->client->at_end)
		return "the switch is stopping; nothing was done";
	return batch->reply_size >= CONTROL_CLIENT_BATCH_MAX ? too_long : NULL;
}

/* The replies of a batch are held until its end, and may not grow without bound either. */
static json_t *
bound_reply(struct control_batch *batch, json_t *reply)
{
	size_t size;
	json_t *error;

	if (!batch->requests.is_array || reply == NULL)
		return reply;
	size = json_dumpb(reply, NULL, 0, JSON_COMPACT);
	if (size <= CONTROL_CLIENT_BATCH_MAX - batch->reply_size) {
		batch->reply_size += size;
		return reply;
	}
	batch->reply_size = CONTROL_CLIENT_BATCH_MAX;
	error = jsonrpc_error(json_object_get(reply, "id"), JSONRPC_REFUSED, too_long, NULL);
	json_decref(reply);
	return error;
}

/* The request of the batch that ran last is done; the last of the line sends the answers. */
static void
take_answer(struct control_client *client, json_t *reply)
{
	struct control_batch *batch = client->batch;
	json_t *answers;

	batch->waits = false;
	reply = bound_reply(batch, reply);
	if (!jsonrpc_batch_answer(&batch->requests, reply, &answers))
		return;
	client->batch = NULL;
	free_batch(batch);
	if (answers != NULL)
		send_message(client, answers);
	else if (is_finished(client))
		cut(client);
}

static void
on_answer(void *arg, json_t *reply)
{
	struct control_batch *batch = arg;
	struct control_client *client = batch->client;

	if (client == NULL) {
		json_decref(reply);
		free_batch(batch);
		return;
	}
	take_answer(client, reply);
	/* whoever answers late stands in the middle of his own work */
	if (!client->dead && !client->runs)
		event_active(client->later, 0, 0);
}

/* Runs the next request of the batch. */
static void
run_request(struct control_client *client)
{
	struct control_batch *batch = client->batch;
	const char *refusal = why_not(batch);
	struct jsonrpc_request request;
	json_t *error = NULL;
	char err[RPC_TEXT_MAX];
	int code;

	batch->waits = true;
	code = jsonrpc_batch_request(&batch->requests, batch->next++, &request, err, sizeof(err));
	if (code == 0 && refusal == NULL) {
		rpc_run(client->daemon, &client->subscriber, &request, on_answer, batch);
		return;
	}
	if (code != 0)
		error = jsonrpc_error(request.id, code, err, NULL);
	else if (request.id != NULL)
		error = jsonrpc_error(request.id, JSONRPC_REFUSED, refusal, NULL);
	take_answer(client, error);
}

static void
begin_line(struct control_client *client, const char *line, size_t len)
{
	struct control_batch *batch = calloc(1, sizeof(*batch));
	char err[RPC_TEXT_MAX];
	int code;

	if (batch == NULL) {
		cut(client);
		return;
	}
	code = jsonrpc_batch_parse(&batch->requests, line, len, err, sizeof(err));
	if (code != 0) {
		free(batch);
		send_message(client, jsonrpc_error(NULL, code, err, NULL));
		return;
	}
	batch->client = client;
	client->batch = batch;
}

/* Takes the next line. False: there is none. */
static bool
take_line(struct control_client *client)
{
	const char *line;
	size_t len;
	int ret = lineframe_next(&client->in, &line, &len);

	if (ret == 1) {
		begin_line(client, line, len);
	} else if (ret < 0) {
		lineframe_release(&client->in);
		control_client_finish(client);
		send_message(client,
				jsonrpc_error(NULL, JSONRPC_PARSE_ERROR,
						"the line is longer than 1 MiB; send shorter ones",
						NULL));
	}
	return ret == 1;
}

/*
 * Runs requests until one does not answer at once: then on_answer() goes on from the event loop.
 * What is read meanwhile stays in the socket.
 */
static void
run(struct control_client *client)
{
	bool more = true;

	client->runs = true;
	while (more && !client->dead) {
		if (client->batch == NULL)
			more = !client->at_end && take_line(client);
		else if (client->batch->waits)
			more = false;
		else
			run_request(client);
	}
	client->runs = false;
	if (client->dead || client->at_end)
		return;
	if (client->batch != NULL)
		event_del(client->readable);
	else
		event_add(client->readable, NULL);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;

	(void)fd;
	(void)what;
	if (!client->dead) {
		run(client);
		return;
	}
	client->gone(client);
	control_client_free(client);
}

/* True when the other end is closed and not only done with sending. */
static bool
is_hung_up(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR)) != 0;
}

static void
on_end(struct control_client *client)
{
	if (is_hung_up(client->fd)) {
		cut(client);
		return;
	}
	control_client_finish(client);
	if (!client->dead && lineframe_pending(&client->in) > 0)
		send_message(client,
				jsonrpc_error(NULL, JSONRPC_PARSE_ERROR,
						"the last line has no end and was not read; end each with a newline",
						NULL));
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;
	char data[READ_SIZE];
	ssize_t n = read(fd, data, sizeof(data));

	(void)what;
	if (n > 0) {
		if (lineframe_append(&client->in, data, (size_t)n) == 0)
			run(client);
		else
			cut(client);
	} else if (n == 0) {
		on_end(client);
	} else if (errno != EAGAIN && errno != EINTR) {
		cut(client);
	}
}

void
control_client_finish(struct control_client *client)
{
	if (client->dead)
		return;
	client->at_end = true;
	event_del(client->readable);
	if (is_finished(client) && lineframe_pending(&client->in) == 0 && !client->runs)
		cut(client);
}

static pid_t
read_pid(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.pid : 0;
}

struct control_client *
control_client_open(struct daemon *daemon, int fd, void (*gone)(struct control_client *client))
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		close(fd);
		return NULL;
	}
	client->daemon = daemon;
	client->gone = gone;
	client->fd = fd;
	client->pid = read_pid(fd);
	lineframe_init(&client->in, LINEFRAME_MAX);
	client->readable = event_new(daemon->base, fd, EV_READ | EV_PERSIST, on_readable, client);
	client->writable = event_new(daemon->base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
	client->later = event_new(daemon->base, -1, 0, on_later, client);
	client->out = evbuffer_new();
	if (client->readable != NULL && client->writable != NULL && client->later != NULL &&
			client->out != NULL && event_add(client->readable, NULL) == 0)
		return client;
	control_client_free(client);
	return NULL;
}

static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

void
control_client_free(struct control_client *client)
{
	leave_batch(client);
	free_event(client->readable);
	free_event(client->writable);
	free_event(client->later);
	if (client->out != NULL)
		evbuffer_free(client->out);
	lineframe_release(&client->in);
	if (client->fd >= 0)
		close(client->fd);
	free(client);
}
