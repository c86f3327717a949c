/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_msg.h. */
#include "vhost_msg.h"

#include <stdio.h>
#include <string.h>

#include "vhost_check.h"

_Static_assert(sizeof(struct vhost_header) == 12, "header as on the wire");
_Static_assert(sizeof(struct vhost_payload_state) == 8, "payload as on the wire");
_Static_assert(sizeof(struct vhost_payload_addr) == 40, "payload as on the wire");
_Static_assert(sizeof(struct vhost_payload_region) == 32, "payload as on the wire");
_Static_assert(sizeof(struct vhost_payload_memory) == 8 + 32 * MEMORY_REGIONS_MAX,
		"payload as on the wire");

/* The layout of a payload, which tells its size and where the ring's index is. */
enum payload {
	PAYLOAD_ANY, /* of a request that is not supported: skipped */
	PAYLOAD_NONE,
	PAYLOAD_U64,
	PAYLOAD_STATE,
	PAYLOAD_ADDR,
	PAYLOAD_FILE,	/* a u64 with ring index and flag; at most one descriptor */
	PAYLOAD_MEMORY, /* one descriptor for each region */
};

struct rule {
	const char *name;
	enum payload payload;
	uint32_t flags;
	vhost_check_fn check; /* NULL: nothing more to check */
	void (*apply)(struct vhost_msg *msg, const struct vhost_msg *reply,
			struct session *session); /* NULL: nothing to record */
};

static int
take_fd(struct vhost_msg *msg, uint32_t index)
{
	int fd = msg->fds[index];

	msg->fds[index] = -1;
	return fd;
}

static void
apply_owner(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)msg;
	(void)reply;
	session->has_owner = true;
}

static void
apply_features(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session_set_features(session, msg->payload.u64);
}

static void
apply_protocol_features(
		struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session->has_protocol_features = true;
	session->protocol_features = msg->payload.u64;
}

static void
apply_memory(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	const struct vhost_payload_memory *memory = &msg->payload.memory;
	struct session_region regions[MEMORY_REGIONS_MAX];
	uint32_t i;

	(void)reply;
	for (i = 0; i < memory->n_regions; i++) {
		regions[i].guest_phys_addr = memory->regions[i].guest_phys_addr;
		regions[i].size = memory->regions[i].size;
		regions[i].userspace_addr = memory->regions[i].userspace_addr;
		regions[i].mmap_offset = memory->regions[i].mmap_offset;
		regions[i].file_dev = msg->facts[i].dev;
		regions[i].file_ino = msg->facts[i].ino;
		regions[i].fd = take_fd(msg, i);
	}
	session_set_memory(session, regions, memory->n_regions);
}

static void
apply_vring_num(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session_set_vring_size(session, msg->payload.state.index, msg->payload.state.num);
}

static void
apply_vring_addr(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	const struct vhost_payload_addr *addr = &msg->payload.addr;

	(void)reply;
	session_set_vring_addr(session, addr->index, addr->desc_user_addr, addr->avail_user_addr,
			addr->used_user_addr);
}

static void
apply_vring_base(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session->vrings[msg->payload.state.index].base = (uint16_t)msg->payload.state.num;
}

static void
apply_stop(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	session_stop_vring(session, msg->payload.state.index, (uint16_t)reply->payload.state.num);
}

static void
apply_kick(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session_start_vring(session, msg->payload.u64 & VHOST_FILE_INDEX_MASK,
			msg->n_fds == 0 ? -1 : take_fd(msg, 0));
}

static void
apply_call(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session_set_vring_call(session, msg->payload.u64 & VHOST_FILE_INDEX_MASK,
			msg->n_fds == 0 ? -1 : take_fd(msg, 0));
}

static void
apply_enable(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session_enable_vring(session, msg->payload.state.index, msg->payload.state.num != 0);
}

static void
apply_mtu(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session->mtu = (uint16_t)msg->payload.u64;
}

static void
apply_status(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	(void)reply;
	session->has_status = true;
	session->status = (uint8_t)msg->payload.u64;
}

#define RELAYED VHOST_MSG_RELAYED
#define HAS_REPLY VHOST_MSG_HAS_REPLY
#define ITS_RING VHOST_MSG_ITS_RING
#define ALL_RINGS VHOST_MSG_ALL_RINGS

