/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame headers in, receivers out: learning, lookup and filtering of a burst (IEEE 802.1Q, 8.6).
 *
 * Called by the workers. Pure: no I/O, no DPDK, no knowledge of rings. What it needs of the ports
 * stands in a forward_table, an immutable snapshot that the control thread publishes; workers read
 * it once a turn and keep it until they report quiescent.
 */
#ifndef VSWITCH_FORWARD_H
#define VSWITCH_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shared.h"
#include "drops/drop_reason.h"
#include "edit.h"
#include "fdb.h"
#include "datapath/frame.h"
#include "base/switch_limits.h"

struct observer;
struct policy;
struct sink;

/* Ports that a flooded frame goes to; the sender's own is skipped on use. */
struct flood_group {
	struct shared shared;
	const struct edit *edits; /* by port, instead of the verdict's; NULL: the verdict's */
	uint32_t n;
	uint16_t ports[];
};

struct forward_port {
	/* Each takes the flows that flow_hash() gives to its number. */
	struct sink *const *sinks;
	const struct policy *policy; /* NULL: none */
	uint32_t max_frame;	     /* bytes, MTU + FRAME_OVERHEAD; see burst_fits() */
	uint32_t mac_limit;	     /* learned stations; 0 = no limit */
	uint16_t n_sinks;	     /* 0: no such port, or one that awaits what it is made of */
	bool enabled;
	bool awaits; /* stations are kept for it, and nobody else gets what is for them */
	uint16_t domain;
	uint16_t flood; /* the group for its frames to everybody: its number in the table */
};

struct forward_table {
	struct forward_port ports[PORTS_MAX];
	const struct flood_group **groups; /* by number */
	struct observer *observer;	   /* NULL: none */
	bool has_policies;		   /* of a port or more: verdicts may have edits */
	uint16_t n_groups;
	uint32_t n_sinks;
	struct sink *sinks[]; /* of all ports */
};

/*
 * forward_table.c, control thread. A table without ports, with room for so many groups and so many sinks
 * of ports to come. NULL: no memory.
 */
struct forward_table *forward_table_create(uint32_t n_groups, uint32_t n_sinks);

/* Gives a port of the table its sinks, which outlast the table. There is room for them. */
void forward_table_set_sinks(
		struct forward_table *table, uint16_t port, struct sink *const *sinks, uint32_t n);

/*
 * Has the table point to these, until it is freed. They may be those of several ports and tables, and
 * start without holders. A group gets its number in the table: 0 for the first, and so on.
 */
uint16_t forward_table_add_group(struct forward_table *table, struct flood_group *group);
void forward_table_set_policy(struct forward_table *table, uint16_t port, struct policy *policy);
void forward_table_set_observer(struct forward_table *table, struct observer *observer);

/* A group with room for `max` ports, and none in it yet. NULL: no memory. */
struct flood_group *flood_group_create(uint32_t max);

/* No worker has the table any more. Frees it, and what nobody else holds of that which it points to. */
void forward_table_free(struct forward_table *table);

enum verdict_kind {
	VERDICT_DROP,  /* counted at the sender, for `reason` */
	VERDICT_PORT,  /* to `port` */
	VERDICT_FLOOD, /* to every port of group `group` but the sender's */
	VERDICT_NONE,  /* not yet; before policies' eyes only */
};

/* The receivers of a frame, and what is changed in its header for them. */
struct verdict {
	uint8_t kind;	/* enum verdict_kind */
	uint8_t reason; /* enum drop_reason */
	union {
		uint16_t port;
		uint16_t group; /* number in the table */
	};
	struct edit edit;
};

/*
 * One verdict for each frame of the burst, which came in at port `ingress`, in order. Learns the
 * sources on the way. `now` in seconds, the clock of fdb.h. A sender that is disabled, frames
 * that are too short or too big for it, reserved destinations (01:80:C2:00:00:00 to 0F) and
 * destinations on the sender's own port are drops; a disabled receiver and a frame too big for
 * the receiver are the delivery's business, since they count at the receiver.
 */
void forward_burst(const struct forward_table *table, struct fdb *fdb, uint16_t ingress,
		uint32_t now, const struct burst *burst, struct verdict *verdicts);

#endif
