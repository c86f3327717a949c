/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What others do to the interfaces of kernel ports: `ip link`, the end of a namespace. Control
 * thread; see kernel_port.h.
 *
 * An event is never believed for what it says of an interface's state, since it may be older than
 * what a job has seen: it makes the port look (struct kernel_watcher). Only the end of a namespace is
 * final as it is.
 */
#include "kernel_port.h"

#include <errno.h>
#include <event2/event.h>

#include "text/text.h"

static TAILQ_HEAD(, kernel_port) all_ports = TAILQ_HEAD_INITIALIZER(all_ports);
static struct netif_monitor *monitor; /* while there are kernel ports */
static struct event *readable, *every_second;

static bool
concerns(const struct netif_event *event, const struct kernel_port *port)
{
	const struct kernel_view *view = &port->view;

	if (event->type == NETIF_EVENTS_LOST)
		return true;
	if (event->nsid != view->nsid)
		return false;
	return event->type == NETIF_NAMESPACE_GONE || event->link.index == view->link.index;
}

static void
on_change(void *arg, const struct netif_event *event)
{
	struct kernel_port *port;

	(void)arg;
	TAILQ_FOREACH (port, &all_ports, link) {
		if (port->backend == NULL || !concerns(event, port))
			continue;
		if (event->type == NETIF_NAMESPACE_GONE)
			port->watcher->gone(port, KERNEL_NETNS_GONE);
		else
			port->watcher->look(port);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	netif_monitor_read(monitor, on_change, NULL);
}

/* Of counters the kernel tells nothing by itself. */
static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct kernel_port *port;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH (port, &all_ports, link)
		if (port->backend != NULL && !port->looking)
			port->watcher->look(port);
}

/* NULL is fine. */
static void
free_event(struct event *event)
{
	if (event != NULL)
		event_free(event);
}

static int
open_monitor(char *err, size_t err_size)
{
	const struct timeval second = { .tv_sec = 1 };
	int ret = netif_monitor_open(&monitor, err, err_size);

	if (ret < 0)
		return ret;
	readable = event_new(port_base(), netif_monitor_fd(monitor), EV_READ | EV_PERSIST,
			on_readable, NULL);
	every_second = event_new(port_base(), -1, EV_PERSIST, on_second, NULL);
	if (readable != NULL && every_second != NULL && event_add(readable, NULL) == 0 &&
			event_add(every_second, &second) == 0)
		return 0;
	free_event(readable);
	free_event(every_second);
	netif_monitor_close(monitor);
	return text_fail(err, err_size, -ENOMEM, "no memory");
}

static void
close_monitor(void)
{
	event_free(readable);
	event_free(every_second);
	netif_monitor_close(monitor);
}

int
kernel_monitor_enter(struct kernel_port *port, const struct kernel_watcher *watcher, char *err,
		size_t err_size)
{
	int ret = TAILQ_EMPTY(&all_ports) ? open_monitor(err, err_size) : 0;

	port->watcher = watcher;
	if (ret == 0)
		TAILQ_INSERT_TAIL(&all_ports, port, link);
	return ret;
}

void
kernel_monitor_leave(struct kernel_port *port)
{
	TAILQ_REMOVE(&all_ports, port, link);
	if (TAILQ_EMPTY(&all_ports))
		close_monitor();
}