/*
 * GET_VRING_BASE concerns every ring, because the library stops the whole device then.
 *
 * These are not relayed: RESET_OWNER, which is deprecated and without purpose since a session ends
 * with its connection; the library would leak what it allocated for rings. SET_VRING_ERR,
 * SEND_RARP and NET_SET_MTU, because nothing that the library does with them is visible here.
 * GET_QUEUE_NUM, because the library would claim 128 queue pairs.
 */
static const struct rule rules[] = {
	[VHOST_REQ_GET_FEATURES] = { "GET_FEATURES", PAYLOAD_NONE, RELAYED | HAS_REPLY, NULL,
			NULL },
	[VHOST_REQ_SET_FEATURES] = { "SET_FEATURES", PAYLOAD_U64, RELAYED | ALL_RINGS,
			vhost_check_features, apply_features },
	[VHOST_REQ_SET_OWNER] = { "SET_OWNER", PAYLOAD_NONE, RELAYED, NULL, apply_owner },
	[VHOST_REQ_RESET_OWNER] = { "RESET_OWNER", PAYLOAD_NONE, 0, NULL, NULL },
	[VHOST_REQ_SET_MEM_TABLE] = { "SET_MEM_TABLE", PAYLOAD_MEMORY, RELAYED | ALL_RINGS,
			vhost_check_memory, apply_memory },
	[VHOST_REQ_SET_VRING_NUM] = { "SET_VRING_NUM", PAYLOAD_STATE, RELAYED | ITS_RING,
			vhost_check_vring_num, apply_vring_num },
	[VHOST_REQ_SET_VRING_ADDR] = { "SET_VRING_ADDR", PAYLOAD_ADDR, RELAYED | ITS_RING,
			vhost_check_vring_addr, apply_vring_addr },
	[VHOST_REQ_SET_VRING_BASE] = { "SET_VRING_BASE", PAYLOAD_STATE, RELAYED | ITS_RING,
			vhost_check_vring_base, apply_vring_base },
	[VHOST_REQ_GET_VRING_BASE] = { "GET_VRING_BASE", PAYLOAD_STATE,
			RELAYED | HAS_REPLY | ALL_RINGS, NULL, apply_stop },
	[VHOST_REQ_SET_VRING_KICK] = { "SET_VRING_KICK", PAYLOAD_FILE, RELAYED | ITS_RING,
			vhost_check_vring_file, apply_kick },
	[VHOST_REQ_SET_VRING_CALL] = { "SET_VRING_CALL", PAYLOAD_FILE, RELAYED | ITS_RING,
			vhost_check_vring_file, apply_call },
	[VHOST_REQ_SET_VRING_ERR] = { "SET_VRING_ERR", PAYLOAD_FILE, 0, vhost_check_vring_file,
			NULL },
	[VHOST_REQ_GET_PROTOCOL_FEATURES] = { "GET_PROTOCOL_FEATURES", PAYLOAD_NONE,
			RELAYED | HAS_REPLY, NULL, NULL },
	[VHOST_REQ_SET_PROTOCOL_FEATURES] = { "SET_PROTOCOL_FEATURES", PAYLOAD_U64, RELAYED,
			vhost_check_protocol_features, apply_protocol_features },
	[VHOST_REQ_GET_QUEUE_NUM] = { "GET_QUEUE_NUM", PAYLOAD_NONE, HAS_REPLY, NULL, NULL },
	[VHOST_REQ_SET_VRING_ENABLE] = { "SET_VRING_ENABLE", PAYLOAD_STATE, RELAYED | ITS_RING,
			vhost_check_vring_enable, apply_enable },
	[VHOST_REQ_SEND_RARP] = { "SEND_RARP", PAYLOAD_U64, 0, NULL, NULL },
	[VHOST_REQ_NET_SET_MTU] = { "NET_SET_MTU", PAYLOAD_U64, 0, vhost_check_mtu, apply_mtu },
	[VHOST_REQ_SET_STATUS] = { "SET_STATUS", PAYLOAD_U64, RELAYED, vhost_check_status,
			apply_status },
	[VHOST_REQ_GET_STATUS] = { "GET_STATUS", PAYLOAD_NONE, RELAYED | HAS_REPLY, NULL, NULL },
	/* not supported; the names are for the message of the refusal */
	[VHOST_REQ_SET_LOG_BASE] = { .name = "SET_LOG_BASE" },
	[VHOST_REQ_SET_LOG_FD] = { .name = "SET_LOG_FD" },
	[VHOST_REQ_SET_BACKEND_REQ_FD] = { .name = "SET_BACKEND_REQ_FD" },
	[VHOST_REQ_IOTLB_MSG] = { .name = "IOTLB_MSG" },
	[VHOST_REQ_SET_VRING_ENDIAN] = { .name = "SET_VRING_ENDIAN" },
	[VHOST_REQ_GET_CONFIG] = { .name = "GET_CONFIG" },
	[VHOST_REQ_SET_CONFIG] = { .name = "SET_CONFIG" },
	[VHOST_REQ_CREATE_CRYPTO_SESSION] = { .name = "CREATE_CRYPTO_SESSION" },
	[VHOST_REQ_CLOSE_CRYPTO_SESSION] = { .name = "CLOSE_CRYPTO_SESSION" },
	[VHOST_REQ_POSTCOPY_ADVISE] = { .name = "POSTCOPY_ADVISE" },
	[VHOST_REQ_POSTCOPY_LISTEN] = { .name = "POSTCOPY_LISTEN" },
	[VHOST_REQ_POSTCOPY_END] = { .name = "POSTCOPY_END" },
	[VHOST_REQ_GET_INFLIGHT_FD] = { .name = "GET_INFLIGHT_FD" },
	[VHOST_REQ_SET_INFLIGHT_FD] = { .name = "SET_INFLIGHT_FD" },
	[VHOST_REQ_GPU_SET_SOCKET] = { .name = "GPU_SET_SOCKET" },
	[VHOST_REQ_RESET_DEVICE] = { .name = "RESET_DEVICE" },
	[VHOST_REQ_VRING_KICK] = { .name = "VRING_KICK" },
	[VHOST_REQ_GET_MAX_MEM_SLOTS] = { .name = "GET_MAX_MEM_SLOTS" },
	[VHOST_REQ_ADD_MEM_REG] = { .name = "ADD_MEM_REG" },
	[VHOST_REQ_REM_MEM_REG] = { .name = "REM_MEM_REG" },
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))

