/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See control_client.h.
 *
 * The requests of a client are done one after the other, in the order in which they were sent, so
 * that a port can be deleted and added again without waiting in between. All of its work, reading
 * included, is done in its turns (control_turns.h). It makes answers no faster than they are
 * read: a client that does not read holds up itself.
 *
 * A client that closes after its last request, or that is gone, has its requests done all the same;
 * what cannot be sent is dropped.
 *
 * While a request runs, what it does (an event for all, say) may cut off the very client that sent
 * it: a client that ends is closed at once, but freed from the event loop.
 */
#include "control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "control_context.h"
#include "control_fds.h"
#include "control_line.h"
#include "gate/fd_receive.h"
#include "base/log.h"

/* Bytes that are read in one step: a few hundred requests at most. */
#define READ_SIZE 16384

struct log_bucket control_log = LOG_BUCKET("control socket");

static void
leave_line(struct control_client *client)
{
	if (client->line != NULL)
		control_line_leave(client->line);
	client->line = NULL;
}

/* Ends the connection, from wherever. */
static void
cut(struct control_client *client)
{
	if (client->dead)
		return;
	client->dead = true;
	client->subscriber.events = 0;
	control_turns_leave(&client->turn);
	event_del(client->readable);
	event_del(client->writable);
	control_fds_end(client->fd);
	client->fd = -1;
	if (!client->in_turn)
		leave_line(client);
	event_active(client->later, 0, 0);
}

/* An answer that breaks off, or is missing, would mislead. */
static void
cut_for_memory(struct control_client *client)
{
	log_from(&control_log, LOG_LEVEL_WARNING,
			"client (pid %d) is cut off, for there is no memory to serve it",
			client->pid);
	cut(client);
}

static bool
is_finished(const struct control_client *client)
{
	return client->at_end && client->line == NULL && evbuffer_get_length(client->out) == 0;
}

static size_t
unread(const struct control_client *client)
{
	return evbuffer_get_length(client->out) + evbuffer_get_length(client->held);
}

/* What the kernel holds for the client and it has not read; in units of the kernel's, 0 is none. */
static int
count_queued(const struct control_client *client)
{
	int queued;

	return ioctl(client->fd, SIOCOUTQ, &queued) == 0 ? queued : 0;
}

void
control_client_look(struct control_client *client)
{
	int queued = client->dead ? 0 : count_queued(client);

	if (queued > 0 && queued < client->queued)
		client->heard_ns = clock_ns();
	client->queued = queued;
}

