/* SPDX-License-Identifier: BSD-3-Clause */
#include "deliver.h"

#include <stddef.h>

#include "datapath/account.h"
#include "base/tsc.h"
#include "offloads/offload.h"
#include "switching/flow_hash.h"
#include "switching/observer.h"

/*
 * A port may send so many frames to everybody at once, and a millisecond's worth of them each
 * millisecond; with more it floods. Questions of ARP and neighbours stay far below.
 */
#define FLOODS_AT_ONCE 32
#define FLOODS_A_MS 50
/* After frames of others a receiver's buffers are spared for so long. */
#define SPARE_FOR_MS 100
/* Buffers that a flooded frame is expected to take at most, of a receiver's usual ones. */
#define FLOOD_BUFFERS 4

static inline void
add_receiver(struct delivery *delivery, uint16_t port, uint8_t frame)
{
	if (delivery->counts[port] == 0)
		delivery->receivers[delivery->n_receivers++] = port;
	delivery->lists[port][delivery->counts[port]++] = frame;
}

/* Returns for how many receivers that is. */
static uint32_t
add_flood(struct delivery *delivery, const struct flood_group *group, uint16_t ingress,
		uint8_t frame)
{
	uint32_t copies = group->n;

	for (uint32_t i = 0; i < group->n; i++)
		if (group->ports[i] != ingress)
			add_receiver(delivery, group->ports[i], frame);
		else
			copies--;
	return copies;
}

/* Counts frames to everybody against what the port may send of them. */
static bool
is_flooding(struct source *source, uint32_t n, uint64_t now)
{
	uint64_t earned = (now - source->flood_seen) / (account_slow / FLOODS_A_MS);

	source->flood_level = n + (source->flood_level > earned ? source->flood_level - earned : 0);
	source->flood_seen = now;
	if (source->flood_level > 2 * FLOODS_AT_ONCE)
		source->flood_level = 2 * FLOODS_AT_ONCE; /* it is over soon after the flood is */
	return source->flood_level > FLOODS_AT_ONCE;
}

/* Sorts the burst into the receivers' lists and counts the source's side. */
static void
sort_burst(struct delivery *delivery, struct source *source, const struct burst *burst,
		const struct verdict *verdicts)
{
	struct counters *counters = &source->counters;
	uint32_t n = burst->n, n_floods = 0;
	uint64_t copies = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (verdicts[i].kind == VERDICT_PORT) {
			add_receiver(delivery, verdicts[i].port, i);
		} else if (verdicts[i].kind == VERDICT_FLOOD) {
			copies += add_flood(delivery, delivery->table->groups[verdicts[i].group],
					source->port, i);
			n_floods++;
		} else {
			counter_add(&counters->drops[verdicts[i].reason], 1);
		}
	}
	delivery->has_floods = n_floods > 0;
	delivery->floods = n_floods > 0 && is_flooding(source, n_floods, delivery->now);
	counter_add(&counters->copies_due, n - n_floods + copies);
}

/* Takes frames over the receiver's limit out of its list; returns how many are left. */
static uint32_t
drop_too_big(struct sink *sink, const struct forward_port *port, const struct burst *burst,
		uint8_t *list, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (burst_fits(burst, list[i], port->max_frame))
			list[kept++] = list[i];
	if (kept < n)
		counter_add(&sink->counters.drops[DROP_TOO_BIG], n - kept);
	return kept;
}

/* Counts what was done for this receiver, and the frames that came of one. */
static void
count_split(struct sink *sink, const struct burst *burst, uint8_t frame, uint32_t made)
{
	struct counters *counters = &sink->counters;

	if (burst->offloads[frame].gso_size == 0) {
		counter_add(&counters->checksummed, 1);
		return;
	}
	counter_add(&counters->segmented, 1);
	counter_add(&counters->segments, made);
}

/*
 * Does what a frame needs and the receiver does not take undone, and places what comes of it. How
 * much that is in a turn, the sources bound: BURST_WIRE_FRAMES_MAX.
 */
static const void *
place_split(struct sink *sink, struct burst *split, const struct burst *burst, uint8_t frame)
{
	static const uint8_t all[BURST_MAX] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
		15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
		36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56,
		57, 58, 59, 60, 61, 62, 63 };
	const void *placed = NULL;
	uint32_t done = 0, n;

	do {
		const void *ret;

		n = offload_split(burst, frame, sink->takes, done, split);
		ret = sink->ops->place(sink, split, all, split->n);
		placed = ret != NULL ? ret : placed;
		done += split->n;
	} while (done < n);
	count_split(sink, burst, frame, n);
	return placed;
}

