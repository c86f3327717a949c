/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port of kind ethdev: a device that DPDK drives, probed and removed while the switch runs. Control
 * thread; what may wait is done on the helper thread (ethdev.h says what).
 *
 * Jobs of a port run in the order in which they are posted, so the one that closes the device comes
 * after all others, and when it has ended nobody knows the port any more. Once a second each device
 * is looked at: whether it is there, its link, its MAC and its MTU.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "ethdev.h"
#include "helper.h"
#include "log.h"
#include "port_kind.h"
#include "text.h"

struct ethdev_port {
	struct port base;
	struct ethdev dev;
	TAILQ_ENTRY(ethdev_port) link; /* in launched_ports */
	bool launched, stopping;
	bool looking;		     /* a look is under way; the helper writes `seen` */
	bool paused;		     /* for a change that is under way */
	struct ethdev_status status; /* the last that was seen */
	struct ethdev_status seen;
	struct ethdev_config wanted; /* of the start or change under way */
	int ret;		     /* of that; written by the helper */
	char err[PORT_TEXT_MAX];
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static TAILQ_HEAD(, ethdev_port) launched_ports = TAILQ_HEAD_INITIALIZER(launched_ports);

static struct ethdev_port *
ethdev_port(const struct port *port)
{
	return (struct ethdev_port *)(uintptr_t)port;
}

static void
make_config(const struct port_settings *settings, struct ethdev_config *config)
{
	*config = (struct ethdev_config){
		.queues = settings->queues,
		.mtu = settings->mtu,
		.offload = settings->offload,
		.promiscuous = settings->promiscuous,
		.link_up = settings->up && settings->enabled,
		.has_mac = settings->has_mac,
	};
	memcpy(config->devargs, settings->devargs, sizeof(config->devargs));
	memcpy(config->mac, settings->mac, sizeof(config->mac));
}

static bool
same_config(const struct ethdev_config *a, const struct ethdev_config *b)
{
	return !ethdev_must_pause(a, b) && a->promiscuous == b->promiscuous &&
			a->link_up == b->link_up && a->has_mac == b->has_mac &&
			memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

/* ---- Looking ---- */

static void
nothing(void *arg)
{
	(void)arg;
}

static const char *
gone_text(const struct ethdev_port *port, char *text, size_t size)
{
	if (port->dev.ifname[0] != '\0')
		snprintf(text, size,
				"interface %s of %s is gone; delete the port, and add it again when "
				"the interface is there",
				port->dev.ifname, port->dev.driver);
	else
		snprintf(text, size,
				"the device is gone or does not start any more; delete the port, and "
				"add it again when the device is there");
	return text;
}

/* From now on nobody touches the device but to remove it. */
static void
mark_gone(struct ethdev_port *port)
{
	char text[PORT_TEXT_MAX];

	ethdev_pause(&port->dev, nothing, NULL);
	log_warning("port %s: %s", port->base.name, gone_text(port, text, sizeof(text)));
	port_report_fault(&port->base, text);
}

static void
accept_status(struct ethdev_port *port, const struct ethdev_status *status)
{
	bool was_gone = port->status.gone;

	if (port->status.link_up != status->link_up)
		log_debug("port %s: link %s", port->base.name, status->link_up ? "up" : "down");
	port->status = *status;
	if (status->gone && !was_gone)
		mark_gone(port);
	port_report_link(&port->base);
}

static void
look_work(void *arg)
{
	struct ethdev_port *port = arg;

	ethdev_look(&port->dev, &port->seen);
}

static void begin_close(struct ethdev_port *port);

static void
look_done(void *arg)
{
	struct ethdev_port *port = arg;

	port->looking = false;
	if (port->stopping)
		begin_close(port);
	else if (port->base.changed == NULL && !port->base.deleting)
		accept_status(port,
				&port->seen); /* a change looks itself, and who leaves is paused */
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct ethdev_port *port;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH (port, &launched_ports, link) {
		if (port->looking || port->base.changed != NULL || port->status.gone)
			continue;
		port->looking = helper_run(port, "looking at the device of port", port->base.name,
						look_work, look_done, port) == 0;
	}
}

static int
init(struct event_base *base)
{
	const struct timeval second = { .tv_sec = 1 };
	static struct event timer;

	event_assign(&timer, base, -1, EV_PERSIST, on_second, NULL);
	return event_add(&timer, &second) < 0 ? -ENOMEM : 0;
}

/* ---- Start and stop ---- */

static struct port *
create(uint16_t id)
{
	struct ethdev_port *port = calloc(1, sizeof(*port));

	if (port == NULL)
		return NULL;
	ethdev_init(&port->dev, id);
	port->base.source = &port->dev.source;
	port->base.sink = &port->dev.sink;
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
		port_report_started(&port->base, port->ret, err);
		return;
	}
	port->status = port->dev.status;
	port_report_started(&port->base, 0, NULL);
}

static bool
same_file(const struct stat *file, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == file->st_dev &&
			other.st_ino == file->st_ino;
}

/* A device that is the frontend of a port of this switch brings back each frame that is flooded. */
static int
refuse_loop(const struct port *base, char *err, size_t err_size)
{
	const char *argument = strstr(base->settings.devargs, ",path=");
	char path[PORT_DEVARGS_MAX];
	const struct port *other;
	struct stat file;

	if (argument == NULL)
		return 0;
	argument += strlen(",path=");
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(argument, ","), argument);
	if (stat(path, &file) != 0)
		return 0;
	for (other = port_first(); other != NULL; other = port_next(other))
		if (strcmp(port_type(other), "vhost-user") == 0 &&
				same_file(&file, port_path(other)))
			return text_fail(err, err_size, -EINVAL,
					"add-port %s: path=%s is the socket of port %s of this switch, "
					"and frames would go round for ever; give that of a port of "
					"another switch",
					base->name, path, port_name(other));
	return 0;
}

