/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_room.h. */
#include "control_room.h"

#include <event2/buffer.h>

#include "base/clock.h"
#include "control_client.h"
#include "control_line.h"
#include "base/log.h"

const char control_room_refusal[] =
		"there are more clients than the control socket serves, and none "
		"has more of them than this process; connect again with fewer";

static unsigned int
count(const struct control_clients *clients)
{
	const struct control_client *client;
	unsigned int n = 0;

	LIST_FOREACH (client, clients, next)
		n += !client->dead;
	return n;
}

/* How much would be lost with a client: the less, the sooner it makes room for a new one. */
enum use {
	USE_SILENT,  /* it asks for nothing, or does not read what it has asked for */
	USE_LISTENS, /* to events, and reads them */
	USE_BUSY,    /* a request is under way, or has not had the time to come */
};

/* It has not had the time to be heard and answered. */
static bool
is_new(const struct control_client *client)
{
	return !client->answered && clock_ns() - client->opened_ns < CONTROL_CLIENT_PATIENCE_NS;
}

/* It has not read for a while what was sent to it. */
static bool
is_deaf(const struct control_client *client)
{
	return client->queued > 0 && clock_ns() - client->heard_ns > CONTROL_CLIENT_PATIENCE_NS;
}

static enum use
use_of(const struct control_client *client)
{
	if (is_new(client) || (client->line != NULL && control_line_waits(client->line)))
		return USE_BUSY;
	if (is_deaf(client))
		return USE_SILENT;
	if (client->turn.waiting || client->line != NULL || evbuffer_get_length(client->out) > 0)
		return USE_BUSY;
	return client->subscriber.events != 0 ? USE_LISTENS : USE_SILENT;
}

/* Of two clients the one that makes room first while there are some that are not busy. */
static bool
goes_before(const struct control_client *client, const struct control_client *other)
{
	enum use use = use_of(client);
	enum use other_use = use_of(other);

	if (use != other_use)
		return use < other_use;
	return client->heard_ns < other->heard_ns;
}

/* NULL: all are busy. */
static struct control_client *
choose_idle(const struct control_clients *clients)
{
	struct control_client *client, *first = NULL;

	LIST_FOREACH (client, clients, next)
		if (!client->dead && (first == NULL || goes_before(client, first)))
			first = client;
	return first != NULL && use_of(first) != USE_BUSY ? first : NULL;
}

static struct control_client *
choose_silent(const struct control_clients *clients)
{
	struct control_client *first;

	do
		first = choose_idle(clients);
	while (first != NULL && control_client_notice(first));
	return first;
}

/* The process with most clients, how many, and how many `own` has. Those of one stand together. */
static pid_t
find_crowd(const struct control_clients *clients, pid_t own, unsigned int *size,
		unsigned int *own_size)
{
	const struct control_client *client;
	pid_t crowd = 0, pid = 0;
	unsigned int n = 0;

	*size = *own_size = 0;
	LIST_FOREACH (client, clients, next) {
		n = client->pid == pid ? n : 0;
		n += !client->dead;
		pid = client->pid;
		if (pid == own)
			*own_size = n;
		if (n > *size) {
			*size = n;
			crowd = pid;
		}
	}
	return crowd;
}

/* Of two busy clients the one with which less is lost: no request, or the most of the CPU used. */
static bool
costs_less(const struct control_client *client, const struct control_client *other)
{
	bool asks = client->line != NULL, other_asks = other->line != NULL;

	if (asks != other_asks)
		return other_asks;
	return client->turn.used_ns > other->turn.used_ns;
}

/* Of one process. */
static struct control_client *
choose_of(const struct control_clients *clients, pid_t pid)
{
	struct control_client *client, *first = NULL;

	LIST_FOREACH (client, clients, next)
		if (!client->dead && client->pid == pid &&
				(first == NULL || costs_less(client, first)))
			first = client;
	return first;
}

/* Of all that did not just come; NULL: all did. */
static struct control_client *
choose_settled(const struct control_clients *clients)
{
	struct control_client *client, *first = NULL;
	uint64_t now = clock_ns();

	LIST_FOREACH (client, clients, next)
		if (!client->dead && now - client->opened_ns >= CONTROL_CLIENT_PATIENCE_NS &&
				(first == NULL || costs_less(client, first)))
			first = client;
	return first;
}

void
control_room_look(const struct control_clients *clients)
{
	struct control_client *client;
	unsigned int n = 0;

	if (count(clients) < CONTROL_CLIENTS_KEPT)
		return;
	LIST_FOREACH (client, clients, next) {
		n += control_client_end_if_left(client);
		control_client_look(client);
	}
	if (n > 0)
		log_from(&control_log, LOG_LEVEL_INFO,
				"%u clients that have left make room for new ones", n);
}

bool
control_room_make(const struct control_clients *clients)
{
	struct control_client *first;
	unsigned int n = count(clients), size, own_size;

	for (; n >= CONTROL_CLIENTS_KEPT; n--) {
		first = choose_silent(clients);
		if (first == NULL)
			break;
		log_from(&control_log, LOG_LEVEL_INFO,
				"client (pid %d) makes room for a new one after %.1f s of silence",
				first->pid, (double)(clock_ns() - first->heard_ns) / 1e9);
		control_client_dismiss(first,
				"there are more clients than the control socket serves, and "
				"this one was silent longest; connect again");
	}
	if (n < CONTROL_CLIENTS_MAX)
		return true;
	(void)find_crowd(clients, 0, &size, &own_size);
	return size > 1 || choose_settled(clients) != NULL;
}

bool
control_room_take(const struct control_clients *clients, pid_t pid)
{
	unsigned int size, own_size;
	struct control_client *first;
	pid_t crowd;

	if (count(clients) < CONTROL_CLIENTS_MAX)
		return true;
	crowd = find_crowd(clients, pid, &size, &own_size);
	if (own_size > 0 && own_size + 1 >= size)
		return false;
	first = size > 1 ? choose_of(clients, crowd) : choose_settled(clients);
	if (first == NULL)
		return false;
	log_from(&control_log, LOG_LEVEL_WARNING,
			"client (pid %d) makes room though it is busy: there are %d already, and %u "
			"are of its process",
			first->pid, CONTROL_CLIENTS_MAX, size);
	control_client_dismiss(first, control_room_refusal);
	return true;
}

void
control_room_enter(struct control_clients *clients, struct control_client *client)
{
	struct control_client *kin;

	LIST_FOREACH (kin, clients, next)
		if (kin->pid == client->pid)
			break;
	if (kin != NULL)
		LIST_INSERT_AFTER(kin, client, next);
	else
		LIST_INSERT_HEAD(clients, client, next);
}