/* Places a list in order: runs of frames that the receiver takes as they are, and the others. */
static const void *
place_mixed(struct sink *sink, struct burst *split, const struct burst *burst, const uint8_t *list,
		uint32_t n)
{
	uint32_t i = 0;
	const void *placed = NULL;

	while (i < n) {
		const void *ret;
		uint32_t run = 0;

		while (i + run < n && (burst_needs(burst, list[i + run]) & ~sink->takes) == 0)
			run++;
		if (run > 0)
			ret = sink->ops->place(sink, burst, list + i, run);
		else
			ret = place_split(sink, split, burst, list[i]);
		placed = ret != NULL ? ret : placed;
		i += run > 0 ? run : 1;
	}
	return placed;
}

/* Places a list as it is, or made into what the receiver takes. */
static const void *
place_any(struct delivery *delivery, struct sink *sink, const struct burst *burst,
		const uint8_t *list, uint32_t n)
{
	if (burst->offload_mask == 0)
		return sink->ops->place(sink, burst, list, n);
	return place_mixed(sink, delivery->split, burst, list, n);
}

/* Whether others than the one that floods have sent to the receiver of late. */
static bool
must_spare(const struct sink *sink, const struct source *source, uint64_t now)
{
	return sink->ops->spare != NULL && sink->meant_by != source->port &&
			now - sink->meant_at < account_slow * SPARE_FOR_MS;
}

/* Of a sender that floods, other frames do not count: they would hide those of others. */
static void
note_meant(struct sink *sink, const struct source *source, uint64_t now)
{
	if (source->flood_level > FLOODS_AT_ONCE && now - source->flood_seen < account_slow)
		return;
	sink->meant_at = now;
	sink->meant_by = source->port;
}

/*
 * Frames of a flood, while the receiver has buffers to spare: what goes to everybody must not take
 * the place of what is meant for the receiver, however much of it comes.
 */
static __attribute__((noinline)) const void *
place_flood(struct delivery *delivery, struct sink *sink, const struct burst *burst,
		const uint8_t *list, uint32_t n)
{
	const void *placed = NULL;
	uint32_t spare;

	while (n > 0 && (spare = sink->ops->spare(sink)) > 0) {
		uint32_t some = spare / FLOOD_BUFFERS > 0 ? spare / FLOOD_BUFFERS : 1;
		const void *ret;

		some = n < some ? n : some;
		ret = place_any(delivery, sink, burst, list, some);
		placed = ret != NULL ? ret : placed;
		list += some;
		n -= some;
	}
	counter_add(&sink->counters.drops[DROP_RING_FULL], n);
	return placed;
}

/* Places a list. Called with the lock. */
static const void *
place_list(struct delivery *delivery, const struct forward_port *port, struct sink *sink,
		const struct burst *burst, uint8_t *list, uint32_t n)
{
	const struct source *source = delivery->source;

	if (!port->enabled) {
		counter_add(&sink->counters.drops[DROP_DISABLED], n);
		return NULL;
	}
	if (account_has_trouble(sink->port, delivery->now) &&
			account_rests(sink->port, delivery->now)) {
		counter_add(&sink->counters.drops[DROP_RESTING], n);
		return NULL;
	}
	if (burst->longest > port->max_frame)
		n = drop_too_big(sink, port, burst, list, n);
	if (n == 0)
		return NULL;
	if (!delivery->has_floods)
		note_meant(sink, source, delivery->now);
	else if (delivery->floods && must_spare(sink, source, delivery->now))
		return place_flood(delivery, sink, burst, list, n);
	return place_any(delivery, sink, burst, list, n);
}

/* So long may frames and their bytes take anywhere, on machines that are slow as well. */
#define HONEST_NS_A_FRAME 2000
#define HONEST_NS_A_BYTE 10

/* Cycles that nobody need answer for: calls are judged by themselves. */
static uint64_t
honest_cycles(const struct burst *burst)
{
	uint64_t ns = (uint64_t)burst->n * HONEST_NS_A_FRAME;

	for (uint32_t i = 0; i < burst->n; i++)
		ns += (uint64_t)burst->frames[i].len * HONEST_NS_A_BYTE;
	return account_judged_already() + ns * (account_slow / ACCOUNT_SLOW_US) / 1000;
}

/*
 * The stretch from delivery->now to `end` was long on the clock. True: somebody was slow. *others: cycles of
 * it in which others had the CPU.
 */
static bool
was_slow(struct delivery *delivery, const struct burst *burst, uint64_t end,
		struct thread_time *time, uint64_t *others)
{
	uint64_t honest = honest_cycles(burst), span = end - delivery->now, own;

	*others = 0;
	if (thread_time_judge(delivery->now, end, time)) {
		own = time->worked + time->waited;
		*others = span > own ? span - own : 0;
	}
	time->worked = time->worked > honest ? time->worked - honest : 0;
	delivery->slow |= account_is_slow(time);
	return account_is_slow(time);
}

/* The sender is suspected before the receiver is judged, unless its frames cannot be the reason. */
static __attribute__((noinline)) void
judge_placing(struct delivery *delivery, const struct sink *sink, const struct burst *burst,
		uint64_t end)
{
	const struct source *source = delivery->source;
	struct thread_time time;
	uint64_t others;

	delivery->excused += end - delivery->now;
	if (!was_slow(delivery, burst, end, &time, &others))
		return;
	if (source->strange && !delivery->private_copy)
		account_suspect(source->port, end);
	else if (sink->strange)
		account_judge(sink->port, &time, end);
}

