/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of frames through forward_burst() and deliver_burst(), between ports of all settings, from
 * learning to the sinks, which write down what they are given. Each verdict is compared with that of
 * a slow and obvious bridge; each copy due is delivered or dropped, and counted once.
 */
#include <stdbool.h>
#include <string.h>

#include "datapath/account.h"
#include "worker/deliver.h"
#include "fuzz.h"
#include "offloads/offload.h"
#include "offload_frames.h"

#define PORTS 8
#define DOMAINS 2
#define STATIONS 256
#define BURSTS_MAX 16
#define OFFLOADS_MAX 3 /* frames of one burst that need something */
#define OFFLOAD_PAYLOAD_MAX 60000
#define AGE_STEP 1000 /* seconds, over the ageing time */

struct port {
	struct sink sink;
	bool exists;
	uint32_t room;	    /* frames that are still taken; the others find no buffer */
	uint32_t presented; /* frames of the present burst that came as they were */
	int last;	    /* index of the last of them */
	uint32_t made;	    /* frames that came as others that were made of them */
	bool to_call;
};

/* What the bridge knows of a station. */
struct memory {
	bool known;
	uint16_t port;
	uint32_t heard;
};

static struct port ports[PORTS];
static struct forward_table *table;
static struct flood_group *flood;
static struct delivery *delivery;
static struct fdb *fdb;
static struct burst *burst;
static struct source source;
static struct verdict verdicts[BURST_MAX];
static struct memory memories[DOMAINS][STATIONS];
static bool limited; /* some port has a mac_limit: then the bridge cannot tell where a station is */
static uint32_t now;

static uint8_t plain[FRAME_LEN_MAX + 1];
static uint8_t with_offloads[OFFLOADS_MAX][OFFLOAD_BYTES_MAX];
static uint32_t n_offloads;
static uint8_t stations[BURST_MAX][2]; /* destination and source of each frame */
static uint8_t tags[BURST_MAX];	       /* VLAN tags of each frame */

/* Station n's address; the first are no stations. */
static void
write_address(uint8_t *address, uint8_t station)
{
	static const uint8_t special[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 1, 0x80, 0xc2, 0, 0, 0x0e },
		{ 1, 0x80, 0xc2, 0, 0, 0x10 },
		{ 1, 0, 0x5e, 0, 0, 1 },
		{ 0, 0, 0, 0, 0, 0 },
	};

	if (station < sizeof(special) / sizeof(special[0]))
		memcpy(address, special[station], 6);
	else
		memcpy(address, (const uint8_t[]){ 2, 0, 0, 0, 0, station }, 6);
}

/* How long frame i may be at a port: the bridge allows for a second tag. */
static uint32_t
limit_of(uint32_t port, uint32_t i)
{
	return table->ports[port].max_frame + (tags[i] == 2 ? 4 : 0);
}

/* One frame that comes to a sink, from the burst or made of one of it. */
static void
check_presented(const struct port *port, const struct burst *given, uint32_t i)
{
	const struct frame *frame = &given->frames[i];
	uint64_t len = 0;
	uint32_t head_len;
	const uint8_t *head;

	FUZZ_CHECK(i < given->n);
	head = burst_head(given, i, &head_len);
	FUZZ_CHECK((burst_needs(given, i) & ~port->sink.takes) == 0);
	FUZZ_CHECK(frame->len >= ETHERNET_HEADER_LEN && frame->len <= FRAME_LEN_MAX);
	FUZZ_CHECK(burst_wire_len(given, i) <= table->ports[port->sink.port].max_frame + 4);
	if (given == burst)
		FUZZ_CHECK(burst_wire_len(given, i) <= limit_of(port->sink.port, i));
	FUZZ_CHECK(head_len >= ETHERNET_HEADER_LEN);
	FUZZ_CHECK(memcmp(head, frame->head, ETHERNET_HEADER_LEN) == 0);
	for (uint32_t k = 0; k < frame->n_segments; k++)
		len += frame->segments[k].len;
	FUZZ_CHECK(len == frame->len);
}

static const void *
place(struct sink *sink, const struct burst *given, const uint8_t *list, uint32_t n)
{
	struct port *port = (struct port *)sink;
	uint32_t taken = n < port->room ? n : port->room;

	FUZZ_CHECK(sink->lock.held == 1);
	FUZZ_CHECK(port->exists && table->ports[sink->port].enabled && n > 0);
	FUZZ_CHECK(accounts[sink->port].rest_until == 0);
	for (uint32_t k = 0; k < n; k++) {
		check_presented(port, given, list[k]);
		if (given != burst)
			continue;
		FUZZ_CHECK((int)list[k] > port->last);
		port->last = list[k];
		port->presented++;
	}
	if (given != burst)
		port->made += n;
	port->room -= taken;
	counter_add(&sink->counters.frames, taken);
	counter_add(&sink->counters.drops[DROP_RING_FULL], n - taken);
	port->to_call = port->to_call || taken > 0;
	return taken > 0 ? port : NULL;
}

