/* SPDX-License-Identifier: BSD-3-Clause */
/* See session.h. */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
session_init(struct session *session, void (*close_fd)(void *arg, int fd), void *arg)
{
	uint32_t i;

	memset(session, 0, sizeof(*session));
	session->close_fd = close_fd;
	session->close_arg = arg;
	for (i = 0; i < PORT_VRINGS; i++) {
		session->vrings[i].kick_fd = -1;
		session->vrings[i].call_fd = -1;
	}
}

static void
give_up(const struct session *session, int *fd)
{
	if (*fd >= 0)
		session->close_fd(session->close_arg, *fd);
	*fd = -1;
}

void
session_reset(struct session *session)
{
	uint32_t i;

	session_drop_memory(session);
	for (i = 0; i < PORT_VRINGS; i++) {
		give_up(session, &session->vrings[i].kick_fd);
		give_up(session, &session->vrings[i].call_fd);
	}
	session_init(session, session->close_fd, session->close_arg);
}

bool
session_vring_complete(const struct session *session, uint32_t index)
{
	const struct session_vring *vring = &session->vrings[index];

	return session->has_features && session->has_memory && vring->size != 0 &&
			vring->has_addr && vring->kicked && vring->enabled;
}

static const char *
vring_missing(const struct session_vring *vring)
{
	if (vring->size == 0)
		return "has no size yet";
	if (!vring->has_addr)
		return "has no address yet";
	if (!vring->kicked)
		return "is not started yet";
	if (!vring->enabled)
		return "is not enabled yet";
	return NULL;
}

void
session_missing(const struct session *session, char *text, size_t size)
{
	const char *what;
	uint32_t i;

	if (!session->has_features) {
		snprintf(text, size, "no features agreed yet");
		return;
	}
	if (!session->has_memory) {
		snprintf(text, size, "no memory table yet");
		return;
	}
	for (i = 0; i < PORT_VRINGS; i++) {
		what = vring_missing(&session->vrings[i]);
		if (what != NULL) {
			snprintf(text, size, "ring %u %s", i, what);
			return;
		}
	}
	/* with the STATUS feature the library starts the device only after DRIVER_OK */
	if ((session->protocol_features & SESSION_PROTOCOL_F_STATUS) != 0 &&
			(session->status & SESSION_STATUS_DRIVER_OK) == 0)
		snprintf(text, size, "the driver has not said that it is ready (DRIVER_OK)");
	else if (size > 0)
		text[0] = '\0';
}

bool
session_stopped(const struct session *session)
{
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++) {
		if (!session->vrings[i].was_stopped)
			return false;
	}
	return true;
}

bool
session_started(const struct session *session)
{
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++) {
		if (session->vrings[i].kicked)
			return true;
	}
	return false;
}

const char *
session_area_name(enum session_area area)
{
	static const char *const names[] = { "descriptor area", "avail ring", "used ring" };

	return names[area];
}

uint64_t
session_area_bytes(enum session_area area, uint32_t size)
{
	switch (area) {
	case SESSION_AREA_DESC:
		return 16 * (uint64_t)size;
	case SESSION_AREA_AVAIL:
		return 6 + 2 * (uint64_t)size;
	default:
		return 6 + 8 * (uint64_t)size;
	}
}

uint32_t
session_area_align(enum session_area area)
{
	static const uint32_t align[] = { 16, 2, 4 };

	return align[area];
}

int
session_check_area(const struct session *session, enum session_area area, uint32_t size,
		uint64_t user_addr)
{
	uint64_t bytes = session_area_bytes(area, size);
	uint64_t mask = session_area_align(area) - 1;
	const struct session_region *region;
	uint64_t offset;
	uint32_t i;

	for (i = 0; i < session->n_regions; i++) {
		region = &session->regions[i];
		offset = user_addr - region->userspace_addr; /* huge when below the region */
		if (offset >= region->size || region->size - offset < bytes)
			continue;
		/* aligned in the frontend, and here, where the file is mapped at a page's start */
		if ((user_addr & mask) != 0 || ((region->mmap_offset + offset) & mask) != 0)
			return -EINVAL;
		return 0;
	}
	return -EFAULT;
}

