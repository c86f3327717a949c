/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frontend's memory as this process has mapped it: guest-physical ranges and their addresses here.
 *
 * Immutable once published to the workers. Only these functions translate an address that a guest names,
 * and they check its whole length. Plain C, no DPDK.
 */
#ifndef VSWITCH_GUEST_MEM_H
#define VSWITCH_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/switch_limits.h"

struct guest_region {
	uint64_t guest_phys_addr;
	uint64_t size;	    /* bytes; never 0 */
	uint64_t user_addr; /* the same memory in the frontend's address space */
	uint8_t *host;	    /* where it is mapped in this process */
};

struct guest_mem {
	uint32_t n;
	struct guest_region regions[MEMORY_REGIONS_MAX];
};

/* The region of guest-physical `addr`; NULL when it is in none. */
static inline const struct guest_region *
guest_mem_find(const struct guest_mem *mem, uint64_t addr)
{
	for (uint32_t i = 0; i < mem->n; i++)
		/* The difference wraps to a huge number for addresses below the region. */
		if (addr - mem->regions[i].guest_phys_addr < mem->regions[i].size)
			return &mem->regions[i];
	return NULL;
}

/*
 * Host address of guest-physical `addr`; *available is how many bytes from there on lie in the same
 * region. NULL when the address is in no region.
 */
static inline uint8_t *
guest_mem_translate(const struct guest_mem *mem, uint64_t addr, uint64_t *available)
{
	const struct guest_region *region = guest_mem_find(mem, addr);

	if (region == NULL)
		return NULL;
	*available = region->size - (addr - region->guest_phys_addr);
	return region->host + (addr - region->guest_phys_addr);
}

/* Caches the region found last, because drivers keep their buffers together. All zero at first. */
struct guest_window {
	uint64_t guest_phys_addr;
	uint64_t size;
	uint8_t *host;
};

/* Sets the window to the region of `addr`. False when there is none. */
static inline bool
guest_window_move(struct guest_window *window, const struct guest_mem *mem, uint64_t addr)
{
	const struct guest_region *region = guest_mem_find(mem, addr);

	if (region == NULL)
		return false;
	window->guest_phys_addr = region->guest_phys_addr;
	window->size = region->size;
	window->host = region->host;
	return true;
}

/* Host address of `len` bytes at guest-physical `addr` that lie in one region, else NULL. */
static inline uint8_t *
guest_window_translate(struct guest_window *window, const struct guest_mem *mem, uint64_t addr,
		uint32_t len)
{
	if (addr - window->guest_phys_addr >= window->size && !guest_window_move(window, mem, addr))
		return NULL;
	if (len > window->size - (addr - window->guest_phys_addr))
		return NULL;
	return window->host + (addr - window->guest_phys_addr);
}

/*
 * Host address of `len` bytes (not 0) at an address of the frontend's own address space, in which
 * vhost-user names rings. NULL unless the range lies wholly in one region.
 */
uint8_t *guest_mem_from_user(const struct guest_mem *mem, uint64_t user_addr, uint64_t len);

#endif
