/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel port's life, as port.c asks for it. Control thread; see kernel_port.h.
 *
 * Whatever touches the interface is a job on the helper thread, and jobs run in the order in which
 * they were given. So the one that closes comes after all others of the port, and when it has ended
 * nobody knows the port any more.
 */
#include "kernel_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/helper.h"
#include "base/log.h"
#include "options/port_options.h"
#include "text/text.h"

/* docs/architecture.md says so of an idle port. */
_Static_assert(sizeof(struct kernel_port) + sizeof(struct kernel_tap_queue) +
						sizeof(struct ethdev_queue) +
						sizeof(struct account) <
				16384,
		"a port with one queue takes less than 16 KiB");

static struct port *
create(uint16_t id, const struct port_settings *settings)
{
	struct kernel_port *port = calloc(
			1, sizeof(*port) + settings->queues * sizeof(struct kernel_tap_queue));

	if (port == NULL || ethdev_init(&port->dev, id, settings->queues) < 0) {
		free(port);
		return NULL;
	}
	port->n_queues = (uint16_t)settings->queues;
	for (uint16_t i = 0; i < port->n_queues; i++) {
		tap_source_init(&port->tap_queue[i].source, id, i);
		tap_sink_init(&port->tap_queue[i].sink, id, i);
	}
	kernel_tap.choose(port);
	return &port->base;
}

static void
release(struct port *base)
{
	struct kernel_port *port = kernel_port(base);

	ethdev_release(&port->dev);
	free(port);
}

static void
prepare(struct kernel_port *port, struct kernel_job *job)
{
	memset(job, 0, sizeof(*job));
	job->port = port;
	job->backend = port->backend;
	job->old = &port->base.settings;
	job->wanted = &port->base.wanted;
	memcpy(job->netns, port->base.settings.netns, sizeof(job->netns));
	job->view = port->view;
	job->adopted = port->adopted;
	job->found = port->found;
}

/* ---- What others do to the interface ---- */

static const char *
interface_of(const struct kernel_port *port)
{
	return port->view.link.name;
}

static void
gone_text(const struct kernel_port *port, char *text, size_t size)
{
	if (port->view.fate == KERNEL_NETNS_GONE)
		snprintf(text, size,
				"network namespace %s is gone, and interface %s with it; delete "
				"the port, and add it again when there is a new one",
				port->view.netns, interface_of(port));
	else if (port->view.fate == KERNEL_BROKEN)
		snprintf(text, size,
				"the device in front of interface %s does not start any more; "
				"delete the port and add it again",
				interface_of(port));
	else
		snprintf(text, size, "interface %s was deleted; delete the port and add it again",
				interface_of(port));
}

/* Marks the port, and nothing else happens. */
static void
mark_gone(struct kernel_port *port, enum kernel_fate fate)
{
	char text[PORT_TEXT_MAX];

	if (port->view.fate != KERNEL_ALIVE)
		return;
	port->view.fate = fate;
	gone_text(port, text, sizeof(text));
	port_set_fault(&port->base, text);
	port_link_changed(&port->base);
}

/* The interface's MTU bounds the port's frames too, from the next turn on. */
static void
follow_link(struct kernel_port *port, const struct kernel_view *view)
{
	uint32_t mtu = port->base.peer_mtu;

	port->view = *view;
	port->base.peer_mtu = view->link.mtu;
	if (mtu != view->link.mtu && port_table_publish() < 0)
		log_error("port %s: no memory to follow its interface's MTU", port->base.name);
	port_link_changed(&port->base);
}

static void look(struct kernel_port *port);

static void
on_looked(void *arg)
{
	struct kernel_job *job = arg;
	struct kernel_port *port = job->port;

	port->looking = false;
	if (port->view.fate != KERNEL_ALIVE || port->base.deleting)
		return;
	if (job->view.fate != KERNEL_ALIVE)
		mark_gone(port, job->view.fate);
	else if (job->ret == 0)
		follow_link(port, &job->view);
	else if (!port->look_failed)
		log_warning("port %s: %s", port->base.name, job->err);
	port->look_failed = job->ret != 0;
	if (port->look_again)
		look(port);
}

/* Something about the interface may have changed: looks at it, soon. */
static void
look(struct kernel_port *port)
{
	if (port->base.deleting || port->view.fate != KERNEL_ALIVE)
		return;
	port->look_again = port->looking;
	if (port->looking)
		return;
	prepare(port, &port->look);
	port->looking = helper_run(port, "looking at the interface of port", port->base.name,
					kernel_job_look, on_looked, &port->look) == 0;
}

