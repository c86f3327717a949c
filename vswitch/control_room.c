/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_room.h. */
#include "control_room.h"

#include "clock.h"
#include "control_client.h"
#include "log.h"

static unsigned int
count(const struct control_clients *clients)
{
	const struct control_client *client;
	unsigned int n = 0;

	LIST_FOREACH (client, clients, next)
		n += !client->dead;
	return n;
}

/* Those of the same process. */
static unsigned int
count_kin(const struct control_clients *clients, const struct control_client *of)
{
	const struct control_client *client;
	unsigned int n = 0;

	LIST_FOREACH (client, clients, next)
		n += !client->dead && client->pid == of->pid;
	return n;
}

/* Of two clients the one that makes room first while there are some that are not busy. */
static bool
goes_before(const struct control_client *client, const struct control_client *other)
{
	enum control_client_use use = control_client_use(client);
	enum control_client_use other_use = control_client_use(other);

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
	return first != NULL && control_client_use(first) != CONTROL_CLIENT_BUSY ? first : NULL;
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

/* The process with most clients, by one of them. */
static const struct control_client *
find_crowd(const struct control_clients *clients, unsigned int *size)
{
	const struct control_client *client, *crowd = NULL;
	unsigned int n;

	*size = 0;
	LIST_FOREACH (client, clients, next) {
		n = client->dead ? 0 : count_kin(clients, client);
		if (n > *size) {
			*size = n;
			crowd = client;
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

/* Of one process, or (NULL) of all that did not just come. */
static struct control_client *
choose_busy(const struct control_clients *clients, const struct control_client *of)
{
	struct control_client *client, *first = NULL;

	LIST_FOREACH (client, clients, next) {
		if (client->dead || (of != NULL && client->pid != of->pid))
			continue;
		if (of == NULL && clock_ns() - client->opened_ns < CONTROL_CLIENT_PATIENCE_NS)
			continue;
		if (first == NULL || costs_less(client, first))
			first = client;
	}
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
	unsigned int n = count(clients), crowd;

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
	(void)find_crowd(clients, &crowd);
	return crowd > 1 || choose_busy(clients, NULL) != NULL;
}

void
control_room_settle(const struct control_clients *clients, struct control_client *client)
{
	const struct control_client *crowd;
	struct control_client *first = client;
	unsigned int size;

	if (count(clients) <= CONTROL_CLIENTS_MAX)
		return;
	crowd = find_crowd(clients, &size);
	if (size == 1)
		first = choose_busy(clients, NULL);
	else if (count_kin(clients, client) < size)
		first = choose_busy(clients, crowd);
	if (first == NULL)
		first = client;
	log_from(&control_log, LOG_LEVEL_WARNING,
			"client (pid %d) makes room though it is busy: there are %d already, and %u "
			"are of its process",
			first->pid, CONTROL_CLIENTS_MAX, count_kin(clients, first));
	control_client_dismiss(first,
			"there are more clients than the control socket serves, and none has "
			"more of them than this process; connect again with fewer");
}