static void
deliver_list(struct delivery *delivery, const struct forward_port *port, struct sink *sink,
		const struct burst *burst, uint8_t *list, uint32_t n)
{
	struct observer *observer = delivery->table->observer;
	const void *placed;
	uint64_t end;

	delivery_at(delivery, sink->port);
	if (observer != NULL)
		observer->placing(observer, sink, burst, list, n);
	spinlock_lock(&sink->lock);
	sink->followed = 0;
	placed = place_list(delivery, port, sink, burst, list, n);
	spinlock_unlock(&sink->lock);
	if (placed != NULL)
		sink->ops->call(placed);
	end = tsc_read();
	account_add_shared(&accounts[sink->port].placing, end - delivery->now);
	if (end - delivery->now > account_slow)
		judge_placing(delivery, sink, burst, end);
	delivery->now = end;
}

/* To a port with several sinks: all frames of a flow to the same one, in order. */
static __attribute__((noinline)) void
deliver_flows(struct delivery *delivery, const struct forward_port *port, const struct burst *burst,
		const uint8_t *list, uint32_t n)
{
	uint8_t lists[PORT_QUEUES_MAX][BURST_MAX];
	uint32_t counts[PORT_QUEUES_MAX] = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len;
		const uint8_t *head = burst_head(burst, list[i], &len);
		uint32_t queue = flow_hash(head, len) % port->n_sinks;

		lists[queue][counts[queue]++] = list[i];
	}
	for (uint32_t queue = 0; queue < port->n_sinks; queue++)
		if (counts[queue] > 0)
			deliver_list(delivery, port, port->sinks[queue], burst, lists[queue],
					counts[queue]);
}

static void
deliver_port(struct delivery *delivery, const struct forward_port *port, const struct burst *burst,
		uint8_t *list, uint32_t n)
{
	if (port->n_sinks == 1)
		deliver_list(delivery, port, port->sinks[0], burst, list, n);
	else
		deliver_flows(delivery, port, burst, list, n);
}

static struct edit
edit_for(const struct forward_table *table, const struct verdict *verdict, uint16_t receiver)
{
	if (verdict->kind == VERDICT_FLOOD && table->groups[verdict->group]->edits != NULL)
		return table->groups[verdict->group]->edits[receiver];
	return verdict->edit;
}

/* The frames of a list as their edits for this receiver make them, where one of them has one. */
static __attribute__((noinline)) void
deliver_edited(struct delivery *delivery, uint16_t receiver, const struct burst *burst,
		const struct verdict *verdicts, uint8_t *list, uint32_t n)
{
	const struct forward_table *table = delivery->table;
	const struct forward_port *port = &table->ports[receiver];
	struct edited *edited = delivery->edited;
	bool changes = false;

	for (uint32_t i = 0; i < n; i++)
		changes |= edit_changes(edit_for(table, &verdicts[list[i]], receiver));
	if (!changes) {
		deliver_port(delivery, port, burst, list, n);
		return;
	}
	edit_begin(edited);
	for (uint32_t i = 0; i < n; i++) {
		edit_add(edited, burst, list[i], edit_for(table, &verdicts[list[i]], receiver));
		list[i] = (uint8_t)i;
	}
	deliver_port(delivery, port, &edited->burst, list, n);
}

static __attribute__((noinline)) void
judge_source(struct delivery *delivery, const struct source *source, const struct burst *burst,
		uint64_t end)
{
	struct thread_time time;
	uint64_t others;
	bool slow = was_slow(delivery, burst, end, &time, &others);

	delivery->excused += others;
	if (slow && source->strange)
		account_judge(source->port, &time, end);
}

void
deliver_charge_source(struct delivery *delivery, struct source *source, const struct burst *burst)
{
	uint64_t end = tsc_read();

	account_add(&source->taking, end - delivery->now);
	if (end - delivery->now > account_slow)
		judge_source(delivery, source, burst, end);
	delivery->now = end;
}

void
deliver_burst(struct delivery *delivery, const struct forward_table *table, struct source *source,
		const struct burst *burst, const struct verdict *verdicts)
{
	delivery->table = table;
	delivery->source = source;
	sort_burst(delivery, source, burst, verdicts);
	deliver_charge_source(delivery, source, burst);
	for (uint32_t i = 0; i < delivery->n_receivers; i++) {
		uint16_t port = delivery->receivers[i];
		uint8_t *list = delivery->lists[port];
		uint32_t n = delivery->counts[port];

		if (table->has_policies)
			deliver_edited(delivery, port, burst, verdicts, list, n);
		else
			deliver_port(delivery, &table->ports[port], burst, list, n);
		delivery->counts[port] = 0;
	}
	delivery->n_receivers = 0;
	delivery_at(delivery, source->port);
}
