/* SPDX-License-Identifier: BSD-3-Clause */
/* See vhost_check.h. */
#include "vhost_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Pages of 4 KiB, even where the file has larger ones. */
#define OFFSET_ALIGN 4096

enum vhost_verdict
vhost_check_say(const struct vhost_check *check, enum vhost_verdict verdict, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(check->why, check->why_size, fmt, args);
	va_end(args);
	return verdict;
}

/*
 * Bits may change only while no ring is started, because the library checks ring areas once, for the
 * kind of ring that was agreed on then.
 */
enum vhost_verdict
vhost_check_features(const struct vhost_check *check)
{
	uint64_t bits = check->msg->payload.u64;
	uint64_t strange = bits & ~check->offer->features;

	if (strange != 0)
		return vhost_refuse(check, "%s: bits 0x%" PRIx64 " were not offered", check->name,
				strange);
	if (bits != check->session->features && session_started(check->session))
		return vhost_refuse(check, "%s: changes bits 0x%" PRIx64 " while a ring is started",
				check->name, bits ^ check->session->features);
	return VHOST_GOOD;
}

enum vhost_verdict
vhost_check_protocol_features(const struct vhost_check *check)
{
	uint64_t strange = check->msg->payload.u64 & ~check->offer->protocol_features;

	if (strange != 0)
		return vhost_refuse(check, "%s: bits 0x%" PRIx64 " were not offered", check->name,
				strange);
	return VHOST_GOOD;
}

static enum vhost_verdict
check_region_file(const struct vhost_check *check, uint32_t index)
{
	const struct vhost_payload_region *region = &check->msg->payload.memory.regions[index];
	const struct vhost_fd *file = &check->msg->facts[index];

	if (file->kind != VHOST_FD_MEMORY)
		return vhost_break(check,
				"memory region %u is not shared memory: memfd, tmpfs or "
				"hugetlbfs is needed",
				index);
	if (!file->writable)
		return vhost_break(check,
				"memory region %u cannot be written to: its file is "
				"opened or sealed read-only",
				index);
	if (region->mmap_offset % OFFSET_ALIGN != 0)
		return vhost_break(check,
				"memory region %u: offset %" PRIu64 " in its file is not at "
				"the start of a page",
				index, region->mmap_offset);
	if (region->mmap_offset > file->size || region->size > file->size - region->mmap_offset)
		return vhost_break(check,
				"memory region %u is longer than its file (offset %" PRIu64
				" + %" PRIu64 " of %" PRIu64 " bytes)",
				index, region->mmap_offset, region->size, file->size);
	return VHOST_GOOD;
}

static enum vhost_verdict
check_region_range(const struct vhost_check *check, uint32_t index)
{
	const struct vhost_payload_region *region = &check->msg->payload.memory.regions[index];

	if (region->size == 0)
		return vhost_break(check, "memory region %u is empty", index);
	if (region->guest_phys_addr > UINT64_MAX - region->size ||
			region->userspace_addr > UINT64_MAX - region->size)
		return vhost_break(check,
				"memory region %u wraps around the end of the address "
				"space",
				index);
	return VHOST_GOOD;
}

static bool
overlap(uint64_t start_a, uint64_t size_a, uint64_t start_b, uint64_t size_b)
{
	return start_a < start_b + size_b && start_b < start_a + size_a;
}

static enum vhost_verdict
check_region_overlap(const struct vhost_check *check, uint32_t index)
{
	const struct vhost_payload_region *regions = check->msg->payload.memory.regions;
	const struct vhost_payload_region *region = &regions[index];
	uint32_t i;

	for (i = 0; i < index; i++) {
		if (overlap(region->guest_phys_addr, region->size, regions[i].guest_phys_addr,
				    regions[i].size))
			return vhost_break(check,
					"memory regions %u and %u overlap in guest-physical "
					"addresses",
					i, index);
		if (overlap(region->userspace_addr, region->size, regions[i].userspace_addr,
				    regions[i].size))
			return vhost_break(check,
					"memory regions %u and %u overlap in user addresses", i,
					index);
	}
	return VHOST_GOOD;
}

/*
 * The library compares a new table with the old one by addresses alone, and keeps the old mapping
 * when they are equal. If other files were behind them, it would go on in the wrong memory.
 */
