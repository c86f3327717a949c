/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each device is looked at once a second: whether it is there, its link, its MAC and its MTU; see
 * ethdev_port.h.
 *
 * A device that is gone is closed, and opened again when it is there. Where a driver calls its peer and
 * the link is down, it is made to call again, because no driver does so by itself. Settings that
 * came meanwhile are those that it comes back with.
 */
#include "ethdev_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "worker/helper.h"
#include "base/log.h"

/* As many looks after a start may see no link: a handshake is under way. */
#define PATIENCE 3

/* After so long, and four times what the last try took, it is tried again. */
#define RETRY_NS 900000000u
#define RETRY_FACTOR 4

static TAILQ_HEAD(, ethdev_port) launched_ports = TAILQ_HEAD_INITIALIZER(launched_ports);

static void
nothing(void *arg)
{
	(void)arg;
}

const char *
ethdev_port_gone_text(const struct ethdev_port *port, char *text, size_t size)
{
	const char *why = port->trouble[0] != '\0' ? port->trouble : port->status.why;

	snprintf(text, size, "%.*s; %s", PORT_TEXT_MAX - 64, why,
			ethdev_may_return(&port->dev) ? "it is tried again every second"
						      : "delete the port and add it again");
	return text;
}

/* From now on nobody touches the device but to bring it back or to remove it. */
static void
mark_gone(struct ethdev_port *port)
{
	char text[PORT_TEXT_MAX];

	port->trouble[0] = '\0';
	ethdev_pause(&port->dev, nothing, NULL);
	ethdev_port_gone_text(port, text, sizeof(text));
	log_warning("port %s: %s", port->base.name, text);
	port_set_fault(&port->base, text);
}

void
ethdev_port_accept(struct ethdev_port *port, const struct ethdev_status *status)
{
	const struct ethdev_status before = port->status;

	port->status = *status;
	if (before.link_up && !status->link_up)
		port->patience = 0; /* the peer has left: no handshake is under way */
	else if (port->patience > 0)
		port->patience--;
	if (before.link_up != status->link_up)
		log_debug("port %s: link %s", port->base.name, status->link_up ? "up" : "down");
	if (before.ifname[0] != '\0' && status->ifname[0] != '\0' &&
			strcmp(before.ifname, status->ifname) != 0)
		log_info("port %s: its interface %s is called %s now", port->base.name,
				before.ifname, status->ifname);
	if (status->gone && !before.gone)
		mark_gone(port);
	port_link_changed(&port->base);
}

static void
look_work(void *arg)
{
	struct ethdev_port *port = arg;

	ethdev_look(&port->dev, &port->seen);
}

static void
look_done(void *arg)
{
	struct ethdev_port *port = arg;

	port->looking = false;
	if (port->stopping)
		ethdev_port_close(port);
	else if (port->base.changed == NULL && !port->base.deleting)
		ethdev_port_accept(port,
				&port->seen); /* a change looks itself, and who leaves is paused */
}

/* ---- Coming back ---- */

static bool
must_return(const struct ethdev_port *port)
{
	struct ethdev_config wanted;

	if (clock_ns() < port->retry_ns)
		return false;
	if (port->status.gone)
		return ethdev_may_return(&port->dev);
	ethdev_port_config(&port->base.settings, &wanted);
	return !ethdev_port_same(&port->dev.config, &wanted) ||
			(!port->status.link_up && port->patience == 0 &&
					ethdev_calls_peer(&port->dev));
}

static void
return_work(void *arg)
{
	struct ethdev_port *port = arg;

	port->ret = ethdev_return(
			&port->dev, &port->wanted, port->seen.gone, port->err, sizeof(port->err));
}

static void
note_trouble(struct ethdev_port *port)
{
	/* What is not there was said when it went. */
	if (port->ret == -ENODEV || port->ret == -ENOENT)
		return;
	if (strcmp(port->trouble, port->err) != 0)
		log_warning("port %s: %s", port->base.name, port->err);
	snprintf(port->trouble, sizeof(port->trouble), "%s", port->err);
}

static void
return_done(void *arg)
{
	struct ethdev_port *port = arg;
	bool was_gone = port->status.gone;
	uint64_t now = clock_ns();

	port->looking = false;
	port->returning = false;
	port->retry_ns = now + RETRY_NS + RETRY_FACTOR * (now - port->tried_ns);
	if (port->stopping) {
		ethdev_port_close(port);
		return;
	}
	if (port->ret != 0)
		note_trouble(port);
	if (!port->dev.started || ethdev_port_run(port) != 0) {
		port->status.link_up = false;
		port->status.gone |= port->dev.status.gone;
		return;
	}
	port->trouble[0] = '\0';
	port->patience = PATIENCE;
	if (was_gone)
		log_info("port %s: its device is there again", port->base.name);
	ethdev_port_accept(port, &port->dev.status);
}

static void
on_paused(void *arg)
{
	struct ethdev_port *port = arg;

	port->tried_ns = clock_ns();
	port->dev.status = port->seen = port->status;
	port->looking = true;
	if (helper_run(port, "bringing back the device of port", port->base.name, return_work,
			    return_done, port) == 0)
		return;
	port->ret = -ENOMEM;
	snprintf(port->err, sizeof(port->err), "no memory");
	return_done(port);
}

static void
begin_return(struct ethdev_port *port)
{
	ethdev_port_config(&port->base.settings, &port->wanted);
	port->returning = true;
	ethdev_pause(&port->dev, on_paused, port);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct ethdev_port *port;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH (port, &launched_ports, link) {
		if (port->looking || port->base.changed != NULL || port->dev.pausing)
			continue;
		if (must_return(port))
			begin_return(port);
		else if (!port->status.gone && port->dev.running)
			port->looking = helper_run(port, "looking at the device of port",
							port->base.name, look_work, look_done,
							port) == 0;
	}
}

/* ---- */

int
ethdev_port_watch_init(struct event_base *base)
{
	const struct timeval second = { .tv_sec = 1 };
	static struct event timer;

	event_assign(&timer, base, -1, EV_PERSIST, on_second, NULL);
	return event_add(&timer, &second) < 0 ? -ENOMEM : 0;
}

void
ethdev_port_watch(struct ethdev_port *port)
{
	port->launched = true;
	port->patience = PATIENCE;
	TAILQ_INSERT_TAIL(&launched_ports, port, link);
}

void
ethdev_port_unwatch(struct ethdev_port *port)
{
	if (port->launched)
		TAILQ_REMOVE(&launched_ports, port, link);
	port->launched = false;
}
