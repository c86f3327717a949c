/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel port's backend that needs /dev/net/tun alone: a TAP of our own. See port_kernel.h. */
#include "port_kernel.h"

#include <errno.h>

#include "netns.h"
#include "worker.h"

static int
open_tap(struct kernel_port *port, struct netif *own, const char *ifname,
		const struct port_settings *settings, char *err, size_t err_size)
{
	int ret = tap_open(&port->tap, own, ifname != NULL ? ifname : "vswitch%d", settings->queues,
			err, err_size);

	return ret < 0 ? ret : port->tap.adopted;
}

static int
name_of(const struct kernel_port *port, char name[IFNAMSIZ])
{
	return tap_name(&port->tap, name);
}

static int
netns_of(const struct kernel_port *port, const struct port_settings *settings, char *err,
		size_t err_size)
{
	(void)settings;
	return netns_of_tap(port->tap.fds[0], err, err_size);
}

static int
set_offload(struct kernel_port *port, bool on)
{
	return tap_set_offload(&port->tap, on);
}

static int
set_carrier(struct kernel_port *port, bool on)
{
	return tap_set_carrier(&port->tap, on);
}

static void
close_tap(struct kernel_port *port)
{
	tap_close(&port->tap);
}

static void
choose(struct kernel_port *port)
{
	port->base.source = &port->tap_source.base;
	port->base.sink = &port->tap_sink.base;
}

static void
unwatch(struct kernel_port *port, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		worker_unwatch(&port->tap_source.base, port->tap.fds[i]);
}

static int
run(struct kernel_port *port)
{
	tap_source_use(&port->tap_source, &port->tap);
	tap_sink_use(&port->tap_sink, &port->tap);
	for (uint32_t i = 0; i < port->tap.queues; i++) {
		int ret = worker_watch(&port->tap_source.base, port->tap.fds[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A port that is deleted before it ran has no worker. */
static void
halt(struct kernel_port *port)
{
	tap_source_use(&port->tap_source, NULL);
	tap_sink_use(&port->tap_sink, NULL);
	if (port->tap_source.base.worker >= 0)
		unwatch(port, port->tap.queues);
}

static void
follow_offload(struct kernel_port *port, bool on)
{
	tap_sink_set_offload(&port->tap_sink, on);
}

const struct kernel_backend kernel_tap = {
	.name = "tap",
	.open = open_tap,
	.name_of = name_of,
	.netns_of = netns_of,
	.set_offload = set_offload,
	.set_carrier = set_carrier,
	.close = close_tap,
	.choose = choose,
	.run = run,
	.halt = halt,
	.follow_offload = follow_offload,
};
