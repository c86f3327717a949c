/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See control_client.h.
 *
 * A request may be answered long after its line was read, and the client may be gone by then: the
 * line's control_batch then has no client any more, takes the answers, and drops them. And while
 * a request runs, what it does (an event for all, say) may cut off the very client that sent it:
 * a client that ends is closed at once, but freed from the event loop.
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

/* The requests of one line. */
struct control_batch {
	LIST_ENTRY(control_batch) next;
	struct control_client *client; /* NULL: gone */
	struct jsonrpc_batch requests;
	size_t reply_size; /* bytes of its replies so far, when they go out as one */
};

static void
close_batches(struct control_client *client)
{
	struct control_batch *batch;

	while ((batch = LIST_FIRST(&client->batches)) != NULL) {
		LIST_REMOVE(batch, next);
		batch->client = NULL;
	}
}

/* Ends the connection, from wherever. */
static void
cut(struct control_client *client)
{
	if (client->dead)
		return;
	client->dead = true;
	client->subscriber.events = 0;
	close_batches(client);
	event_del(client->readable);
	event_del(client->writable);
	close(client->fd);
	client->fd = -1;
	event_active(client->reaper, 0, 0);
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;

	(void)fd;
	(void)what;
	client->gone(client);
	control_client_free(client);
}

static bool
is_finished(const struct control_client *client)
{
	return client->at_end && LIST_EMPTY(&client->batches) &&
			evbuffer_get_length(client->out) == 0;
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

static void
end_batch(struct control_batch *batch, json_t *answer)
{
	struct control_client *client = batch->client;

	if (client != NULL)
		LIST_REMOVE(batch, next);
	jsonrpc_batch_release(&batch->requests);
	free(batch);
	if (client == NULL)
		json_decref(answer);
	else if (answer != NULL)
		send_message(client, answer);
	else if (is_finished(client))
		cut(client);
}

/* One request of the line is done; the last one sends the answers. */
static void
on_answer(void *arg, json_t *reply)
{
	struct control_batch *batch = arg;
	json_t *answer;

	if (batch->requests.is_array && reply != NULL)
		batch->reply_size += json_dumpb(reply, NULL, 0, JSON_COMPACT);
	if (jsonrpc_batch_answer(&batch->requests, reply, &answer))
		end_batch(batch, answer);
}

/* An answer holds a batch's replies until its end: they may not grow without bound either. */
static bool
is_too_much(const struct control_batch *batch)
{
	return batch->client == NULL || batch->reply_size > CONTROL_CLIENT_OUTPUT_MAX;
}

static void
run_request(struct control_batch *batch, size_t index)
{
	struct jsonrpc_request request;
	char err[RPC_TEXT_MAX];
	int code;

	code = jsonrpc_batch_request(&batch->requests, index, &request, err, sizeof(err));
	if (code != 0)
		on_answer(batch, jsonrpc_error(request.id, code, err, NULL));
	else if (is_too_much(batch))
		on_answer(batch,
				request.id == NULL
						? NULL
						: jsonrpc_error(request.id, JSONRPC_REFUSED,
								  "the replies of this batch have grown too long; "
								  "send what is left in another",
								  NULL));
	else
		rpc_run(batch->client->daemon, &batch->client->subscriber, &request, on_answer,
				batch);
}

static void
run_line(struct control_client *client, const char *line, size_t len)
{
	struct control_batch *batch = calloc(1, sizeof(*batch));
	char err[RPC_TEXT_MAX];
	size_t i, n;
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
	LIST_INSERT_HEAD(&client->batches, batch, next);
	/* the last answer frees the batch */
	n = jsonrpc_batch_count(&batch->requests);
	for (i = 0; i < n; i++)
		run_request(batch, i);
}

static void
run_lines(struct control_client *client)
{
	const char *line;
	size_t len;
	int ret;

	while (!client->dead && (ret = lineframe_next(&client->in, &line, &len)) != 0) {
		if (ret == 1) {
			run_line(client, line, len);
			continue;
		}
		control_client_finish(client);
		send_message(client,
				jsonrpc_error(NULL, JSONRPC_PARSE_ERROR,
						"the line is longer than 1 MiB; send shorter ones",
						NULL));
		return;
	}
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
			run_lines(client);
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
	if (is_finished(client) && lineframe_pending(&client->in) == 0)
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
	LIST_INIT(&client->batches);
	lineframe_init(&client->in, LINEFRAME_MAX);
	client->readable = event_new(daemon->base, fd, EV_READ | EV_PERSIST, on_readable, client);
	client->writable = event_new(daemon->base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
	client->reaper = event_new(daemon->base, -1, 0, on_reap, client);
	client->out = evbuffer_new();
	if (client->readable != NULL && client->writable != NULL && client->reaper != NULL &&
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
	close_batches(client);
	free_event(client->readable);
	free_event(client->writable);
	free_event(client->reaper);
	if (client->out != NULL)
		evbuffer_free(client->out);
	lineframe_release(&client->in);
	if (client->fd >= 0)
		close(client->fd);
	free(client);
}