static enum vhost_verdict
check_same_files(const struct vhost_check *check)
{
	const struct vhost_payload_memory *memory = &check->msg->payload.memory;
	const struct session_region *old;
	bool same = true;
	uint32_t i;

	if (!check->session->has_memory || check->session->n_regions != memory->n_regions)
		return VHOST_GOOD;
	for (i = 0; i < memory->n_regions; i++) {
		old = &check->session->regions[i];
		if (old->guest_phys_addr != memory->regions[i].guest_phys_addr ||
				old->size != memory->regions[i].size ||
				old->userspace_addr != memory->regions[i].userspace_addr)
			return VHOST_GOOD;
		if (old->mmap_offset != memory->regions[i].mmap_offset ||
				old->file_dev != check->msg->facts[i].dev ||
				old->file_ino != check->msg->facts[i].ino)
			same = false;
	}
	if (!same)
		return vhost_refuse(check,
				"memory table has the old addresses but other files: the "
				"vhost library would keep the old memory; reconnect");
	return VHOST_GOOD;
}

/* Checks region `index`, and adds the address space that it takes to *mapped. */
static enum vhost_verdict
check_region(const struct vhost_check *check, uint32_t index, uint64_t *mapped)
{
	const struct vhost_payload_region *region = &check->msg->payload.memory.regions[index];
	enum vhost_verdict verdict;

	verdict = check_region_range(check, index);
	if (verdict == VHOST_GOOD)
		verdict = check_region_overlap(check, index);
	if (verdict == VHOST_GOOD)
		verdict = check_region_file(check, index);
	if (verdict != VHOST_GOOD)
		return verdict;
	/* the library maps each file from its beginning; the sum is within the file's size */
	if (region->mmap_offset + region->size > MEMORY_MAPPED_MAX - *mapped)
		return vhost_refuse(check, "memory table takes more than %llu GiB of address space",
				MEMORY_MAPPED_MAX >> 30);
	*mapped += region->mmap_offset + region->size;
	return VHOST_GOOD;
}

/* Specification: "Memory regions description"; one descriptor a region. */
enum vhost_verdict
vhost_check_memory(const struct vhost_check *check)
{
	const struct vhost_payload_memory *memory = &check->msg->payload.memory;
	enum vhost_verdict verdict;
	uint64_t mapped = 0;
	uint32_t i;

	/* the header was good, so the size is that of 1 to MEMORY_REGIONS_MAX regions */
	if (check->msg->header.size !=
			offsetof(struct vhost_payload_memory, regions) +
					memory->n_regions * sizeof(memory->regions[0]))
		return vhost_break(check, "memory table of %u regions in %u bytes",
				memory->n_regions, check->msg->header.size);
	if (check->msg->n_fds != memory->n_regions)
		return vhost_break(check, "memory table of %u regions with %u descriptors",
				memory->n_regions, check->msg->n_fds);
	for (i = 0; i < memory->n_regions; i++) {
		verdict = check_region(check, i, &mapped);
		if (verdict != VHOST_GOOD)
			return verdict;
	}
	return check_same_files(check);
}

/* SET_VRING_NUM, _BASE and _ADDR are refused before a memory table, which their ring lies in. */
static enum vhost_verdict
check_has_memory(const struct vhost_check *check, uint32_t index)
{
	if (!check->session->has_memory)
		return vhost_refuse(check, "ring %u: %s before a good memory table", index,
				check->name);
	return VHOST_GOOD;
}

static enum vhost_verdict
check_area(const struct vhost_check *check, uint32_t index, uint32_t size, enum session_area area,
		uint64_t user_addr)
{
	switch (session_check_area(check->session, area, size, user_addr)) {
	case 0:
		return VHOST_GOOD;
	case -EINVAL:
		return vhost_break(check, "ring %u: %s at 0x%" PRIx64 " is not aligned to %u bytes",
				index, session_area_name(area), user_addr,
				session_area_align(area));
	default:
		return vhost_break(check,
				"ring %u: %s (%" PRIu64 " bytes at 0x%" PRIx64 ") is not "
				"wholly in one memory region",
				index, session_area_name(area), session_area_bytes(area, size),
				user_addr);
	}
}

static enum vhost_verdict
check_areas(const struct vhost_check *check, uint32_t index, uint32_t size, uint64_t desc,
		uint64_t avail, uint64_t used)
{
	enum vhost_verdict verdict;

	verdict = check_area(check, index, size, SESSION_AREA_DESC, desc);
	if (verdict == VHOST_GOOD)
		verdict = check_area(check, index, size, SESSION_AREA_AVAIL, avail);
	if (verdict == VHOST_GOOD)
		verdict = check_area(check, index, size, SESSION_AREA_USED, used);
	return verdict;
}

