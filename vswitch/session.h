/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one vhost-user connection has agreed on so far: a plain record of the messages that passed
 * the gate and that the vhost library accepted.
 *
 * Owned by the port's gate; control thread only. It answers `show-port`, validates the next
 * message, and is what ring snapshots are built from. Knows neither DPDK nor libevent, does no
 * I/O but closing the descriptors it owns.
 */
#ifndef VSWITCH_SESSION_H
#define VSWITCH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "limits.h"

struct session_region {
	uint64_t guest_phys_addr;
	uint64_t size;			/* bytes */
	uint64_t userspace_addr;	/* in the frontend; ring addresses are in this space */
	uint64_t mmap_offset;
	int fd;				/* owned */
};

struct session_vring {
	uint32_t size;			/* entries; 0 = SET_VRING_NUM not seen */
	uint16_t base;			/* from SET_VRING_BASE */
	bool has_addr;
	uint64_t desc_user_addr;
	uint64_t avail_user_addr;
	uint64_t used_user_addr;
	bool kicked;			/* SET_VRING_KICK seen since the last GET_VRING_BASE */
	int kick_fd;			/* owned; -1: none (polled) */
	bool has_call;
	int call_fd;			/* owned; -1: none (frontend polls) */
	bool enabled;
	bool was_stopped;		/* GET_VRING_BASE ended its last run */
};

struct session {
	bool has_owner;
	bool has_features;
	uint64_t features;
	bool has_protocol_features;
	uint64_t protocol_features;
	bool has_memory;
	uint32_t n_regions;
	struct session_region regions[MEMORY_REGIONS_MAX];
	struct session_vring vrings[PORT_VRINGS];
	bool has_status;
	uint8_t status;			/* virtio device status, SET_STATUS */
	uint16_t mtu;			/* NET_SET_MTU; 0 = not said */
};

void session_init(struct session *session);

/* Closes every descriptor that the record owns and empties it. */
void session_reset(struct session *session);

/* True when ring `index` has all that a running ring needs (vhost-user: "Starting and stopping rings"). */
bool session_vring_complete(const struct session *session, uint32_t index);

/*
 * Says in words what the frontend has still to do until both rings can run, e.g. "no memory table
 * yet", "ring 1 has no address yet", "ring 0 is not enabled yet". Empty when nothing is missing.
 */
void session_missing(const struct session *session, char *text, size_t size);

/* True when every ring was running and the frontend stopped it by GET_VRING_BASE or disabling. */
bool session_stopped(const struct session *session);

#endif
