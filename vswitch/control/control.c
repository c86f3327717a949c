/* SPDX-License-Identifier: BSD-3-Clause */
/* See control.h. */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "control_client.h"
#include "control_context.h"
#include "control_fds.h"
#include "control_listen.h"
#include "control_room.h"
#include "base/thread_role.h"
#include "base/log.h"
#include "system/socket_peer.h"
#include "text/text.h"

/* Connections that are accepted in one turn of the loop: a crowd is through the backlog soon. */
#define ACCEPT_BURST 16

/* Without descriptors the listening socket stays readable: look again only after this long. */
#define ACCEPT_PAUSE_US 20000

/* While no client can go a new one waits, and is looked for this often. */
#define BUSY_PAUSE_US 10000

static struct control_clients clients = LIST_HEAD_INITIALIZER(clients);
static const struct control_context *served;
static int listen_fd = -1;
static struct event *acceptable;
static struct event *pause_end;

/* There is a place, and a descriptor: nobody waits for it any longer. */
static void
on_gone(struct control_client *client)
{
	LIST_REMOVE(client, next);
	if (pause_end != NULL && event_pending(pause_end, EV_TIMEOUT, NULL))
		event_active(pause_end, EV_TIMEOUT, 0);
}

/* Says so and closes: no more is spent on a client of a crowd. */
static void
turn_away(int fd, pid_t pid)
{
	json_t *error = jsonrpc_error(NULL, JSONRPC_REFUSED, control_room_refusal, NULL);
	size_t len;
	char *line = jsonrpc_line(error, &len);

	json_decref(error);
	if (line != NULL)
		(void)send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(line);
	control_fds_end(fd);
	log_from(&control_log, LOG_LEVEL_WARNING,
			"a client (pid %d) is turned away: there are %d already, and no process has "
			"more of them",
			pid, CONTROL_CLIENTS_MAX);
}

static void
take_client(int fd)
{
	pid_t pid = socket_peer_pid(fd);
	struct control_client *client;

	if (!control_room_take(&clients, pid)) {
		turn_away(fd, pid);
		return;
	}
	client = control_client_open(served, fd, pid, on_gone);
	if (client == NULL)
		log_from(&control_log, LOG_LEVEL_WARNING,
				"a client is turned away, for there is no memory to serve it");
	else
		control_room_enter(&clients, client);
}

static void
pause_accepting(suseconds_t pause_us)
{
	const struct timeval pause = { .tv_usec = pause_us };

	event_del(acceptable);
	event_add(pause_end, &pause);
}

static void
on_pause_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_add(acceptable, NULL);
}

/* Room is made for a client that is there, and for no other. */
static bool
is_readable(int listening)
{
	struct pollfd pfd = { .fd = listening, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* False: there is none, or it has to wait. */
static bool
accept_one(int listening)
{
	static bool complained;
	int fd;

	if (!control_room_make(&clients)) {
		log_from(&control_log, LOG_LEVEL_WARNING,
				"a client waits: there are %d already, of as many processes, and all "
				"have just connected",
				CONTROL_CLIENTS_MAX);
		pause_accepting(BUSY_PAUSE_US);
		return false;
	}
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		complained = false;
		take_client(fd);
		return true;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return false;
	if (!complained)
		log_from(&control_log, LOG_LEVEL_ERROR, "cannot accept clients: %s; trying on",
				strerror(errno));
	complained = true;
	pause_accepting(ACCEPT_PAUSE_US);
	return false;
}

static void
on_acceptable(evutil_socket_t listening, short what, void *arg)
{
	int n = 0;

	(void)what;
	(void)arg;
	control_room_look(&clients);
	while (n++ < ACCEPT_BURST && is_readable(listening) && accept_one(listening))
		;
}

int
control_start(const struct control_context *context, char *err, size_t err_size)
{
	int fd;

	ASSERT_ON(THREAD_CONTROL);
	if (control_fds_start() != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory for the control socket");
	fd = control_listen_open(context->control, context->control_group, err, err_size);
	if (fd < 0)
		return fd;
	served = context;
	listen_fd = fd;
	acceptable = event_new(context->base, fd, EV_READ | EV_PERSIST, on_acceptable, NULL);
	pause_end = event_new(context->base, -1, 0, on_pause_end, NULL);
	if (acceptable != NULL && pause_end != NULL && control_turns_start(context->base) == 0 &&
			event_add(acceptable, NULL) == 0)
		return 0;
	control_stop();
	return text_fail(err, err_size, -ENOMEM, "out of memory for the control socket");
}

bool
control_subscribed(enum event_kind kind)
{
	const struct control_client *client;

	ASSERT_ON(THREAD_CONTROL);
	LIST_FOREACH (client, &clients, next)
		if ((client->subscriber.events >> kind & 1) != 0)
			return true;
	return false;
}

void
control_publish(enum event_kind kind, json_t *message)
{
	struct control_client *client;
	size_t len;
	char *line = jsonrpc_line(message, &len);

	ASSERT_ON(THREAD_CONTROL);
	json_decref(message);
	if (line == NULL) {
		log_from(&control_log, LOG_LEVEL_WARNING,
				"an event was not told, for there was no memory for it");
		return;
	}
	/* a client that this cuts off stays in the list until the loop frees it */
	LIST_FOREACH (client, &clients, next)
		if ((client->subscriber.events >> kind & 1) != 0)
			control_client_send(client, line, len);
	free(line);
}

void
control_stop(void)
{
	struct control_client *client;

	ASSERT_ON(THREAD_CONTROL);
	if (listen_fd < 0)
		return;
	(void)unlink(served->control);
	if (acceptable != NULL)
		event_free(acceptable);
	if (pause_end != NULL)
		event_free(pause_end);
	acceptable = pause_end = NULL;
	control_fds_end_listener(listen_fd);
	listen_fd = -1;
	LIST_FOREACH (client, &clients, next)
		control_client_finish(client);
}

void
control_close(void)
{
	struct control_client *client;

	ASSERT_ON(THREAD_CONTROL);
	while ((client = LIST_FIRST(&clients)) != NULL) {
		on_gone(client);
		control_client_free(client);
	}
	control_turns_stop();
	control_fds_stop();
}
