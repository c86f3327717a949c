/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Verdicts for a burst of frames; called by the workers, once for each burst that they take.
 *
 * Two passes: the first reads the addresses of all frames and prefetches their places in the
 * forwarding database, the second learns and looks up. Frames of one conversation tend to come in
 * a row, so the second pass remembers the last source and the last destination of the burst and
 * asks nothing twice.
 *
 * What teaches an address (IEEE 802.1Q, 8.6.1, 8.7): frames that the port accepted. So not those of
 * a disabled sender, nor those that a MAC would have discarded as too short or too big; but those
 * to a reserved address, which are received, learned from, and only then filtered (8.6.3).
 */
#include "forward.h"

#include <endian.h>
#include <string.h>

#define MAC_MASK 0xffffffffffff
#define GROUP_BIT 1u /* of the first byte; addresses are little-endian numbers here */

/* 01:80:C2:00:00:00 to 0F */
#define RESERVED_MASK 0xf0ffffffffff
#define RESERVED 0xc28001

/* No address: these numbers have 48 bits. */
#define NO_ADDRESS UINT64_MAX

/* Bytes 0 to 7 and 4 to 11 of a frame: what two frames between the same stations have in common. */
struct addresses {
	uint64_t low;
	uint64_t high;
};

/* One burst on its way through the second pass. */
struct passage {
	const struct forward_table *table;
	struct fdb *fdb;
	uint16_t ingress;
	uint32_t now;
	struct addresses last;	/* of the last frame that was looked up */
	uint64_t source;	/* last one learned */
	uint64_t destination;	/* last one looked up */
	struct verdict verdict; /* what came of it */
};

static inline struct addresses
read_addresses(const struct frame *frame)
{
	struct addresses addresses;

	memcpy(&addresses.low, frame->head, 8);
	memcpy(&addresses.high, frame->head + 4, 8);
	return addresses;
}

static inline bool
same(struct addresses a, struct addresses b)
{
	return a.low == b.low && a.high == b.high;
}

static inline uint64_t
destination_of(struct addresses addresses)
{
	return le64toh(addresses.low) & MAC_MASK;
}

static inline uint64_t
source_of(struct addresses addresses)
{
	return le64toh(addresses.high) >> 16;
}

/*
 * The key of an address in VLAN 0. MAC and VLAN are stored as one word, since fdb.c loads them as
 * one: the load would wait for two smaller stores.
 */
static struct fdb_key
make_key(uint64_t address, uint16_t domain)
{
	struct fdb_key key;

	address = htole64(address);
	memcpy(&key, &address, sizeof(address));
	key.domain = domain;
	return key;
}

static void
prefetch(const struct fdb *fdb, uint64_t address, uint16_t domain)
{
	struct fdb_key key = make_key(address, domain);

	if (!(address & GROUP_BIT))
		fdb_prefetch(fdb, &key);
}

static void
prefetch_burst(const struct fdb *fdb, uint16_t domain, const struct burst *burst)
{
	struct addresses now, last = { NO_ADDRESS, NO_ADDRESS };
	uint32_t i;

	for (i = 0; i < burst->n; i++) {
		if (burst->frames[i].len < ETHERNET_HEADER_LEN)
			continue;
		now = read_addresses(&burst->frames[i]);
		if (same(now, last))
			continue;
		if (source_of(now) != source_of(last))
			prefetch(fdb, source_of(now), domain);
		if (destination_of(now) != destination_of(last))
			prefetch(fdb, destination_of(now), domain);
		last = now;
	}
}

static struct verdict
drop(enum drop_reason reason)
{
	struct verdict verdict = { .kind = VERDICT_DROP, .reason = reason };

	return verdict;
}

static void
learn(struct passage *passage, uint64_t source)
{
	const struct forward_port *port = &passage->table->ports[passage->ingress];
	struct fdb_key key = make_key(source, port->domain);
	enum fdb_learned learned;

	learned = fdb_learn(passage->fdb, &key, passage->ingress, port->mac_limit, passage->now);
	passage->source = source;
	/* The new station may be the destination of the last verdict. */
	if (learned != FDB_KNOWN)
		passage->destination = NO_ADDRESS;
}

static struct verdict
look_up(const struct passage *passage, uint64_t destination)
{
	const struct forward_table *table = passage->table;
	struct fdb_key key = make_key(destination, table->ports[passage->ingress].domain);
	struct verdict flood = { .kind = VERDICT_FLOOD };
	struct verdict verdict = { .kind = VERDICT_PORT };

	if ((destination & RESERVED_MASK) == RESERVED)
		return drop(DROP_RESERVED_ADDRESS);
	if (destination & GROUP_BIT)
		return flood;
	verdict.port = fdb_lookup(passage->fdb, &key, passage->now);
	if (verdict.port == passage->ingress)
		return drop(DROP_SAME_PORT);
	if (verdict.port == FDB_NO_PORT)
		return flood;
	if (table->ports[verdict.port].n_sinks == 0)
		return table->ports[verdict.port].awaits ? drop(DROP_NOT_READY) : flood;
	return verdict;
}

/* Learns from and looks up a frame whose addresses are not those of the one before. */
static void
look_at(struct passage *passage, struct addresses addresses)
{
	if (source_of(addresses) != passage->source)
		learn(passage, source_of(addresses));
	if (destination_of(addresses) != passage->destination) {
		passage->destination = destination_of(addresses);
		passage->verdict = look_up(passage, passage->destination);
	}
	passage->last = addresses;
}

static void
judge(struct passage *passage, const struct burst *burst, struct verdict *verdicts)
{
	uint32_t max_frame = passage->table->ports[passage->ingress].max_frame;
	uint32_t i;

	for (i = 0; i < burst->n; i++) {
		const struct frame *frame = &burst->frames[i];
		struct addresses addresses;

		if (frame->len < ETHERNET_HEADER_LEN) {
			verdicts[i] = drop(DROP_TOO_SHORT);
			continue;
		}
		if (frame->len > max_frame && !burst_fits(burst, i, max_frame)) {
			verdicts[i] = drop(DROP_TOO_BIG);
			continue;
		}
		addresses = read_addresses(frame);
		if (!same(addresses, passage->last))
			look_at(passage, addresses);
		verdicts[i] = passage->verdict;
	}
}

void
forward_burst(const struct forward_table *table, struct fdb *fdb, uint16_t ingress, uint32_t now,
		const struct burst *burst, struct verdict *verdicts)
{
	struct passage passage = {
		.table = table,
		.fdb = fdb,
		.ingress = ingress,
		.now = now,
		/* A frame from ff:ff:ff:ff:ff:ff to it has this too: it teaches nothing and is flooded. */
		.last = { NO_ADDRESS, NO_ADDRESS },
		.verdict = { .kind = VERDICT_FLOOD },
		.source = NO_ADDRESS,
		.destination = NO_ADDRESS,
	};
	uint32_t i;

	if (!table->ports[ingress].enabled) {
		for (i = 0; i < burst->n; i++)
			verdicts[i] = drop(DROP_DISABLED);
		return;
	}
	prefetch_burst(fdb, table->ports[ingress].domain, burst);
	judge(&passage, burst, verdicts);
}

uint32_t
forward_copies(const struct forward_table *table, uint16_t ingress, const struct verdict *verdict)
{
	uint32_t i, copies = 0;

	if (verdict->kind != VERDICT_FLOOD)
		return 1;
	for (i = 0; i < table->flood.n; i++)
		copies += table->flood.ports[i] != ingress;
	return copies;
}