/* False: the connection is broken. */
static bool
write_out(struct control_client *client)
{
	control_client_look(client);
	if (client->queued == 0)
		client->heard_ns = clock_ns();
	if (evbuffer_write(client->out, client->fd) < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	client->queued = count_queued(client);
	return true;
}

static void
drop_output(struct control_client *client)
{
	(void)evbuffer_drain(client->out, evbuffer_get_length(client->out));
	(void)evbuffer_drain(client->held, evbuffer_get_length(client->held));
}

/* Nobody will read any more: what was asked for before is done without an answer. */
static void
lose(struct control_client *client)
{
	client->lost = true;
	client->queued = 0;
	client->subscriber.events = 0;
	drop_output(client);
}

/* Writes what the socket takes, and waits for room for the rest. */
static void
flush(struct control_client *client)
{
	if (client->lost)
		drop_output(client);
	else if (evbuffer_get_length(client->out) > 0 && !write_out(client))
		lose(client);
	if (is_finished(client))
		cut(client);
	else if (evbuffer_get_length(client->out) > 0)
		event_add(client->writable, NULL);
	else if (event_pending(client->writable, EV_WRITE, NULL)) {
		/* there is room now: what waited for it goes on */
		event_del(client->writable);
		control_turns_want(&client->turn);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;

	(void)fd;
	(void)what;
	flush(client);
	if (!client->dead && evbuffer_get_length(client->out) < CONTROL_CLIENT_AHEAD)
		control_turns_want(&client->turn);
}

void
control_client_send(struct control_client *client, const char *line, size_t len)
{
	bool held = client->line != NULL && control_line_is_open(client->line);

	if (client->dead || client->lost)
		return;
	if (evbuffer_add(held ? client->held : client->out, line, len) != 0) {
		cut_for_memory(client);
		return;
	}
	if (!held)
		flush(client);
	if (client->dead || unread(client) <= CONTROL_CLIENT_OUTPUT_MAX)
		return;
	log_from(&control_log, LOG_LEVEL_WARNING,
			"client (pid %d) is cut off, for it leaves more than %u MiB unread",
			client->pid, CONTROL_CLIENT_OUTPUT_MAX >> 20);
	cut(client);
}

/* Sends an error that is no answer. */
static void
send_error(struct control_client *client, int code, const char *message)
{
	if (control_line_put(client->out, jsonrpc_error(NULL, code, message, NULL)) != 0)
		cut_for_memory(client);
}

static void
on_answered(void *arg)
{
	struct control_client *client = arg;

	control_turns_want(&client->turn);
}

static void
begin_line(struct control_client *client, const char *text, size_t len)
{
	const struct control_line_owner owner = { .context = client->context,
		.subscriber = &client->subscriber,
		.out = client->out,
		.answered = on_answered,
		.arg = client };

	client->line = control_line_begin(&owner, text, len);
	if (client->line == NULL)
		cut_for_memory(client);
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
		client->at_end = true;
		send_error(client, JSONRPC_PARSE_ERROR,
				"the line is longer than 1 MiB; send shorter ones");
	}
	return ret != 0;
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
	client->at_end = true;
	if (lineframe_pending(&client->in) > 0)
		send_error(client, JSONRPC_PARSE_ERROR,
				"the last line has no end and was not read; end each with a newline");
}

static void
on_descriptor(void *arg, int fd)
{
	struct control_client *client = arg;

	client->at_end = true;
	control_fds_give(NULL, fd);
}

/* False: there is nothing to read, and the event loop says when there is. */
static bool
read_more(struct control_client *client)
{
	const struct fd_receiver receiver = { .give = on_descriptor, .arg = client };
	char data[READ_SIZE];
	bool lost;
	ssize_t n = fd_receive(client->fd, data, sizeof(data), &receiver, &lost);

	if (lost || client->at_end) {
		client->at_end = true;
		send_error(client, JSONRPC_PARSE_ERROR,
				"there were descriptors with a request; send it without");
	} else if (n > 0) {
		client->heard_ns = clock_ns();
		if (lineframe_append(&client->in, data, (size_t)n) != 0)
			cut_for_memory(client);
	} else if (n == 0) {
		on_end(client);
	} else if (errno == EAGAIN) {
		event_add(client->readable, NULL);
		return false;
	} else {
		cut(client);
	}
	return true;
}

/* The line is answered: what happened meanwhile is told. */
static void
end_line(struct control_client *client)
{
	client->line = NULL;
	client->answered = true;
	if (evbuffer_add_buffer(client->out, client->held) != 0)
		cut_for_memory(client);
}

/* False: the line waits for an answer. */
static bool
step_line(struct control_client *client)
{
	switch (control_line_step(client->line, client->at_end, client->lost)) {
	case CONTROL_LINE_MORE:
		break;
	case CONTROL_LINE_WAITS:
		return false;
	case CONTROL_LINE_DONE:
		end_line(client);
		break;
	case CONTROL_LINE_FAILED:
		client->line = NULL;
		cut_for_memory(client);
		break;
	}
	return true;
}

/* Does one thing. False: there is nothing to do before something happens. */
static bool
work(struct control_client *client)
{
	if (client->line != NULL)
		return step_line(client);
	return (!client->at_end) && (take_line(client) || read_more(client));
}

/* Returns whether there is more to do. */
static bool
take_turn(struct control_turn *turn, uint64_t end_ns)
{
	struct control_client *client = (struct control_client *)((char *)turn -
			offsetof(struct control_client, turn));
	bool more = true;

	client->in_turn = true;
	while (more && !client->dead && clock_ns() < end_ns) {
		if (evbuffer_get_length(client->out) >= CONTROL_CLIENT_AHEAD)
			flush(client);
		more = !client->dead && evbuffer_get_length(client->out) < CONTROL_CLIENT_AHEAD &&
				work(client);
	}
	if (!client->dead)
		flush(client);
	client->in_turn = false;
	if (client->dead)
		leave_line(client);
	return more && !client->dead;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;

	(void)fd;
	(void)what;
	event_del(client->readable);
	control_turns_want(&client->turn);
}

/* Something that it has sent was not done yet. */
static bool
is_owed(const struct control_client *client)
{
	int unread = 0;

	return client->line != NULL || client->turn.waiting ||
			(!client->at_end && lineframe_pending(&client->in) > 0) ||
			(ioctl(client->fd, SIOCINQ, &unread) == 0 && unread > 0);
}

bool
control_client_end_if_left(struct control_client *client)
{
	if (client->dead || client->in_turn || !is_hung_up(client->fd))
		return false;
	if (is_owed(client)) {
		lose(client);
		control_turns_want(&client->turn);
		return false;
	}
	cut(client);
	return true;
}

bool
control_client_notice(struct control_client *client)
{
	struct pollfd pfd = { .fd = client->fd, .events = POLLIN };

	if (!event_pending(client->readable, EV_READ, NULL) || poll(&pfd, 1, 0) != 1)
		return false;
	event_del(client->readable);
	control_turns_want(&client->turn);
	return true;
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct control_client *client = arg;

	(void)fd;
	(void)what;
	client->gone(client);
	control_client_free(client);
}

void
control_client_finish(struct control_client *client)
{
	if (client->dead)
		return;
	client->at_end = true;
	event_del(client->readable);
	if (is_finished(client) && !client->in_turn)
		cut(client);
}

void
control_client_dismiss(struct control_client *client, const char *why)
{
	if (client->dead)
		return;
	/* behind half a line it would be read as the rest of it */
	if (client->line == NULL)
		send_error(client, JSONRPC_REFUSED, why);
	if (!client->dead)
		flush(client);
	cut(client);
}

/* Without it more is sent ahead; that is all. */
static void
limit_kernel(int fd)
{
	int size = CONTROL_CLIENT_KERNEL_MAX;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

struct control_client *
control_client_open(const struct control_context *context, int fd, pid_t pid,
		void (*gone)(struct control_client *client))
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		control_fds_end(fd);
		return NULL;
	}
	client->context = context;
	client->gone = gone;
	client->fd = fd;
	client->pid = pid;
	limit_kernel(fd);
	client->opened_ns = client->heard_ns = clock_ns();
	client->turn.take = take_turn;
	lineframe_init(&client->in, LINEFRAME_MAX);
	client->readable = event_new(context->base, fd, EV_READ | EV_PERSIST, on_readable, client);
	client->writable = event_new(context->base, fd, EV_WRITE | EV_PERSIST, on_writable, client);
	client->later = event_new(context->base, -1, 0, on_later, client);
	client->out = evbuffer_new();
	client->held = evbuffer_new();
	if (client->readable != NULL && client->writable != NULL && client->later != NULL &&
			client->out != NULL && client->held != NULL &&
			event_add(client->readable, NULL) == 0)
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

static void
free_buffer(struct evbuffer *buffer)
{
	if (buffer != NULL)
		evbuffer_free(buffer);
}

void
control_client_free(struct control_client *client)
{
	leave_line(client);
	control_turns_leave(&client->turn);
	free_event(client->readable);
	free_event(client->writable);
	free_event(client->later);
	free_buffer(client->out);
	free_buffer(client->held);
	lineframe_release(&client->in);
	if (client->fd >= 0)
		control_fds_end(client->fd);
	free(client);
}