static void
call(const void *placed)
{
	struct port *port = (struct port *)(uintptr_t)placed;

	FUZZ_CHECK(port->sink.lock.held == 0 && port->to_call);
	port->to_call = false;
}

static const struct sink_ops ops = { .place = place, .call = call };

static void
setup(void)
{
	if (fdb != NULL)
		return;
	fdb = fdb_create(1);
	table = forward_table_create(1, PORTS);
	flood = flood_group_create(PORTS);
	delivery = calloc(1, sizeof(*delivery));
	burst = aligned_alloc(64, sizeof(*burst));
	if (fdb == NULL || table == NULL || flood == NULL || delivery == NULL || burst == NULL)
		abort();
	(void)forward_table_add_group(table, flood);
	delivery->split = aligned_alloc(64, sizeof(*burst));
	if (delivery->split == NULL)
		abort();
}

static void
read_port(struct fuzz_input *input, uint16_t i)
{
	static const uint32_t limits[] = { 1518, PORT_MTU_MIN + FRAME_OVERHEAD, 9018,
		PORT_MTU_MAX + FRAME_OVERHEAD };
	uint8_t kind = fuzz_u8(input), more = fuzz_u8(input);
	struct port *port = &ports[i];
	struct forward_port *entry = &table->ports[i];

	memset(port, 0, sizeof(*port));
	port->sink.ops = &ops;
	port->sink.port = i;
	port->sink.takes = more & FRAME_NEEDS_ALL;
	port->exists = i == 0 || (kind & 0x80) == 0;
	port->room = more & 0x80 ? more : UINT32_MAX;
	*entry = (struct forward_port){
		.max_frame = limits[kind & 3],
		.mac_limit = (kind & 0xc) == 0xc ? 1 + (more >> 4 & 3) : 0,
		.enabled = port->exists && (kind & 0x10) == 0,
		.domain = kind >> 6 & 1,
	};
	if (port->exists)
		forward_table_set_sinks(table, i, &(struct sink *){ &port->sink }, 1);
	/* Time does not decide here: nothing is slow before account_init(). */
	accounts[i].rest_until = accounts[i].trouble_until = (more & 0x70) == 0x70 ? UINT64_MAX : 0;
	limited = limited || entry->mac_limit != 0;
	if (port->exists && (kind & 0x20) == 0)
		flood->ports[flood->n++] = i;
}

static void
read_ports(struct fuzz_input *input)
{
	flood->n = 0;
	table->n_sinks = 0;
	limited = false;
	for (uint16_t i = 0; i < PORTS; i++)
		read_port(input, i);
	memset(&source, 0, sizeof(source));
	memset(memories, 0, sizeof(memories));
	now = AGE_STEP;
}

/* Frame i is plain bytes of some length. */
static void
read_plain(struct fuzz_input *input, uint32_t i, uint8_t kind)
{
	static const uint16_t lens[] = { 60, 14, 13, 0, 64, 86, 87, 1518, 1519, 9018, 9019, 65535,
		1522, 1523 };
	struct frame *frame = &burst->frames[i];
	struct frame_segment *segment = &burst->segments[2 * i];

	tags[i] = kind >> 5 & 3;
	kind &= 0xf;
	frame->len = kind < sizeof(lens) / sizeof(lens[0]) ? lens[kind] : fuzz_u16(input);
	if (kind == 15)
		frame->len += FRAME_OVERHEAD_MAX;
	segment[0] = (struct frame_segment){ .data = plain, .len = frame->len / 2 };
	segment[1] = (struct frame_segment){ .data = plain + frame->len / 2,
		.len = frame->len - frame->len / 2 };
	frame->segments = segment;
	frame->n_segments = 2;
	memset(frame->head, 0, sizeof(frame->head));
	write_address(frame->head, stations[i][0]);
	write_address(frame->head + 6, stations[i][1]);
	/* Three stand for a second tag alone, which is none. */
	if (tags[i] == 1 || tags[i] == 2)
		memcpy(frame->head + 12, (const uint8_t[]){ 0x88, 0xa8 }, 2);
	if (tags[i] >= 2)
		memcpy(frame->head + 16, (const uint8_t[]){ 0x81, 0 }, 2);
}