enum vhost_verdict
vhost_check_vring_num(const struct vhost_check *check)
{
	const struct vhost_payload_state *state = &check->msg->payload.state;
	const struct session_vring *vring = &check->session->vrings[state->index];
	enum vhost_verdict verdict;

	if (state->num < VRING_SIZE_MIN || state->num > VRING_SIZE_MAX ||
			(state->num & (state->num - 1)) != 0)
		return vhost_break(check, "ring %u: size %u; a power of two from %d to %d is right",
				state->index, state->num, VRING_SIZE_MIN, VRING_SIZE_MAX);
	verdict = check_has_memory(check, state->index);
	if (verdict != VHOST_GOOD || !vring->has_addr)
		return verdict;
	/* a ring whose address is set must fit there with its new size */
	return check_areas(check, state->index, state->num, vring->desc_user_addr,
			vring->avail_user_addr, vring->used_user_addr);
}

enum vhost_verdict
vhost_check_vring_base(const struct vhost_check *check)
{
	const struct vhost_payload_state *state = &check->msg->payload.state;

	if (state->num > UINT16_MAX)
		return vhost_break(check, "ring %u: base %u does not fit 16 bits", state->index,
				state->num);
	return check_has_memory(check, state->index);
}

enum vhost_verdict
vhost_check_vring_addr(const struct vhost_check *check)
{
	const struct vhost_payload_addr *addr = &check->msg->payload.addr;
	enum vhost_verdict verdict;

	if (addr->flags != 0)
		return vhost_refuse(check,
				"ring %u: %s with flags 0x%x; writes are not logged here",
				addr->index, check->name, addr->flags);
	verdict = check_has_memory(check, addr->index);
	if (verdict != VHOST_GOOD)
		return verdict;
	if (check->session->vrings[addr->index].size == 0)
		return vhost_refuse(check, "ring %u: %s before SET_VRING_NUM", addr->index,
				check->name);
	return check_areas(check, addr->index, check->session->vrings[addr->index].size,
			addr->desc_user_addr, addr->avail_user_addr, addr->used_user_addr);
}

enum vhost_verdict
vhost_check_vring_enable(const struct vhost_check *check)
{
	const struct vhost_payload_state *state = &check->msg->payload.state;

	if (state->num > 1)
		return vhost_break(check, "ring %u: %s %u; 0 or 1 is right", state->index,
				check->name, state->num);
	return VHOST_GOOD;
}

/* SET_VRING_KICK, _CALL, _ERR: an eventfd, or the bit that says that there is none. */
enum vhost_verdict
vhost_check_vring_file(const struct vhost_check *check)
{
	uint64_t payload = check->msg->payload.u64;
	uint32_t index = payload & VHOST_FILE_INDEX_MASK;
	uint32_t expected = (payload & VHOST_FILE_NO_DESCRIPTOR) != 0 ? 0 : 1;

	if ((payload & ~(uint64_t)(VHOST_FILE_INDEX_MASK | VHOST_FILE_NO_DESCRIPTOR)) != 0)
		return vhost_break(check, "ring %u: %s with reserved bits 0x%" PRIx64, index,
				check->name, payload);
	if (check->msg->n_fds != expected)
		return vhost_break(check, "ring %u: %s with %u descriptors; %u is right", index,
				check->name, check->msg->n_fds, expected);
	if (expected == 1 && check->msg->facts[0].kind != VHOST_FD_EVENTFD)
		return vhost_break(check, "ring %u: %s with a descriptor that is not an eventfd",
				index, check->name);
	return VHOST_GOOD;
}

/*
 * With NEED_REPLY the frontend asks whether its MTU is valid: an MTU over the port's is refused, because
 * frames would be lost. Without it the frontend only announces its MTU, and the smaller of the two counts.
 */
enum vhost_verdict
vhost_check_mtu(const struct vhost_check *check)
{
	bool asks = (check->msg->header.flags & VHOST_FLAG_NEED_REPLY) != 0;
	uint64_t mtu = check->msg->payload.u64;

	if (mtu < PORT_MTU_MIN || mtu > PORT_MTU_MAX)
		return vhost_refuse(check, "%s: %" PRIu64 "; %d to %d is right", check->name, mtu,
				PORT_MTU_MIN, PORT_MTU_MAX);
	if (asks && mtu > check->offer->mtu)
		return vhost_refuse(check,
				"%s: the frontend's MTU %" PRIu64 " is more than the port's %u; "
				"`set-port NAME mtu=%" PRIu64 "`, or a smaller one there (QEMU: "
				"host_mtu=%u)",
				check->name, mtu, check->offer->mtu, mtu, check->offer->mtu);
	return VHOST_GOOD;
}

/* Virtio 1.1, 2.1: the device status is eight bits. */
enum vhost_verdict
vhost_check_status(const struct vhost_check *check)
{
	if (check->msg->payload.u64 > UINT8_MAX)
		return vhost_break(check, "%s: 0x%" PRIx64 " does not fit eight bits", check->name,
				check->msg->payload.u64);
	return VHOST_GOOD;
}