static const struct kernel_watcher watcher = { .look = look, .gone = mark_gone };

/* ---- Start ---- */

static void
on_started(void *arg)
{
	struct kernel_job *job = arg;
	struct kernel_port *port = job->port;
	char err[KERNEL_ERR_MAX + PORT_NAME_MAX + 16];

	if (job->ret < 0) {
		kernel_monitor_leave(port);
		snprintf(err, sizeof(err), "add-port %s: %s", port->base.name, job->err);
		port_started(&port->base, job->ret, err);
		return;
	}
	port->backend = job->backend;
	port->adopted = job->adopted;
	port->found = job->found;
	port->view = job->view;
	snprintf(port->why, sizeof(port->why), "%s", job->why);
	port->base.peer_mtu = port->view.link.mtu;
	port->backend->choose(port);
	port->backend->changed(port, &port->base.settings);
	port_started(&port->base, 0, NULL);
}

static int
choose_ifname(const struct port *base, struct port_settings *settings, char *err, size_t err_size)
{
	char why[PORT_TEXT_MAX];

	if (settings->ifname[0] != '\0')
		return 0;
	if (netif_check_name(base->name, why, sizeof(why)) < 0)
		return text_fail(err, err_size, -EINVAL,
				"add-port %s: its interface cannot have the port's name: %s; give "
				"it one with --ifname",
				base->name, why);
	snprintf(settings->ifname, sizeof(settings->ifname), "%.*s", IFNAMSIZ - 1, base->name);
	return 0;
}

static int
start(struct port *base, char *err, size_t err_size)
{
	struct kernel_port *port = kernel_port(base);
	struct port_settings *settings = &base->wanted;
	char why[PORT_TEXT_MAX];
	int ret;

	*settings = base->settings;
	ret = choose_ifname(base, settings, err, err_size);
	if (ret < 0)
		return ret;
	if (settings->netns[0] == '\0')
		ret = port_refuse_interface(base, settings->ifname, err, err_size);
	if (ret < 0)
		return ret;
	ret = kernel_monitor_enter(port, &watcher, why, sizeof(why));
	if (ret < 0)
		return text_fail(err, err_size, ret, "add-port %s: %s", base->name, why);
	prepare(port, &port->change);
	ret = helper_run(port, "making the interface of port", base->name, kernel_job_start,
			on_started, &port->change);
	if (ret == 0)
		return -EINPROGRESS;
	kernel_monitor_leave(port);
	return text_fail(err, err_size, ret, "add-port %s: no memory", base->name);
}

static int
launch(struct port *base, char *err, size_t err_size)
{
	struct kernel_port *port = kernel_port(base);
	int ret = port->backend->run(port);

	if (ret < 0)
		return text_fail(err, err_size, ret,
				"add-port %s: interface %s: cannot wait for "
				"its frames: %s",
				base->name, interface_of(port), strerror(-ret));
	/* What happened to it while it was made was nobody's yet. */
	look(port);
	return 0;
}

/* ---- Set ---- */

/* What of the settings changes: what the interface has to do with, and what the forwarding table alone. */
static void
find_changes(const struct port_settings *now, const struct port_settings *wanted, bool *interface,
		bool *forwarding)
{
	const struct port_option *option = NULL;

	*interface = *forwarding = false;
	while ((option = port_settings_change(now, wanted, option)) != NULL)
		*(option->forwarding_only ? forwarding : interface) = true;
}

/* Frames flow again, unless the device does not start any more. */
static void
resume(struct kernel_port *port)
{
	if (!port->halted)
		return;
	port->halted = false;
	if (port->backend->run(port) < 0)
		mark_gone(port, KERNEL_BROKEN);
}

static void
on_set(void *arg)
{
	struct kernel_job *job = arg;
	struct kernel_port *port = job->port;
	char err[KERNEL_ERR_MAX + PORT_NAME_MAX + 16];

	resume(port);
	if (job->ret < 0) {
		snprintf(err, sizeof(err), "set-port %s: %s", port->base.name, job->err);
		port_changed(&port->base, err);
		return;
	}
	port->backend->changed(port, job->wanted);
	if (port->view.fate == KERNEL_ALIVE)
		follow_link(port, &job->view);
	port_changed(&port->base, NULL);
}

static void
begin_change(void *arg)
{
	struct kernel_port *port = arg;

	if (helper_run(port, "changing the interface of port", port->base.name, kernel_job_set,
			    on_set, &port->change) == 0)
		return;
	port->change.ret = text_fail(
			port->change.err, sizeof(port->change.err), -ENOMEM, "no memory");
	on_set(&port->change);
}