static int
start(struct port *base, char *err, size_t err_size)
{
	struct ethdev_port *port = ethdev_port(base);

	if (base->settings.devargs[0] == '\0')
		return text_fail(err, err_size, -EINVAL,
				"add-port %s: a port of type ethdev needs --devargs, as in --devargs "
				"net_af_packet0,iface=eth0",
				base->name);
	if (refuse_loop(base, err, err_size) != 0)
		return -EINVAL;
	make_config(&base->settings, &port->wanted);
	if (helper_run(port, "opening the device of port", base->name, open_work, open_done, port) <
			0)
		return text_fail(err, err_size, -ENOMEM, "add-port %s: no memory", base->name);
	return -EINPROGRESS;
}

static int
launch(struct port *base, char *err, size_t err_size)
{
	struct ethdev_port *port = ethdev_port(base);
	int ret = ethdev_run(&port->dev);

	if (ret < 0)
		return text_fail(err, err_size, ret,
				"add-port %s: the interrupts of %s cannot be watched: %s",
				base->name, port->dev.driver, strerror(-ret));
	port->launched = true;
	TAILQ_INSERT_TAIL(&launched_ports, port, link);
	return 0;
}

static void
close_work(void *arg)
{
	struct ethdev_port *port = arg;

	ethdev_close(&port->dev);
}

static void
close_done(void *arg)
{
	struct ethdev_port *port = arg;

	port->stopped(port->stopped_arg);
}

/* Workers and looks have left the device. */
static void
begin_close(struct ethdev_port *port)
{
	/* Without memory for a job: this thread waits for the device. */
	if (helper_run(port, "closing the device of port", port->base.name, close_work, close_done,
			    port) < 0) {
		close_work(port);
		close_done(port);
	}
}

static void
on_quiet(void *arg)
{
	struct ethdev_port *port = arg;

	if (!port->looking)
		begin_close(port);
	else
		port->stopping = true;
}

static void
stop(struct port *base, void (*done)(void *arg), void *arg)
{
	struct ethdev_port *port = ethdev_port(base);

	port->stopped = done;
	port->stopped_arg = arg;
	if (port->launched)
		TAILQ_REMOVE(&launched_ports, port, link);
	port->launched = false;
	ethdev_pause(&port->dev, on_quiet, port);
}

static void
release(struct port *base)
{
	free(ethdev_port(base));
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

	if (port->paused && !port->dev.status.gone && ethdev_run(&port->dev) < 0)
		port->dev.status.gone = true;
	port->paused = false;
	accept_status(port, &port->dev.status);
	snprintf(err, sizeof(err), "set-port %s: %s", port->base.name, port->err);
	port_report_set(&port->base, port->ret < 0 ? err : NULL);
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

	make_config(settings, &port->wanted);
	if (same_config(&port->dev.config, &port->wanted))
		return 0;
	if (port->status.gone) {
		char text[PORT_TEXT_MAX];

		return text_fail(err, err_size, -ENODEV, "set-port %s: %s", base->name,
				gone_text(port, text, sizeof(text)));
	}
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
		snprintf(text, size, "down: %s", gone_text(port, gone, sizeof(gone)));
	else if (!port->dev.config.link_up)
		snprintf(text, size, "down: the port is %s",
				base->settings.enabled ? "set to up=off" : "disabled");
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

const struct port_ops port_ethdev_ops = {
	.type = "ethdev",
	.may_await = true,
	.init = init,
	.create = create,
	.start = start,
	.launch = launch,
	.stop = stop,
	.release = release,
	.set = set,
	.state = state,
	.state_text = state_text,
	.device = device,
};