/* Frame i needs a checksum or is to be cut, as an honest sender says. */
static void
read_offload(struct fuzz_input *input, uint32_t i, uint8_t kind)
{
	struct shape shape = {
		.partial = true, .ipv6 = kind & 1, .tags = (kind >> 1 & 1) + (kind >> 4 & 1)
	};
	uint8_t *bytes = with_offloads[n_offloads++];
	struct frame *frame = &burst->frames[i];
	struct virtio_net_hdr header;
	uint16_t gso_size = 0;

	tags[i] = (uint8_t)shape.tags;
	shape.payload = 1 + fuzz_below(input, kind & 4 ? OFFLOAD_PAYLOAD_MAX : 4000);
	if (kind & 8)
		gso_size = (uint16_t)(48 + shape.payload / OFFLOAD_CUTS_MAX +
				fuzz_below(input, 3000));
	frames_build(&shape, bytes);
	write_address(bytes, stations[i][0]);
	write_address(bytes + 6, stations[i][1]);
	header = frames_header(&shape, gso_size);
	frame->len = frames_len(&shape);
	burst->segments[2 * i] = (struct frame_segment){ .data = bytes, .len = frame->len };
	frame->segments = &burst->segments[2 * i];
	frame->n_segments = 1;
	memcpy(frame->head, bytes, sizeof(frame->head));
	if (!offload_read(burst, i, &header, FRAME_NEEDS_ALL))
		FUZZ_FAIL("the header of an honest sender is not believed");
}

static void
read_frame(struct fuzz_input *input, uint32_t i)
{
	uint8_t kind = fuzz_u8(input);

	stations[i][0] = fuzz_u8(input);
	stations[i][1] = fuzz_u8(input);
	if ((kind & 0x80) != 0 && n_offloads < OFFLOADS_MAX)
		read_offload(input, i, kind);
	else
		read_plain(input, i, kind);
	if (burst_wire_len(burst, i) > burst->longest)
		burst->longest = burst_wire_len(burst, i);
}

static void
read_burst(struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input);

	source.port = kind % PORTS;
	if (!ports[source.port].exists)
		source.port = 0;
	now += kind & 0x80 ? AGE_STEP : 0;
	burst->n = 1 + fuzz_below(input, BURST_MAX);
	burst->longest = 0;
	burst->offload_mask = 0;
	burst->mbufs = NULL;
	n_offloads = 0;
	for (uint32_t i = 0; i < burst->n; i++)
		read_frame(input, i);
}

/* What the bridge learns from frame i, and where it sends it. */
static struct verdict
decide(uint32_t i)
{
	const struct forward_port *entry = &table->ports[source.port];
	struct verdict verdict = { .kind = VERDICT_DROP };
	uint8_t to = stations[i][0], by = stations[i][1];
	const struct memory *memory = &memories[entry->domain][to];

	if (burst->frames[i].len < ETHERNET_HEADER_LEN || !entry->enabled ||
			burst_wire_len(burst, i) > limit_of(source.port, i)) {
		verdict.reason = !entry->enabled			     ? DROP_DISABLED
				: burst->frames[i].len < ETHERNET_HEADER_LEN ? DROP_TOO_SHORT
									     : DROP_TOO_BIG;
		return verdict;
	}
	if (by > 4)
		memories[entry->domain][by] =
				(struct memory){ .known = true, .port = source.port, .heard = now };
	if (to == 1) {
		verdict.reason = DROP_RESERVED_ADDRESS;
	} else if (to <= 4 || !memory->known || memory->heard != now ||
			!ports[memory->port].exists) {
		verdict.kind = VERDICT_FLOOD;
	} else if (memory->port == source.port) {
		verdict.reason = DROP_SAME_PORT;
	} else {
		verdict.kind = VERDICT_PORT;
		verdict.port = memory->port;
	}
	return verdict;
}

/* Where addresses are limited, a station that the bridge knows may have been refused. */
static bool
may_be(const struct verdict *is, const struct verdict *due)
{
	if (is->kind == due->kind)
		return (is->kind != VERDICT_DROP || is->reason == due->reason) &&
				(is->kind != VERDICT_PORT || is->port == due->port || limited);
	if (!limited)
		return false;
	return is->kind != VERDICT_DROP ? due->kind != VERDICT_DROP || due->reason == DROP_SAME_PORT
					: is->reason == DROP_SAME_PORT;
}

