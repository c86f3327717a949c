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
#include <stddef.h>
#include <string.h>

#include "policy.h"

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

/* A verdict without an edit, which policies alone give: its first bytes. */
struct receivers {
	uint8_t kind;
	uint8_t reason;
	uint16_t number; /* of a port or a group */
};

_Static_assert(offsetof(struct verdict, kind) == offsetof(struct receivers, kind) &&
				offsetof(struct verdict, reason) ==
						offsetof(struct receivers, reason) &&
				offsetof(struct verdict, port) ==
						offsetof(struct receivers, number) &&
				offsetof(struct verdict, edit) == sizeof(struct receivers),
		"a verdict begins with its receivers");

/* One burst on its way through the second pass. */
struct passage {
	const struct forward_table *table;
	struct fdb *fdb;
	uint16_t ingress;
	uint32_t now;
	struct addresses last;	    /* of the last frame that was looked up */
	uint64_t source;	    /* last one learned */
	uint64_t destination;	    /* last one looked up */
	struct receivers receivers; /* what came of it */
	struct receivers flood;	    /* of what the port sends to everybody */
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

static struct receivers
nobody(enum drop_reason reason)
{
	return (struct receivers){ .kind = VERDICT_DROP, .reason = reason };
}

static inline void
set_verdict(struct verdict *verdict, struct receivers receivers)
{
	memcpy(verdict, &receivers, sizeof(receivers));
	verdict->edit = (struct edit){ 0 };
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

static struct receivers
look_up(const struct passage *passage, uint64_t destination)
{
	const struct forward_table *table = passage->table;
	struct fdb_key key = make_key(destination, table->ports[passage->ingress].domain);
	struct receivers one = { .kind = VERDICT_PORT };

	if ((destination & RESERVED_MASK) == RESERVED)
		return nobody(DROP_RESERVED_ADDRESS);
	if (destination & GROUP_BIT)
		return passage->flood;
	one.number = fdb_lookup(passage->fdb, &key, passage->now);
	if (one.number == passage->ingress)
		return nobody(DROP_SAME_PORT);
	if (one.number == FDB_NO_PORT)
		return passage->flood;
	if (table->ports[one.number].n_sinks == 0)
		return table->ports[one.number].awaits ? nobody(DROP_NOT_READY) : passage->flood;
	return one;
}

/* Learns from and looks up a frame whose addresses are not those of the one before. */
static void
look_at(struct passage *passage, struct addresses addresses)
{
	if (source_of(addresses) != passage->source)
		learn(passage, source_of(addresses));
	if (destination_of(addresses) != passage->destination) {
		passage->destination = destination_of(addresses);
		passage->receivers = look_up(passage, passage->destination);
	}
	passage->last = addresses;
}

/* Frames from `first` on, before `end`. */
static void
judge(struct passage *passage, const struct burst *burst, struct verdict *verdicts, uint32_t first,
		uint32_t end)
{
	uint32_t max_frame = passage->table->ports[passage->ingress].max_frame;

	for (uint32_t i = first; i < end; i++) {
		const struct frame *frame = &burst->frames[i];
		struct addresses addresses;

		if (frame->len < ETHERNET_HEADER_LEN) {
			set_verdict(&verdicts[i], nobody(DROP_TOO_SHORT));
			continue;
		}
		if (frame->len > max_frame && !burst_fits(burst, i, max_frame)) {
			set_verdict(&verdicts[i], nobody(DROP_TOO_BIG));
			continue;
		}
		addresses = read_addresses(frame);
		if (!same(addresses, passage->last))
			look_at(passage, addresses);
		set_verdict(&verdicts[i], passage->receivers);
	}
}

/* The policy of the port sees the frames first. */
static __attribute__((noinline)) void
admit(const struct policy *policy, const struct burst *burst, struct verdict *verdicts)
{
	for (uint32_t i = 0; i < burst->n; i++)
		verdicts[i] = (struct verdict){ .kind = VERDICT_NONE };
	policy->admit(policy, burst, verdicts);
}

/* Of the frames from *first on the next ones that were admitted: moves *first on, returns their end. */
static __attribute__((noinline)) uint32_t
next_admitted(const struct verdict *verdicts, uint32_t n, uint32_t *first)
{
	uint32_t end;

	while (*first < n && verdicts[*first].kind != VERDICT_NONE)
		(*first)++;
	end = *first;
	while (end < n && verdicts[end].kind == VERDICT_NONE)
		end++;
	return end;
}

void
forward_burst(const struct forward_table *table, struct fdb *fdb, uint16_t ingress, uint32_t now,
		const struct burst *burst, struct verdict *verdicts)
{
	const struct receivers flood = { .kind = VERDICT_FLOOD,
		.number = table->ports[ingress].flood };
	struct passage passage = {
		.table = table,
		.fdb = fdb,
		.ingress = ingress,
		.now = now,
		/* A frame from ff:ff:ff:ff:ff:ff to it has this too: it teaches nothing and is flooded. */
		.last = { NO_ADDRESS, NO_ADDRESS },
		.receivers = flood,
		.flood = flood,
		.source = NO_ADDRESS,
		.destination = NO_ADDRESS,
	};
	const struct policy *policy = table->ports[ingress].policy;
	const bool admits = policy != NULL && policy->admit != NULL;
	uint32_t i;

	if (!table->ports[ingress].enabled) {
		for (i = 0; i < burst->n; i++)
			set_verdict(&verdicts[i], nobody(DROP_DISABLED));
		return;
	}
	prefetch_burst(fdb, table->ports[ingress].domain, burst);
	if (admits)
		admit(policy, burst, verdicts);
	for (uint32_t first = 0, end; first < burst->n; first = end) {
		end = admits ? next_admitted(verdicts, burst->n, &first) : burst->n;
		judge(&passage, burst, verdicts, first, end);
	}
	if (policy != NULL && policy->judge != NULL)
		policy->judge(policy, burst, verdicts);
}
