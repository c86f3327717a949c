/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs in instructions: turns of a worker over fixed inputs, for frame_cost.py to run
 * under callgrind, which counts only what measured_turn() calls.
 *
 * `frame_cost CASE`; status 1 and words on stderr when not every frame arrived.
 *
 * copy_init() is not called: the copies are those of SSE2. Callgrind knows no AVX-512, and which
 * of the others a CPU has would change the counts; the loop is the same in all widths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/deliver.h"
#include "ring_driver.h"
#include "stations.h"

#define RING 512
#define RECEIVERS_MAX 4
#define WARM_TURNS 32
#define MEASURED_TURNS 48
#define BUFFER_LEN 2048 /* of a receiver, as DPDK's drivers have them */
#define BUFFERS 320	/* as many as 64 of the longest frames need; their memory is used in turn */
#define NOW 1		/* seconds; nothing ages */

struct cost_case {
	const char *name;
	uint32_t len; /* bytes of each frame */
	uint32_t receivers;
	uint32_t addresses; /* different ones, of senders and of receivers; 0: nobody's, so flooded */
	uint32_t burst;	    /* frames of a turn */
};

static const struct cost_case cases[] = {
	{ "60", 60, 1, 1, BURST_MAX },
	{ "256", 256, 1, 1, BURST_MAX },
	{ "1514", 1514, 1, 1, BURST_MAX },
	{ "9014", 9014, 1, 1, BURST_MAX },
	{ "flood-4", 256, 4, 0, BURST_MAX },
	{ "addresses-1000", 60, 1, 1000, BURST_MAX },
	{ "alone", 60, 1, 1, 1 },
};

static struct driver drivers[1 + RECEIVERS_MAX];
static struct vring_sink sinks[1 + RECEIVERS_MAX];
static struct vring_source source;
static struct forward_table *table;
static struct fdb *fdb;
static struct burst *burst;
static struct delivery delivery;
static struct verdict verdicts[BURST_MAX];
static uint8_t *frames[BURST_MAX];
static uint32_t next_address;

/* Header and frame in one buffer, heads in order: what drivers do with ANY_LAYOUT and IN_ORDER. */
static void
set_up_sender(const struct cost_case *cost_case)
{
	struct driver *driver = &drivers[0];

	driver_init(driver, VRING_TRANSMITQ, RING);
	driver->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	for (uint32_t i = 0; i < BURST_MAX; i++) {
		uint32_t len = VNET_HDR_LEN + cost_case->len;
		uint64_t addr = driver_buffer(driver, len);

		frames[i] = driver_host(driver, addr) + VNET_HDR_LEN;
		for (uint32_t d = i; d < RING; d += BURST_MAX)
			driver_set_desc(driver, d, addr, len, 0, 0);
	}
	vring_sink_init(&sinks[0], 0);
	vring_source_init(&source, 0, &sinks[0]);
	vring_source_publish(&source, &driver->vring);
}

static void
set_up_receiver(uint32_t port)
{
	struct driver *driver = &drivers[port];
	uint64_t first;

	driver_init(driver, VRING_RECEIVEQ, RING);
	driver->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	first = driver_buffer(driver, BUFFERS * BUFFER_LEN);
	for (uint32_t i = 0; i < RING; i++) {
		driver_set_desc(driver, i, first + i % BUFFERS * BUFFER_LEN, BUFFER_LEN,
				VRING_DESC_F_WRITE, 0);
		driver_offer(driver, i);
	}
	vring_sink_init(&sinks[port], port);
	vring_sink_publish(&sinks[port], &driver->vring);
}

static void
set_up(const struct cost_case *cost_case)
{
	struct flood_group *everybody = flood_group_create(1 + cost_case->receivers);

	set_up_sender(cost_case);
	table = forward_table_create(1, 1 + cost_case->receivers);
	if (table == NULL || everybody == NULL)
		abort();
	(void)forward_table_add_group(table, everybody);
	for (uint32_t port = 0; port <= cost_case->receivers; port++) {
		if (port > 0)
			set_up_receiver(port);
		table->ports[port] = (struct forward_port){ .max_frame = PORT_MTU_MAX,
			.enabled = true };
		forward_table_set_sinks(table, port, &(struct sink *){ &sinks[port].base }, 1);
		everybody->ports[everybody->n++] = port;
	}
	burst = aligned_alloc(64, sizeof(*burst));
	fdb = fdb_create(1);
	if (burst == NULL || fdb == NULL)
		abort();
	for (uint32_t i = 0; i < cost_case->addresses; i++) {
		struct fdb_key key = station(1, i);

		fdb_learn(fdb, &key, 1, 0, NOW);
	}
}

/* The sender's driver: a burst of frames with the next addresses. */
static void
send_frames(const struct cost_case *cost_case)
{
	uint32_t addresses = cost_case->addresses;

	for (uint32_t i = 0; i < cost_case->burst; i++) {
		struct driver *driver = &drivers[0];
		uint32_t n = addresses > 0 ? next_address++ % addresses : 0;
		struct fdb_key to = station(addresses > 0 ? 1 : 2, n), from = station(0, n);
		uint8_t *frame = frames[driver->avail_idx % BURST_MAX];

		memcpy(frame, to.mac, sizeof(to.mac));
		memcpy(frame + sizeof(to.mac), from.mac, sizeof(from.mac));
		driver_offer(driver, driver->avail_idx % RING);
	}
}

/* A receiver's driver: what was used is available again, in the same order. */
static void
refill(struct driver *driver)
{
	struct vring_used_elem elem;

	while (driver_next_used(driver, &elem))
		driver_offer(driver, elem.id);
}

static inline void
turn(void)
{
	source.base.ops->take(&source.base, burst);
	forward_burst(table, fdb, 0, NOW, burst, verdicts);
	deliver_burst(&delivery, table, &source.base, burst, verdicts);
	source.base.ops->complete(&source.base);
}

/* Callgrind counts from here to its return. */
__attribute__((noinline)) void measured_turn(void);

void
measured_turn(void)
{
	turn();
}

static int
check(const struct cost_case *cost_case)
{
	const uint64_t due = (uint64_t)(WARM_TURNS + MEASURED_TURNS) * cost_case->burst;

	for (uint32_t port = 1; port <= cost_case->receivers; port++) {
		const struct counters *counters = &sinks[port].base.counters;

		if (counters->frames == due && counters->bytes == due * cost_case->len)
			continue;
		fprintf(stderr,
				"frame_cost: receiver %u has %lu frames and %lu bytes of %lu frames "
				"of %u bytes\n",
				port, counters->frames, counters->bytes, due, cost_case->len);
		return 1;
	}
	printf("%u\n", MEASURED_TURNS * cost_case->burst);
	return 0;
}

static const struct cost_case *
find_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (name != NULL && strcmp(cases[i].name, name) == 0)
			return &cases[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	const struct cost_case *cost_case = find_case(argc == 2 ? argv[1] : NULL);

	if (cost_case == NULL) {
		fputs("usage: frame_cost CASE, one of", stderr);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			fprintf(stderr, " %s", cases[i].name);
		fputc('\n', stderr);
		return 2;
	}
	set_up(cost_case);
	for (uint32_t i = 0; i < WARM_TURNS + MEASURED_TURNS; i++) {
		send_frames(cost_case);
		if (i < WARM_TURNS)
			turn();
		else
			measured_turn();
		for (uint32_t port = 1; port <= cost_case->receivers; port++)
			refill(&drivers[port]);
	}
	return check(cost_case);
}
