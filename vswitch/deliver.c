/* SPDX-License-Identifier: BSD-3-Clause */
#include "deliver.h"

#include <stddef.h>

static inline void
add_receiver(struct delivery *delivery, uint16_t port, uint8_t frame)
{
	if (delivery->counts[port] == 0)
		delivery->receivers[delivery->n_receivers++] = port;
	delivery->lists[port][delivery->counts[port]++] = frame;
}

static void
add_flood(struct delivery *delivery, const struct flood_group *group, uint16_t ingress,
		uint8_t frame)
{
	for (uint32_t i = 0; i < group->n; i++)
		if (group->ports[i] != ingress)
			add_receiver(delivery, group->ports[i], frame);
}

/* Sorts the burst into the receivers' lists and counts the source's side. */
static void
sort_burst(struct delivery *delivery, const struct forward_table *table, struct source *source,
		const struct burst *burst, const struct verdict *verdicts)
{
	const struct verdict flood = { .kind = VERDICT_FLOOD };
	struct counters *counters = &source->counters;
	uint32_t n = burst->n, n_floods = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (verdicts[i].kind == VERDICT_PORT) {
			add_receiver(delivery, verdicts[i].port, i);
		} else if (verdicts[i].kind == VERDICT_FLOOD) {
			add_flood(delivery, &table->flood, source->port, i);
			n_floods++;
		} else {
			counter_add(&counters->drops[verdicts[i].reason], 1);
		}
	}
	counter_add(&counters->copies_due,
			n - n_floods +
					(uint64_t)n_floods *
							forward_copies(table, source->port,
									&flood));
}

/* Takes frames over the receiver's limit out of its list; returns how many are left. */
static uint32_t
drop_too_big(struct sink *sink, const struct forward_port *port, const struct burst *burst,
		uint8_t *list, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (burst->frames[list[i]].len <= port->max_frame)
			list[kept++] = list[i];
	if (kept < n)
		counter_add(&sink->counters.drops[DROP_TOO_BIG], n - kept);
	return kept;
}

static void
deliver_list(const struct forward_port *port, const struct burst *burst, uint8_t *list, uint32_t n)
{
	struct sink *sink = port->sink;
	const void *placed = NULL;

	spinlock_lock(&sink->lock);
	if (!port->enabled) {
		counter_add(&sink->counters.drops[DROP_DISABLED], n);
	} else {
		if (burst->longest > port->max_frame)
			n = drop_too_big(sink, port, burst, list, n);
		if (n > 0)
			placed = sink->ops->place(sink, burst, list, n);
	}
	spinlock_unlock(&sink->lock);
	if (placed != NULL)
		sink->ops->call(placed);
}

void
deliver_burst(struct delivery *delivery, const struct forward_table *table, struct source *source,
		const struct burst *burst, const struct verdict *verdicts)
{
	sort_burst(delivery, table, source, burst, verdicts);
	for (uint32_t i = 0; i < delivery->n_receivers; i++) {
		uint16_t port = delivery->receivers[i];

		deliver_list(&table->ports[port], burst, delivery->lists[port],
				delivery->counts[port]);
		delivery->counts[port] = 0;
	}
	delivery->n_receivers = 0;
}
