/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one vhost-user connection has agreed on so far: a plain record of the messages that passed
 * the gate and that the vhost library accepted.
 *
 * Owned by the port's gate; control thread only. `show-port` reads it, the next message is checked
 * against it, and ring snapshots are built from it. Knows neither DPDK nor libevent and does no I/O:
 * descriptors that it no longer needs go to the function that session_init() got.
 */
#ifndef VSWITCH_SESSION_H
#define VSWITCH_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/switch_limits.h"

/* Bits that change what a session is (vhost-user, "Feature negotiation"; virtio 1.1, 2.1). */
#define SESSION_F_PROTOCOL_FEATURES (1ull << 30)
#define SESSION_PROTOCOL_F_STATUS (1ull << 16)
#define SESSION_STATUS_DRIVER_OK 0x4u

struct session_region {
	uint64_t guest_phys_addr;
	uint64_t size;		 /* bytes */
	uint64_t userspace_addr; /* in the frontend; ring addresses are in this space */
	uint64_t mmap_offset;
	uint64_t file_dev, file_ino; /* which file it is */
	int fd;			     /* owned */
};

struct session_vring {
	uint32_t size; /* entries; 0 = SET_VRING_NUM not seen */
	uint16_t base; /* from SET_VRING_BASE */
	bool has_addr; /* all three areas lie wholly in the memory table */
	uint64_t desc_user_addr;
	uint64_t avail_user_addr;
	uint64_t used_user_addr;
	bool kicked;   /* SET_VRING_KICK seen since the last GET_VRING_BASE */
	int kick_fd;   /* owned; -1: none (polled) */
	bool has_call; /* the library has had SET_VRING_CALL, also without a descriptor */
	int call_fd;   /* owned; -1: none (frontend polls) */
	bool enabled;
	bool was_stopped; /* GET_VRING_BASE or disabling ended its last run */
};

struct session {
	void (*close_fd)(void *arg, int fd);
	void *close_arg;
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
	uint8_t status; /* virtio device status, SET_STATUS */
	uint16_t mtu;	/* NET_SET_MTU; 0 = not said */
};

/* The three areas of a split ring (virtio 1.1, 2.6). */
enum session_area {
	SESSION_AREA_DESC,
	SESSION_AREA_AVAIL,
	SESSION_AREA_USED,
	SESSION_AREAS,
};

/*
 * An empty session. It calls `close_fd(arg, fd)` for each descriptor that it no longer needs. That
 * should not be close(), because closing a stranger's descriptor may block.
 */
void session_init(struct session *session, void (*close_fd)(void *arg, int fd), void *arg);

/* Passes every descriptor that the record owns to close_fd, and empties the record. */
void session_reset(struct session *session);

/* True when ring `index` has all that a running ring needs (vhost-user: "Ring states"). */
bool session_vring_complete(const struct session *session, uint32_t index);

/*
 * Writes what the frontend still has to do until both rings can run, e.g. "no memory table yet",
 * "ring 1 has no address yet", "ring 0 is not enabled yet". Empty when nothing is missing.
 */
void session_missing(const struct session *session, char *text, size_t size);

/* True when every ring was running and the frontend stopped it by GET_VRING_BASE or disabling. */
bool session_stopped(const struct session *session);

/* True when some ring was started and has not been stopped by GET_VRING_BASE since. */
bool session_started(const struct session *session);

/* "descriptor area", "avail ring", "used ring". */
const char *session_area_name(enum session_area area);

/* Bytes that an area of a ring of `size` entries takes, its event index field included. */
uint64_t session_area_bytes(enum session_area area, uint32_t size);

/* Alignment of an area in bytes (virtio 1.1, 2.6). */
uint32_t session_area_align(enum session_area area);

/*
 * Whether an area at `user_addr` can be used: 0, -EFAULT when it does not lie wholly in one memory
 * region, -EINVAL when it would be misaligned in the frontend's mapping or in ours.
 */
int session_check_area(const struct session *session, enum session_area area, uint32_t size,
		uint64_t user_addr);

/* Record messages. The caller has checked the values; the session owns the descriptors from now on. */
void session_set_features(struct session *session, uint64_t features);
void session_set_memory(
		struct session *session, const struct session_region *regions, uint32_t n_regions);
void session_drop_memory(struct session *session);
void session_set_vring_size(struct session *session, uint32_t index, uint32_t size);
void session_set_vring_addr(struct session *session, uint32_t index, uint64_t desc_user_addr,
		uint64_t avail_user_addr, uint64_t used_user_addr);
void session_start_vring(struct session *session, uint32_t index, int kick_fd);
void session_set_vring_call(struct session *session, uint32_t index, int call_fd);
void session_enable_vring(struct session *session, uint32_t index, bool enabled);
/* GET_VRING_BASE: the library forgot the ring's addresses, kick and call; `base` is its answer. */
void session_stop_vring(struct session *session, uint32_t index, uint16_t base);

#endif
