/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel port's backend that needs /dev/net/tun alone: a TAP of our own. See port_kernel.h. */
#include "port_kernel.h"

#include <string.h>

#include "base/grace.h"
#include "text/text.h"
#include "worker/worker.h"

static int
open_tap(struct kernel_port *port, struct netif *own, const char *ifname,
		const struct port_settings *settings, char *err, size_t err_size)
{
	int ret = tap_open(&port->tap, own, ifname != NULL ? ifname : "vswitch%d", settings->queues,
			err, err_size);

	return ret < 0 ? ret : port->tap.adopted;
}

static int
change(struct kernel_port *port, const struct port_settings *wanted, char *err, size_t err_size)
{
	int ret = tap_set_offload(&port->tap, wanted->offload);

	return ret == 0 ? 0
			: text_fail(err, err_size, ret, "its offloads cannot be changed: %s",
					  strerror(-ret));
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
unwatch(struct kernel_port *port)
{
	for (uint32_t i = 0; i < port->tap.queues; i++)
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
halt(struct kernel_port *port, void (*quiet)(void *port))
{
	tap_source_use(&port->tap_source, NULL);
	tap_sink_use(&port->tap_sink, NULL);
	if (port->tap_source.base.worker >= 0)
		unwatch(port);
	grace_call(quiet, port);
}

static bool
must_halt(const struct port_settings *now, const struct port_settings *wanted)
{
	(void)now;
	(void)wanted;
	return false;
}

static void
changed(struct kernel_port *port, const struct port_settings *settings)
{
	tap_sink_set_offload(&port->tap_sink, settings->offload);
}

/* The kernel may have queued frames while offloads were on: whoever asks hears what it may give now. */
static void
describe(const struct kernel_port *port, struct port_device *device)
{
	device->interrupts = true;
	device->queues = port->base.settings.queues;
	device->takes = port->tap_sink.base.takes;
	device->gives = port->base.settings.offload ? FRAME_NEEDS_ALL : 0;
}

const struct kernel_backend kernel_tap = {
	.name = "tap",
	.open = open_tap,
	.change = change,
	.close = close_tap,
	.choose = choose,
	.run = run,
	.halt = halt,
	.must_halt = must_halt,
	.changed = changed,
	.describe = describe,
};
