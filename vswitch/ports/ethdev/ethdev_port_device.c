/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the life of an ethdev port (ethdev_port.c) and the looks at its device (ethdev_port_watch.c) both
 * do with the device. Control thread; see ethdev_port.h.
 */
#include "ethdev_port.h"

#include <string.h>

#include "worker/helper.h"

void
ethdev_port_config(const struct port_settings *settings, struct ethdev_config *config)
{
	*config = (struct ethdev_config){
		.queues = settings->queues,
		.mtu = settings->mtu,
		.offload = settings->offload,
		.promiscuous = settings->promiscuous,
		.link_up = settings->up && settings->enabled,
		.has_mac = settings->mac.given,
	};
	memcpy(config->devargs, settings->devargs, sizeof(config->devargs));
	memcpy(config->mac, settings->mac.bytes, sizeof(config->mac));
}

bool
ethdev_port_same(const struct ethdev_config *a, const struct ethdev_config *b)
{
	return !ethdev_must_pause(a, b) && a->promiscuous == b->promiscuous &&
			a->link_up == b->link_up && a->has_mac == b->has_mac &&
			memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

int
ethdev_port_run(struct ethdev_port *port)
{
	int ret = port_use_queues(&port->base, port->dev.queues);

	return ret == 0 ? ethdev_run(&port->dev) : ret;
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

void
ethdev_port_close(struct ethdev_port *port)
{
	/* Without memory for a job: this thread waits for the device. */
	if (helper_run(port, "closing the device of port", port->base.name, close_work, close_done,
			    port) < 0) {
		close_work(port);
		close_done(port);
	}
}
