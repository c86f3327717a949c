/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connects to a frontend that serves the socket: tries until it succeeds, and again when the
 * frontend has left. Attempts are 100 ms apart at first, later up to 5 s, also where a peer accepts
 * and closes at once, so that a peer cannot make the switch spin. No attempt is made while the port
 * rests (gate_rest.c). Control thread, by the gate.
 */
#include "gate_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 5000

static void
try_later(struct gate *gate)
{
	struct gate_connector *connector = &gate->connector;
	uint32_t own = connector->delay_ms, rest = gate_rest_ms(gate);
	uint32_t delay = own > rest ? own : rest;
	struct timeval tv = { .tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000L };

	connector->next_ns = clock_ns() + (uint64_t)delay * 1000000;
	connector->delay_ms = own * 2 > DELAY_MAX_MS ? DELAY_MAX_MS : own * 2;
	event_add(&connector->next, &tv);
}

/* connect() of a UNIX socket is never in progress: a full queue is an error, too. */
static int
try_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static void
on_next(evutil_socket_t unused, short what, void *arg)
{
	struct gate *gate = arg;
	int fd = try_connect(gate->path);

	(void)unused;
	(void)what;
	if (fd >= 0) {
		gate->connector.error = 0;
		gate->arrived(gate, fd);
		return;
	}
	if (gate->connector.error != -fd)
		log_from(&gate->log, LOG_LEVEL_INFO, "cannot connect to %s yet: %s", gate->path,
				strerror(-fd));
	gate->connector.error = -fd;
	try_later(gate);
}

void
gate_connect_start(struct gate *gate)
{
	const struct timeval now = { 0 };

	gate->connector.delay_ms = DELAY_MIN_MS;
	event_assign(&gate->connector.next, gate->base, -1, 0, on_next, gate);
	event_add(&gate->connector.next, &now);
}

void
gate_connect_again(struct gate *gate, bool useful)
{
	if (useful)
		gate->connector.delay_ms = DELAY_MIN_MS;
	try_later(gate);
}

void
gate_connect_stop(struct gate *gate)
{
	event_del(&gate->connector.next);
}

void
gate_connect_state(const struct gate *gate, char *text, size_t size)
{
	const struct gate_connector *connector = &gate->connector;
	uint64_t now = clock_ns();
	double left = connector->next_ns > now ? (double)(connector->next_ns - now) / 1e9 : 0;

	if (size > 0)
		text[0] = '\0';
	if (!gate->connects || gate->state != GATE_IDLE)
		return;
	if (connector->next_ns == 0)
		snprintf(text, size, "connecting to %s", gate->path);
	else
		snprintf(text, size, "connecting to %s: %s, next try in %.1f s", gate->path,
				connector->error != 0 ? strerror(connector->error)
						      : "the frontend left",
				left);
}