/* A request without a row is one that is not supported. */
static const struct rule *
find_rule(uint32_t request)
{
	static const struct rule unknown;

	return request < N_RULES ? &rules[request] : &unknown;
}

uint32_t
vhost_msg_flags(uint32_t request)
{
	return find_rule(request)->flags;
}

const char *
vhost_msg_name(uint32_t request, char *buffer, size_t size)
{
	const struct rule *rule = find_rule(request);

	if (rule->name != NULL)
		return rule->name;
	snprintf(buffer, size, "request %u", request);
	return buffer;
}

static bool
payload_size_fits(enum payload payload, uint32_t size)
{
	const uint32_t head = offsetof(struct vhost_payload_memory, regions);
	const uint32_t region = sizeof(struct vhost_payload_region);

	switch (payload) {
	case PAYLOAD_NONE:
		return size == 0;
	case PAYLOAD_U64:
	case PAYLOAD_FILE:
		return size == sizeof(uint64_t);
	case PAYLOAD_STATE:
		return size == sizeof(struct vhost_payload_state);
	case PAYLOAD_ADDR:
		return size == sizeof(struct vhost_payload_addr);
	case PAYLOAD_MEMORY:
		return size >= head + region && size <= head + MEMORY_REGIONS_MAX * region &&
				(size - head) % region == 0;
	default:
		return size <= VHOST_PAYLOAD_MAX;
	}
}

enum vhost_verdict
vhost_msg_check_header(const struct vhost_header *header, char *why, size_t why_size)
{
	const uint32_t known = VHOST_FLAG_VERSION_MASK | VHOST_FLAG_NEED_REPLY;
	char buffer[24];
	struct vhost_check check = {
		.name = vhost_msg_name(header->request, buffer, sizeof(buffer)),
		.why_size = why_size,
	};

	check.why = why;
	if ((header->flags & VHOST_FLAG_VERSION_MASK) != VHOST_FLAG_VERSION)
		return vhost_break(&check, "%s: protocol version %u; %u is right", check.name,
				header->flags & VHOST_FLAG_VERSION_MASK, VHOST_FLAG_VERSION);
	if ((header->flags & ~known) != 0)
		return vhost_break(&check,
				"%s: flags 0x%x; 0x1 is right, or 0x9 to ask for a reply",
				check.name, header->flags);
	if (!payload_size_fits(find_rule(header->request)->payload, header->size))
		return vhost_break(&check, "%s: payload of %u bytes%s", check.name, header->size,
				header->request == VHOST_REQ_SET_MEM_TABLE
						? "; 1 to 8 regions of 32 bytes after 8 bytes are right"
						: "");
	return VHOST_GOOD;
}

