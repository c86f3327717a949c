/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages of the vhost-user protocol that a frontend may send, and every check of them.
 *
 * One table in vhost_msg.c has a row for each request: name, payload, descriptors, how the gate treats
 * it, its check against the session so far, and what it changes in the session. A request without a
 * payload in its row is refused. Pure: no I/O, no DPDK, no libevent. The facts about descriptors that
 * the checks need come with the message (struct vhost_fd, filled by fd_check.c).
 *
 * Called by the gate on the control thread, by unit tests and by test_vhost_mutations. "The
 * specification" means the vhost-user protocol as QEMU publishes it, version 1.
 */
#ifndef VSWITCH_VHOST_MSG_H
#define VSWITCH_VHOST_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session.h"
#include "base/switch_limits.h"

/* Requests that a frontend sends (specification: "Front-end message types"). */
enum vhost_request {
	VHOST_REQ_GET_FEATURES = 1,
	VHOST_REQ_SET_FEATURES = 2,
	VHOST_REQ_SET_OWNER = 3,
	VHOST_REQ_RESET_OWNER = 4,
	VHOST_REQ_SET_MEM_TABLE = 5,
	VHOST_REQ_SET_LOG_BASE = 6,
	VHOST_REQ_SET_LOG_FD = 7,
	VHOST_REQ_SET_VRING_NUM = 8,
	VHOST_REQ_SET_VRING_ADDR = 9,
	VHOST_REQ_SET_VRING_BASE = 10,
	VHOST_REQ_GET_VRING_BASE = 11,
	VHOST_REQ_SET_VRING_KICK = 12,
	VHOST_REQ_SET_VRING_CALL = 13,
	VHOST_REQ_SET_VRING_ERR = 14,
	VHOST_REQ_GET_PROTOCOL_FEATURES = 15,
	VHOST_REQ_SET_PROTOCOL_FEATURES = 16,
	VHOST_REQ_GET_QUEUE_NUM = 17,
	VHOST_REQ_SET_VRING_ENABLE = 18,
	VHOST_REQ_SEND_RARP = 19,
	VHOST_REQ_NET_SET_MTU = 20,
	VHOST_REQ_SET_BACKEND_REQ_FD = 21,
	VHOST_REQ_IOTLB_MSG = 22,
	VHOST_REQ_SET_VRING_ENDIAN = 23,
	VHOST_REQ_GET_CONFIG = 24,
	VHOST_REQ_SET_CONFIG = 25,
	VHOST_REQ_CREATE_CRYPTO_SESSION = 26,
	VHOST_REQ_CLOSE_CRYPTO_SESSION = 27,
	VHOST_REQ_POSTCOPY_ADVISE = 28,
	VHOST_REQ_POSTCOPY_LISTEN = 29,
	VHOST_REQ_POSTCOPY_END = 30,
	VHOST_REQ_GET_INFLIGHT_FD = 31,
	VHOST_REQ_SET_INFLIGHT_FD = 32,
	VHOST_REQ_GPU_SET_SOCKET = 33,
	VHOST_REQ_RESET_DEVICE = 34,
	VHOST_REQ_VRING_KICK = 35,
	VHOST_REQ_GET_MAX_MEM_SLOTS = 36,
	VHOST_REQ_ADD_MEM_REG = 37,
	VHOST_REQ_REM_MEM_REG = 38,
	VHOST_REQ_SET_STATUS = 39,
	VHOST_REQ_GET_STATUS = 40,
};

/* struct vhost_header.flags */
#define VHOST_FLAG_VERSION 0x1u
#define VHOST_FLAG_VERSION_MASK 0x3u
#define VHOST_FLAG_REPLY 0x4u
#define VHOST_FLAG_NEED_REPLY 0x8u

/* Payload of SET_VRING_KICK, _CALL and _ERR. */
#define VHOST_FILE_INDEX_MASK 0xffu
#define VHOST_FILE_NO_DESCRIPTOR 0x100u

/* The most descriptors that one message may carry: one for each memory region. */
#define VHOST_MSG_FDS_MAX MEMORY_REGIONS_MAX

/* Longer than any payload of the specification that a frontend sends. */
#define VHOST_PAYLOAD_MAX 2048u

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload */
};

struct vhost_payload_state {
	uint32_t index;
	uint32_t num;
};

struct vhost_payload_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc_user_addr;
	uint64_t used_user_addr;
	uint64_t avail_user_addr;
	uint64_t log_guest_addr;
};

