/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port of kind ethdev: a device that DPDK drives, probed and removed while the switch runs. Control
 * thread; what may wait is done on the helper thread (ethdev.h says what).
 *
 * Jobs of a port run in the order in which they are posted, so the one that closes the device comes
 * after all others, and when it has ended nobody knows the port any more.
 */
#include "ethdev_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/helper.h"
#include "text/text.h"

/* ---- Start and stop ---- */

static struct port *
create(uint16_t id, const struct port_settings *settings)
{
	struct ethdev_port *port = calloc(1, sizeof(*port));

	if (port == NULL || ethdev_init(&port->dev, id, settings->queues) < 0) {
		free(port);
		return NULL;
	}
	for (uint32_t i = 0; i < settings->queues; i++) {
		port->base.sources[i] = &port->dev.queue[i].source;
		port->base.sinks[i] = &port->dev.queue[i].sink;
	}
	return &port->base;
}

static void
open_work(void *arg)
{
	struct ethdev_port *port = arg;

	port->ret = ethdev_open(&port->dev, &port->wanted, port->err, sizeof(port->err));
}

static void
open_done(void *arg)
{
	struct ethdev_port *port = arg;
	char err[PORT_TEXT_MAX * 2];

	if (port->ret < 0) {
		snprintf(err, sizeof(err), "add-port %s: %s", port->base.name, port->err);
		port_started(&port->base, port->ret, err);
		return;
	}
	port->status = port->dev.status;
	port->base.n_sources = port->base.n_sinks = port->dev.queues;
	port_started(&port->base, 0, NULL);
}

static int
start(struct port *base, char *err, size_t err_size)
{
	struct ethdev_port *port = ethdev_port(base);
	int ret;

	if (base->settings.devargs[0] == '\0')
		return text_fail(err, err_size, -EINVAL,
				"add-port %s: a port of type ethdev needs --devargs, as in --devargs "
				"net_af_packet0,iface=eth0",
				base->name);
	ret = ethdev_port_refuse_second(base, err, err_size);
	if (ret != 0)
		return ret;
	ethdev_port_config(&base->settings, &port->wanted);
	if (helper_run(port, "opening the device of port", base->name, open_work, open_done, port) <
			0)
		return text_fail(err, err_size, -ENOMEM, "add-port %s: no memory", base->name);
	return -EINPROGRESS;
}

static int
launch(struct port *base, char *err, size_t err_size)
{
	struct ethdev_port *port = ethdev_port(base);
	int ret = ethdev_port_run(port);

	if (ret < 0)
		return text_fail(err, err_size, ret,
				"add-port %s: the interrupts of %s cannot be watched: %s",
				base->name, port->dev.driver, strerror(-ret));
	ethdev_port_watch(port);
	return 0;
}

static void
on_quiet(void *arg)
{
	struct ethdev_port *port = arg;

	if (!port->looking)
		ethdev_port_close(port);
	else
		port->stopping = true;
}

static void
stop(struct port *base, void (*done)(void *arg), void *arg)
{
	struct ethdev_port *port = ethdev_port(base);

	port->stopped = done;
	port->stopped_arg = arg;
	ethdev_port_unwatch(port);
	ethdev_pause(&port->dev, on_quiet, port);
}

static void
release(struct port *base)
{
	struct ethdev_port *port = ethdev_port(base);

	ethdev_release(&port->dev);
	free(port);
}

/* ---- Changes ---- */

static void
change_work(void *arg)
{
	struct ethdev_port *port = arg;

	port->ret = ethdev_change(&port->dev, &port->wanted, port->err, sizeof(port->err));
}

static void
change_done(void *arg)
{
	struct ethdev_port *port = arg;
	char err[PORT_TEXT_MAX * 2];

	if (port->paused && !port->dev.status.gone && ethdev_port_run(port) < 0)
		port->dev.status.gone = true;
	port->paused = false;
	ethdev_port_accept(port, &port->dev.status);
	snprintf(err, sizeof(err), "set-port %s: %s", port->base.name, port->err);
	port_changed(&port->base, port->ret < 0 ? err : NULL);
}

static void
begin_change(void *arg)
{
	struct ethdev_port *port = arg;

	if (helper_run(port, "changing the device of port", port->base.name, change_work,
			    change_done, port) < 0) {
		snprintf(port->err, sizeof(port->err), "no memory");
		port->ret = -ENOMEM;
		change_done(port);
	}
}

static int
set(struct port *base, const struct port_settings *settings, char *err, size_t err_size)
{
	struct ethdev_port *port = ethdev_port(base);

	if (port->returning || (port->status.gone && ethdev_may_return(&port->dev)))
		return 0; /* it comes back with them */
	if (port->status.gone) {
		char text[PORT_TEXT_MAX];

		return text_fail(err, err_size, -ENODEV, "set-port %s: %s", base->name,
				ethdev_port_gone_text(port, text, sizeof(text)));
	}
	ethdev_port_config(settings, &port->wanted);
	if (ethdev_port_same(&port->dev.config, &port->wanted))
		return 0;
	port->paused = ethdev_must_pause(&port->dev.config, &port->wanted);
	if (port->paused)
		ethdev_pause(&port->dev, begin_change, port);
	else if (helper_run(port, "changing the device of port", port->base.name, change_work,
				 change_done, port) < 0)
		return text_fail(err, err_size, -ENOMEM, "set-port %s: no memory", base->name);
	return -EINPROGRESS;
}

/* ---- Questions ---- */

static enum port_state
state(const struct port *base)
{
	const struct ethdev_port *port = ethdev_port(base);

	return port->status.link_up && !port->status.gone ? PORT_UP : PORT_DOWN;
}

static void
state_text(const struct port *base, char *text, size_t size)
{
	const struct ethdev_port *port = ethdev_port(base);
	char gone[PORT_TEXT_MAX];

	if (port->status.gone)
		snprintf(text, size, "down: %s", ethdev_port_gone_text(port, gone, sizeof(gone)));
	else if (!port->dev.config.link_up)
		snprintf(text, size, "down: the port is %s",
				base->settings.enabled ? "set to up=off" : "disabled");
	else if (!port->status.link_up && ethdev_calls_peer(&port->dev))
		snprintf(text, size,
				"down: the link of %s is down; its peer is called again every second",
				port->dev.driver);
	else if (!port->status.link_up)
		snprintf(text, size, "down: the link of %s is down", port->dev.driver);
	else
		snprintf(text, size, "up");
}

static void
device(const struct port *base, struct port_device *info)
{
	const struct ethdev_port *port = ethdev_port(base);

	ethdev_info(&port->dev, &port->status, info);
}

const struct port_ops ethdev_port_ops = {
	.type = "ethdev",
	.may_await = true,
	.init = ethdev_port_watch_init,
	.create = create,
	.start = start,
	.launch = launch,
	.stop = stop,
	.release = release,
	.set = set,
	.state = state,
	.state_text = state_text,
	.device = device,
	.interface = ethdev_port_interface,
};