static void
forward(void)
{
	struct verdict due;

	forward_burst(table, fdb, source.port, now, burst, verdicts);
	for (uint32_t i = 0; i < burst->n; i++) {
		due = decide(i);
		if (!may_be(&verdicts[i], &due))
			FUZZ_FAIL("frame %u: verdict %u (reason %u, port %u); %u (%u, %u) is right",
					i, verdicts[i].kind, verdicts[i].reason, verdicts[i].port,
					due.kind, due.reason, due.port);
		FUZZ_CHECK(verdicts[i].kind != VERDICT_PORT ||
				(verdicts[i].port != source.port &&
						ports[verdicts[i].port].exists));
	}
	for (uint16_t p = 0; p < PORTS; p++)
		FUZZ_CHECK(table->ports[p].mac_limit == 0 ||
				fdb_count_port(fdb, p) <= table->ports[p].mac_limit);
}

static bool
is_flooded(uint32_t port)
{
	for (uint32_t k = 0; k < flood->n; k++)
		if (flood->ports[k] == port)
			return port != source.port;
	return false;
}

/* Frames that a port must have been given as they are, or dropped for its own settings. */
static void
check_port(const struct port *port, const struct counters *was)
{
	const struct forward_port *entry = &table->ports[port->sink.port];
	uint32_t as_they_are = 0, disabled = 0, resting = 0, too_big = 0;

	for (uint32_t i = 0; i < burst->n; i++) {
		if (verdicts[i].kind == VERDICT_DROP ||
				(verdicts[i].kind == VERDICT_PORT &&
						verdicts[i].port != port->sink.port) ||
				(verdicts[i].kind == VERDICT_FLOOD && !is_flooded(port->sink.port)))
			continue;
		if (!entry->enabled)
			disabled++;
		else if (accounts[port->sink.port].rest_until != 0)
			resting++;
		else if (burst_wire_len(burst, i) > limit_of(port->sink.port, i))
			too_big++;
		else if ((burst_needs(burst, i) & ~port->sink.takes) == 0)
			as_they_are++;
	}
	FUZZ_CHECK(port->presented == as_they_are);
	FUZZ_CHECK(port->sink.counters.drops[DROP_DISABLED] - was->drops[DROP_DISABLED] ==
			disabled);
	FUZZ_CHECK(port->sink.counters.drops[DROP_RESTING] - was->drops[DROP_RESTING] == resting);
	FUZZ_CHECK(port->sink.counters.drops[DROP_TOO_BIG] - was->drops[DROP_TOO_BIG] == too_big);
	FUZZ_CHECK(!port->to_call && port->sink.lock.held == 0);
	FUZZ_CHECK(delivery->counts[port->sink.port] == 0 && delivery->n_receivers == 0);
}

static void
deliver(void)
{
	struct counters was[PORTS];

	for (uint32_t p = 0; p < PORTS; p++) {
		was[p] = ports[p].sink.counters;
		ports[p].presented = ports[p].made = 0;
		ports[p].last = -1;
	}
	deliver_burst(delivery, table, &source, burst, verdicts);
	for (uint32_t p = 0; p < PORTS; p++)
		check_port(&ports[p], &was[p]);
}

static uint64_t
all_drops(const struct counters *counters)
{
	uint64_t sum = 0;

	for (uint32_t r = 0; r < DROP_REASONS; r++)
		sum += counters->drops[r];
	return sum;
}

/* Copies due, and what segments added, were delivered or dropped. */
static void
check_conservation(uint64_t frames)
{
	uint64_t done = all_drops(&source.counters), due = source.counters.copies_due;

	for (uint32_t p = 0; p < PORTS; p++) {
		const struct counters *counters = &ports[p].sink.counters;

		done += counters->frames + all_drops(counters);
		due += counters->segments - counters->segmented;
	}
	if (done != due)
		FUZZ_FAIL("of %lu frames %lu copies were due, and %lu were delivered or dropped",
				frames, due, done);
}

/* The FDB is as new for the next input. */
static void
forget(void)
{
	struct fdb_key key;

	for (uint32_t d = 0; d < DOMAINS; d++)
		for (uint32_t s = 5; s < STATIONS; s++) {
			if (!memories[d][s].known)
				continue;
			memset(&key, 0, sizeof(key));
			write_address(key.mac, (uint8_t)s);
			key.domain = (uint16_t)d;
			(void)fdb_delete(fdb, &key);
		}
	FUZZ_CHECK(fdb_count(fdb) == 0);
	for (uint16_t p = 0; p < PORTS; p++)
		FUZZ_CHECK(fdb_count_port(fdb, p) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint64_t frames = 0;

	setup();
	read_ports(&input);
	for (uint32_t i = 0; i < BURSTS_MAX && input.left > 0; i++) {
		read_burst(&input);
		frames += burst->n;
		forward();
		deliver();
		check_conservation(frames);
	}
	forget();
	return 0;
}