struct vhost_payload_region {
	uint64_t guest_phys_addr;
	uint64_t size;
	uint64_t userspace_addr;
	uint64_t mmap_offset;
};

struct vhost_payload_memory {
	uint32_t n_regions;
	uint32_t padding;
	struct vhost_payload_region regions[MEMORY_REGIONS_MAX];
};

union vhost_payload {
	uint64_t u64;
	struct vhost_payload_state state;
	struct vhost_payload_addr addr;
	struct vhost_payload_memory memory;
	uint8_t bytes[VHOST_PAYLOAD_MAX];
};

/* What a descriptor is. */
enum vhost_fd_kind {
	VHOST_FD_OTHER,
	VHOST_FD_EVENTFD,
	VHOST_FD_MEMORY, /* a file of memfd, tmpfs or hugetlbfs */
};

struct vhost_fd {
	enum vhost_fd_kind kind;
	/* of VHOST_FD_MEMORY only: */
	bool writable;	   /* opened for reading and writing, and no seal forbids writing */
	uint64_t size;	   /* of the file, bytes */
	uint64_t dev, ino; /* which file it is */
};

/* A message while it is collected, checked and relayed. */
struct vhost_msg {
	struct vhost_header header;
	union vhost_payload payload;
	uint32_t have; /* bytes of header and payload so far */
	uint32_t n_fds;
	int fds[VHOST_MSG_FDS_MAX]; /* owned; -1 where the session took it */
	struct vhost_fd facts[VHOST_MSG_FDS_MAX];
};

/* What the port offers a frontend. */
struct vhost_offer {
	uint64_t features;
	uint64_t protocol_features;
	uint32_t mtu; /* the port's, bytes */
};

enum vhost_verdict {
	VHOST_GOOD,
	VHOST_REFUSED, /* a correct frontend may send it: NACK (gate_message_refuse()) */
	VHOST_BROKEN,  /* only a broken frontend sends it: its session ends */
};

/* How the gate treats a good message. */
#define VHOST_MSG_RELAYED 0x1u	 /* the library gets it; otherwise the gate replies itself */
#define VHOST_MSG_HAS_REPLY 0x2u /* has a reply of its own, whatever NEED_REPLY says */
#define VHOST_MSG_ITS_RING 0x4u	 /* changes what workers use of the ring it names */
#define VHOST_MSG_ALL_RINGS 0x8u /* changes what workers use of every ring */

/*
 * Checks the header alone, before a byte of the payload is read: VHOST_GOOD, or VHOST_BROKEN with the
 * reason in `why`. A request that is not supported is still good here when its payload can be skipped.
 */
enum vhost_verdict
vhost_msg_check_header(const struct vhost_header *header, char *why, size_t why_size);

/*
 * Checks a whole message, whose header was good, against its row in the table, the session and the
 * offer. The reason is in `why` unless VHOST_GOOD.
 */
enum vhost_verdict vhost_msg_check(const struct vhost_msg *msg, const struct session *session,
		const struct vhost_offer *offer, char *why, size_t why_size);

/* VHOST_MSG_* of a request; 0 for an unknown one. */
uint32_t vhost_msg_flags(uint32_t request);

/* "SET_VRING_NUM"; for a request without a name "request 77", which is in `buffer`. */
const char *vhost_msg_name(uint32_t request, char *buffer, size_t size);

/* Bit mask of the rings that workers must leave before a good message takes effect. */
uint32_t vhost_msg_rings(const struct vhost_msg *msg);

/*
 * A kick starts a ring even if its driver does not want to be called (vhost-user, "Ring states"). But
 * the library starts no ring before its SET_VRING_CALL (vhost_user.c: vq_is_ready). True when `msg` is
 * the kick of a ring without one. Then `call`, which says that there is no call descriptor, must be
 * relayed and recorded before `msg`.
 */
bool vhost_msg_call_first(
		const struct vhost_msg *msg, const struct session *session, struct vhost_msg *call);

/*
 * Records in the session a good message that took effect. `reply` is the library's, for requests with
 * a reply of their own. The session takes the descriptors that it keeps (msg->fds[i] becomes -1); the
 * others stay with the message.
 */
void vhost_msg_apply(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session);

/* The library refused a good message: records what it has lost by that. */
void vhost_msg_apply_refusal(const struct vhost_msg *msg, struct session *session);

/*
 * Checks the library's reply to `msg`, and clears feature bits in it that are not offered. False when
 * it is not a reply to `msg`.
 */
bool vhost_msg_check_answer(const struct vhost_msg *msg, struct vhost_msg *answer,
		const struct vhost_offer *offer);

#endif
