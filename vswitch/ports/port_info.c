/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be asked of a port: settings, state, counters, rates. Counters are read while workers
 * write them; clearing only moves the origin, so that no writer but theirs ever exists.
 */
#include "port_kind.h"

#include <stdio.h>

#include "base/clock.h"

static const char *const state_names[] = {
	[PORT_WAITING] = "waiting",
	[PORT_NEGOTIATING] = "negotiating",
	[PORT_UP] = "up",
	[PORT_STOPPED] = "stopped",
	[PORT_FAULT] = "fault",
	[PORT_DOWN] = "down",
};

const char *
port_name(const struct port *port)
{
	return port->name;
}

uint16_t
port_id(const struct port *port)
{
	return port->id;
}

const char *
port_type(const struct port *port)
{
	return port->ops->type;
}

const struct port_settings *
port_settings(const struct port *port)
{
	return &port->settings;
}

const char *
port_path(const struct port *port)
{
	return port->path;
}

enum port_state
port_state(const struct port *port)
{
	return port->awaits ? PORT_WAITING : port->ops->state(port);
}

const char *
port_state_name(enum port_state state)
{
	return state_names[state];
}

void
port_state_text(const struct port *port, char *text, size_t size)
{
	if (port->awaits)
		snprintf(text, size, "waiting, and tried again every second: %s", port->missing);
	else
		port->ops->state_text(port, text, size);
}

const struct socket_peer *
port_peer(const struct port *port)
{
	return port->ops->peer != NULL ? port->ops->peer(port) : NULL;
}

const struct session *
port_session(const struct port *port)
{
	return port->ops->session != NULL ? port->ops->session(port) : NULL;
}

bool
port_device(const struct port *port, struct port_device *device)
{
	if (port->ops->device == NULL || port->awaits)
		return false;
	*device = (struct port_device){ 0 };
	port->ops->device(port, device);
	return true;
}

bool
port_vring_info(const struct port *port, uint32_t index, struct port_vring_info *info)
{
	return port->ops->vring_info != NULL && port->ops->vring_info(port, index, info);
}

uint64_t
port_rejected(const struct port *port)
{
	return port->ops->rejected != NULL ? port->ops->rejected(port) : 0;
}

const struct port_fault *
port_fault(const struct port *port)
{
	return &port->fault;
}

static void
add_source(const struct counters *in, struct port_stats *stats)
{
	stats->rx_frames += counter_read(&in->frames);
	stats->rx_bytes += counter_read(&in->bytes);
	stats->copies_due += counter_read(&in->copies_due);
	for (uint32_t i = 0; i < DROP_REASONS; i++)
		stats->drops[i] += counter_read(&in->drops[i]);
}

static void
add_sink(const struct counters *out, struct port_stats *stats)
{
	stats->tx_frames += counter_read(&out->frames);
	stats->tx_bytes += counter_read(&out->bytes);
	stats->checksummed += counter_read(&out->checksummed);
	stats->segmented += counter_read(&out->segmented);
	stats->segments += counter_read(&out->segments);
	for (uint32_t i = 0; i < DROP_REASONS; i++)
		stats->drops[i] += counter_read(&out->drops[i]);
}

/* Of all queues, those that are not used any more included. */
static void
read_counters(const struct port *port, struct port_stats *stats)
{
	*stats = (struct port_stats){ 0 };
	for (uint32_t i = 0; i < PORT_QUEUES_MAX && port->sources[i] != NULL; i++)
		add_source(&port->sources[i]->counters, stats);
	for (uint32_t i = 0; i < PORT_QUEUES_MAX && port->sinks[i] != NULL; i++)
		add_sink(&port->sinks[i]->counters, stats);
}

static void
subtract(struct port_stats *stats, const struct port_stats *origin)
{
	stats->rx_frames -= origin->rx_frames;
	stats->rx_bytes -= origin->rx_bytes;
	stats->tx_frames -= origin->tx_frames;
	stats->tx_bytes -= origin->tx_bytes;
	stats->copies_due -= origin->copies_due;
	stats->checksummed -= origin->checksummed;
	stats->segmented -= origin->segmented;
	stats->segments -= origin->segments;
	for (uint32_t i = 0; i < DROP_REASONS; i++)
		stats->drops[i] -= origin->drops[i];
}

void
port_stats(const struct port *port, struct port_stats *stats)
{
	read_counters(port, stats);
	subtract(stats, &port->cleared);
}

void
port_clear_stats(struct port *port)
{
	read_counters(port, &port->cleared);
}

void
port_rates(const struct port *port, struct port_rates *rates)
{
	*rates = port->rates;
}

/* Percent of the time since the last sample that `from` to `to` seconds are. */
static double
percent(double from, double to, uint64_t ns)
{
	return ns > 0 ? 100e9 * (to - from) / (double)ns : 0;
}

void
port_time(const struct port *port, struct port_time *time)
{
	uint64_t taking = 0, turns = 0;

	for (uint32_t i = 0; i < PORT_QUEUES_MAX && port->sources[i] != NULL; i++) {
		taking += counter_read(&port->sources[i]->taking);
		turns += counter_read(&port->sources[i]->turns);
	}
	time->taking_s = account_seconds(taking);
	time->turns_s = account_seconds(turns);
	account_info(port->id, &time->account);
}

static void
sample_time(struct port *port)
{
	const struct port_time before = port->sampled_time;
	struct port_time now;
	uint64_t ns = clock_ns(), elapsed = ns - port->sampled_ns;

	port_time(port, &now);
	port->rates.time_percent = percent(before.taking_s + before.account.placing_s,
			now.taking_s + now.account.placing_s, elapsed);
	port->rates.turns_percent = percent(before.turns_s, now.turns_s, elapsed);
	port->sampled_time = now;
	port->sampled_ns = ns;
}

void
port_sample_rates(struct port *port)
{
	struct port_stats now, delta;
	uint64_t drops = 0;

	read_counters(port, &now);
	delta = now;
	subtract(&delta, &port->sampled);
	port->sampled = now;
	for (uint32_t i = 0; i < DROP_REASONS; i++)
		drops += delta.drops[i];
	port->rates = (struct port_rates){
		.rx_fps = delta.rx_frames,
		.rx_bps = 8.0 * (double)delta.rx_bytes,
		.tx_fps = delta.tx_frames,
		.tx_bps = 8.0 * (double)delta.tx_bytes,
		.drop_fps = drops,
	};
	sample_time(port);
}