static int
set(struct port *base, const struct port_settings *settings, char *err, size_t err_size)
{
	struct kernel_port *port = kernel_port(base);
	bool interface, forwarding;

	find_changes(&base->settings, settings, &interface, &forwarding);
	if (forwarding && !interface)
		return 0;
	if (port->view.fate != KERNEL_ALIVE)
		return text_fail(err, err_size, -ENODEV,
				"set-port %s: interface %s is gone; delete the port and add it again",
				base->name, interface_of(port));
	prepare(port, &port->change);
	port->change.assert_all = !interface;
	port->halted = port->backend->must_halt(&base->settings, settings);
	if (port->halted)
		port->backend->halt(port, begin_change);
	else
		begin_change(port);
	return -EINPROGRESS;
}

/* ---- Stop ---- */

static void
on_closed(void *arg)
{
	struct kernel_port *port = ((struct kernel_job *)arg)->port;

	port->stopped(port->stopped_arg);
}

/* The workers use it no more. */
static void
on_quiet(void *arg)
{
	struct kernel_port *port = arg;

	prepare(port, &port->change);
	if (helper_run(port, "closing the interface of port", port->base.name, kernel_job_close,
			    on_closed, &port->change) == 0)
		return;
	/* Without memory for a job a moment's halt is better than an interface left behind. */
	kernel_job_close(&port->change);
	on_closed(&port->change);
}

static void
stop(struct port *base, void (*done)(void *arg), void *arg)
{
	struct kernel_port *port = kernel_port(base);

	port->stopped = done;
	port->stopped_arg = arg;
	kernel_monitor_leave(port);
	port->backend->halt(port, on_quiet);
}

/* ---- Questions ---- */

static enum port_state
state(const struct port *base)
{
	const struct kernel_port *port = kernel_port(base);

	if (port->view.fate != KERNEL_ALIVE || !base->settings.enabled || !port->view.link.carrier)
		return PORT_DOWN;
	return PORT_UP;
}

static void
state_text(const struct port *base, char *text, size_t size)
{
	const struct kernel_port *port = kernel_port(base);

	if (port->view.fate != KERNEL_ALIVE)
		gone_text(port, text, size);
	else if (!base->settings.enabled)
		snprintf(text, size, "down: the port is disabled; `set-port %s enabled=on`",
				base->name);
	else if (!port->view.link.up)
		snprintf(text, size,
				"down: interface %s is set down; `set-port %s up=on`, or `ip link "
				"set %s up` where it is",
				interface_of(port), base->name, interface_of(port));
	else if (!port->view.link.carrier)
		snprintf(text, size, "down: interface %s has no carrier", interface_of(port));
	else
		snprintf(text, size, "up: interface %s", interface_of(port));
}

static void
device(const struct port *base, struct port_device *out)
{
	const struct kernel_port *port = kernel_port(base);
	const struct netif_link *link = &port->view.link;

	*out = (struct port_device){
		.backend = port->backend->name,
		.mtu = link->mtu,
		.link_up = state(base) == PORT_UP,
	};
	port->backend->describe(port, out);
	out->dropped.known = 1u << DEVICE_DROP_TX_DROPPED | 1u << DEVICE_DROP_RX_DROPPED;
	out->dropped.frames[DEVICE_DROP_TX_DROPPED] = link->tx_dropped;
	out->dropped.frames[DEVICE_DROP_RX_DROPPED] = link->rx_dropped;
	snprintf(out->why, sizeof(out->why), "%s", port->why);
	snprintf(out->ifname, sizeof(out->ifname), "%s", link->name);
	snprintf(out->netns, sizeof(out->netns), "%s", port->view.netns);
	memcpy(out->mac, link->mac, sizeof(out->mac));
}

static bool
interface(const struct port *base, char ifname[IFNAMSIZ])
{
	const struct kernel_port *port = kernel_port(base);

	if (base->starting || base->awaits)
		return false;
	snprintf(ifname, IFNAMSIZ, "%s", interface_of(port));
	return ifname[0] != '\0' && port->view.netns[0] == '\0';
}

const struct port_ops kernel_port_ops = {
	.type = "kernel",
	.may_await = true,
	.create = create,
	.start = start,
	.launch = launch,
	.stop = stop,
	.release = release,
	.set = set,
	.state = state,
	.state_text = state_text,
	.device = device,
	.interface = interface,
};