/* Stores the index of the ring that a message names. False: it names none. */
static bool
ring_index(const struct rule *rule, const struct vhost_msg *msg, uint32_t *index)
{
	switch (rule->payload) {
	case PAYLOAD_STATE:
		*index = msg->payload.state.index;
		return true;
	case PAYLOAD_ADDR:
		*index = msg->payload.addr.index;
		return true;
	case PAYLOAD_FILE:
		*index = msg->payload.u64 & VHOST_FILE_INDEX_MASK;
		return true;
	default:
		return false;
	}
}

enum vhost_verdict
vhost_msg_check(const struct vhost_msg *msg, const struct session *session,
		const struct vhost_offer *offer, char *why, size_t why_size)
{
	const struct rule *rule = find_rule(msg->header.request);
	char buffer[24];
	struct vhost_check check = {
		.msg = msg,
		.session = session,
		.offer = offer,
		.name = vhost_msg_name(msg->header.request, buffer, sizeof(buffer)),
		.why_size = why_size,
	};
	uint32_t index;

	check.why = why;
	if (rule->payload == PAYLOAD_ANY)
		return vhost_refuse(&check, "%s is not supported", check.name);
	if (msg->n_fds != 0 && rule->payload != PAYLOAD_FILE && rule->payload != PAYLOAD_MEMORY)
		return vhost_break(&check, "%s with %u descriptors; none is right", check.name,
				msg->n_fds);
	if (ring_index(rule, msg, &index) && index >= PORT_VRINGS)
		return vhost_refuse(&check,
				"ring %u: %s; the port has one queue pair, rings 0 and 1 "
				"(start the frontend with one queue)",
				index, check.name);
	return rule->check == NULL ? VHOST_GOOD : rule->check(&check);
}

uint32_t
vhost_msg_rings(const struct vhost_msg *msg)
{
	const struct rule *rule = find_rule(msg->header.request);
	uint32_t index;

	if ((rule->flags & VHOST_MSG_ALL_RINGS) != 0)
		return (1u << PORT_VRINGS) - 1;
	if ((rule->flags & VHOST_MSG_ITS_RING) != 0 && ring_index(rule, msg, &index))
		return 1u << index;
	return 0;
}

bool
vhost_msg_call_first(
		const struct vhost_msg *msg, const struct session *session, struct vhost_msg *call)
{
	uint32_t index = msg->payload.u64 & VHOST_FILE_INDEX_MASK;

	if (msg->header.request != VHOST_REQ_SET_VRING_KICK || session->vrings[index].has_call)
		return false;
	call->header = (struct vhost_header){
		.request = VHOST_REQ_SET_VRING_CALL,
		.size = sizeof(call->payload.u64),
	};
	call->payload.u64 = index | VHOST_FILE_NO_DESCRIPTOR;
	call->n_fds = 0;
	return true;
}

void
vhost_msg_apply(struct vhost_msg *msg, const struct vhost_msg *reply, struct session *session)
{
	const struct rule *rule = find_rule(msg->header.request);

	if (rule->apply != NULL)
		rule->apply(msg, reply, session);
}

/* What the library has lost: it unmaps the old memory first, and stores a size before it allocates. */
void
vhost_msg_apply_refusal(const struct vhost_msg *msg, struct session *session)
{
	if (msg->header.request == VHOST_REQ_SET_MEM_TABLE)
		session_drop_memory(session);
	else if (msg->header.request == VHOST_REQ_SET_VRING_NUM)
		session_set_vring_size(session, msg->payload.state.index, 0);
}

bool
vhost_msg_check_answer(const struct vhost_msg *msg, struct vhost_msg *answer,
		const struct vhost_offer *offer)
{
	const struct vhost_header *header = &answer->header;

	if (header->request != msg->header.request || answer->n_fds != 0 ||
			header->flags != (VHOST_FLAG_VERSION | VHOST_FLAG_REPLY) ||
			header->size != sizeof(answer->payload.u64))
		return false;
	if (header->request == VHOST_REQ_GET_FEATURES)
		answer->payload.u64 &= offer->features;
	else if (header->request == VHOST_REQ_GET_PROTOCOL_FEATURES)
		answer->payload.u64 &= offer->protocol_features;
	else if (header->request == VHOST_REQ_GET_VRING_BASE)
		return answer->payload.state.index == msg->payload.state.index;
	return true;
}
