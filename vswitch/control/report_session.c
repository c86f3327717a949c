/* SPDX-License-Identifier: BSD-3-Clause */
/* See report_session.h. */
#include "report_session.h"

#include <stdio.h>

#include "feature_names.h"
#include "gate/session.h"
#include "ports/port.h"

/* clang-format off */
static const struct report_field region_fields[] = {
	{ REPORT_VALUE("guest_phys_addr", struct session_region, guest_phys_addr),
	  .meaning = "where it begins for the frontend's device" },
	{ REPORT_VALUE("size", struct session_region, size), .meaning = "bytes" },
	{ REPORT_VALUE("userspace_addr", struct session_region, userspace_addr),
	  .meaning = "where it begins in the frontend's process" },
	{ REPORT_VALUE("mmap_offset", struct session_region, mmap_offset),
	  .meaning = "where it begins in its file" },
};
/* clang-format on */

static const struct report_object region_object = { .name = "REGION",
	REPORT_FIELDS(region_fields) };

struct vring_told {
	uint32_t index;
	const char *role;
	uint32_t size;
	bool enabled, has_kick, has_call;
	struct port_vring_info info;
};

/* clang-format off */
static const struct report_field vring_fields[] = {
	{ REPORT_VALUE("index", struct vring_told, index), .meaning = "its number" },
	{ REPORT_VALUE("role", struct vring_told, role), .words = "receiveq|transmitq",
	  .meaning = "whose frames it has: the frontend receives or transmits them" },
	{ REPORT_VALUE("size", struct vring_told, size), .meaning = "entries" },
	{ REPORT_VALUE("enabled", struct vring_told, enabled), .meaning = "by the frontend" },
	{ REPORT_VALUE("running", struct vring_told, info.running),
	  .meaning = "the workers use it" },
	{ REPORT_VALUE("has_kick", struct vring_told, has_kick),
	  .meaning = "the frontend gave a kick descriptor" },
	{ REPORT_VALUE("has_call", struct vring_told, has_call),
	  .meaning = "the frontend gave a call descriptor" },
	{ REPORT_VALUE("avail_idx", struct vring_told, info.avail_idx),
	  .meaning = "next entry to take" },
	{ REPORT_VALUE("used_idx", struct vring_told, info.used_idx),
	  .meaning = "next entry to give back" },
};
/* clang-format on */

static const struct report_object vring_object = { .name = "VRING", REPORT_FIELDS(vring_fields) };

struct session_told {
	const struct port *port;
	const struct session *session;
	char features_hex[24];
	uint32_t memory_regions_max;
};

static json_t *
report_bits(uint64_t bits, const char *(*name_of)(uint32_t bit))
{
	json_t *names = json_array();
	char number[16];
	uint32_t bit;

	for (bit = 0; bit < 64; bit++) {
		if ((bits >> bit & 1) == 0)
			continue;
		snprintf(number, sizeof(number), "bit %u", bit);
		json_array_append_new(
				names, json_string(name_of(bit) != NULL ? name_of(bit) : number));
	}
	return names;
}

static json_t *
get_features(const void *subject)
{
	const struct session_told *told = subject;

	return report_bits(told->session->features, feature_names_virtio);
}

static json_t *
get_protocol_features(const void *subject)
{
	const struct session_told *told = subject;

	return report_bits(told->session->protocol_features, feature_names_protocol);
}

static json_t *
get_memory(const void *subject)
{
	const struct session *session = ((const struct session_told *)subject)->session;
	json_t *regions = json_array();
	uint32_t i;

	for (i = 0; i < session->n_regions; i++)
		json_array_append_new(regions, report_make(&region_object, &session->regions[i]));
	return regions;
}

static json_t *
report_vring(const struct session_told *told, uint32_t index)
{
	const struct session_vring *vring = &told->session->vrings[index];
	struct vring_told ring = { .index = index,
		.role = index == VRING_RECEIVEQ ? "receiveq" : "transmitq",
		.size = vring->size,
		.enabled = vring->enabled,
		.has_kick = vring->kick_fd >= 0,
		.has_call = vring->call_fd >= 0 };

	(void)port_vring_info(told->port, index, &ring.info);
	return report_make(&vring_object, &ring);
}

static json_t *
get_vrings(const void *subject)
{
	json_t *vrings = json_array();
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++)
		json_array_append_new(vrings, report_vring(subject, i));
	return vrings;
}

/* clang-format off */
static const struct report_field session_fields[] = {
	{ REPORT_GET("features", REPORT_TEXT, get_features), .shape = REPORT_LIST,
	  .meaning = "virtio features agreed on" },
	{ REPORT_VALUE("features_hex", struct session_told, features_hex),
	  .meaning = "the same as a number" },
	{ REPORT_GET("protocol_features", REPORT_TEXT, get_protocol_features), .shape = REPORT_LIST,
	  .meaning = "vhost-user protocol features agreed on" },
	{ REPORT_GET("memory", REPORT_OBJECT, get_memory), .shape = REPORT_LIST,
	  .object = &region_object, .meaning = "memory table" },
	{ REPORT_VALUE("memory_regions_max", struct session_told, memory_regions_max),
	  .meaning = "most regions a table may have" },
	{ REPORT_GET("vrings", REPORT_OBJECT, get_vrings), .shape = REPORT_LIST,
	  .object = &vring_object, .meaning = "rings" },
};
/* clang-format on */

const struct report_object report_session_object = { .name = "SESSION",
	REPORT_FIELDS(session_fields) };

json_t *
report_session(const struct port *port)
{
	struct session_told told = { .port = port,
		.session = port_session(port),
		.memory_regions_max = MEMORY_REGIONS_MAX };

	if (told.session == NULL)
		return json_null();
	snprintf(told.features_hex, sizeof(told.features_hex), "0x%llx",
			(unsigned long long)told.session->features);
	return report_make(&report_session_object, &told);
}
