/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel port's backend that needs /dev/net/tun alone: a TAP of our own. See kernel_port.h. */
#include "kernel_port.h"

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
	for (uint32_t i = 0; i < port->n_queues; i++) {
		port->base.sources[i] = &port->tap_queue[i].source.base;
		port->base.sinks[i] = &port->tap_queue[i].sink.base;
	}
	port->base.n_sources = port->base.n_sinks = port->n_queues;
}

static int
run(struct kernel_port *port)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < port->n_queues; i++) {
		struct kernel_tap_queue *queue = &port->tap_queue[i];

		tap_source_use(&queue->source, &port->tap);
		tap_sink_use(&queue->sink, &port->tap);
		ret = worker_watch(&queue->source.base, port->tap.fds[i]);
	}
	return ret;
}

/* A port that is deleted before it ran has no worker. */
static void
halt(struct kernel_port *port, void (*quiet)(void *port))
{
	for (uint32_t i = 0; i < port->n_queues; i++) {
		struct kernel_tap_queue *queue = &port->tap_queue[i];

		tap_source_use(&queue->source, NULL);
		tap_sink_use(&queue->sink, NULL);
		if (queue->source.base.worker >= 0)
			worker_unwatch(&queue->source.base, port->tap.fds[i]);
	}
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
	for (uint32_t i = 0; i < port->n_queues; i++)
		tap_sink_set_offload(&port->tap_queue[i].sink, settings->offload);
}

/* The kernel may have queued frames while offloads were on: whoever asks hears what it may give now. */
static void
describe(const struct kernel_port *port, struct port_device *device)
{
	device->interrupts = true;
	device->queues = port->base.settings.queues;
	device->takes = port->tap_queue[0].sink.base.takes;
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