static bool
vring_fits(const struct session *session, const struct session_vring *vring)
{
	return vring->size != 0 &&
			session_check_area(session, SESSION_AREA_DESC, vring->size,
					vring->desc_user_addr) == 0 &&
			session_check_area(session, SESSION_AREA_AVAIL, vring->size,
					vring->avail_user_addr) == 0 &&
			session_check_area(session, SESSION_AREA_USED, vring->size,
					vring->used_user_addr) == 0;
}

/* Forgets addresses that no longer hold after a change of memory or size. */
static void
recheck_addresses(struct session *session)
{
	struct session_vring *vring;
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++) {
		vring = &session->vrings[i];
		if (vring->has_addr && !vring_fits(session, vring))
			vring->has_addr = false;
	}
}

/* A ring that has all it needs runs again, so it no longer counts as stopped. */
static void
note_runs(struct session *session)
{
	uint32_t i;

	for (i = 0; i < PORT_VRINGS; i++) {
		if (session_vring_complete(session, i))
			session->vrings[i].was_stopped = false;
	}
}

void
session_set_features(struct session *session, uint64_t features)
{
	session->has_features = true;
	session->features = features;
	note_runs(session);
}

void
session_drop_memory(struct session *session)
{
	uint32_t i;

	for (i = 0; i < session->n_regions; i++)
		give_up(session, &session->regions[i].fd);
	session->n_regions = 0;
	session->has_memory = false;
}

void
session_set_memory(
		struct session *session, const struct session_region *regions, uint32_t n_regions)
{
	session_drop_memory(session);
	memcpy(session->regions, regions, n_regions * sizeof(*regions));
	session->n_regions = n_regions;
	session->has_memory = true;
	recheck_addresses(session);
	note_runs(session);
}

void
session_set_vring_size(struct session *session, uint32_t index, uint32_t size)
{
	session->vrings[index].size = size;
	recheck_addresses(session);
}

void
session_set_vring_addr(struct session *session, uint32_t index, uint64_t desc_user_addr,
		uint64_t avail_user_addr, uint64_t used_user_addr)
{
	struct session_vring *vring = &session->vrings[index];

	vring->has_addr = true;
	vring->desc_user_addr = desc_user_addr;
	vring->avail_user_addr = avail_user_addr;
	vring->used_user_addr = used_user_addr;
	note_runs(session);
}

void
session_start_vring(struct session *session, uint32_t index, int kick_fd)
{
	struct session_vring *vring = &session->vrings[index];

	give_up(session, &vring->kick_fd);
	vring->kick_fd = kick_fd;
	vring->kicked = true;
	/* without that feature rings start enabled (vhost-user: "Ring states") */
	if ((session->features & SESSION_F_PROTOCOL_FEATURES) == 0)
		vring->enabled = true;
	note_runs(session);
}

void
session_set_vring_call(struct session *session, uint32_t index, int call_fd)
{
	struct session_vring *vring = &session->vrings[index];

	give_up(session, &vring->call_fd);
	vring->call_fd = call_fd;
	vring->has_call = true;
	note_runs(session);
}

void
session_enable_vring(struct session *session, uint32_t index, bool enabled)
{
	struct session_vring *vring = &session->vrings[index];

	if (!enabled && session_vring_complete(session, index))
		vring->was_stopped = true;
	vring->enabled = enabled;
	note_runs(session);
}

void
session_stop_vring(struct session *session, uint32_t index, uint16_t base)
{
	struct session_vring *vring = &session->vrings[index];

	if (session_vring_complete(session, index))
		vring->was_stopped = true;
	give_up(session, &vring->kick_fd);
	give_up(session, &vring->call_fd);
	vring->kicked = false;
	vring->has_call = false;
	vring->has_addr = false;
	vring->base = base;
}
