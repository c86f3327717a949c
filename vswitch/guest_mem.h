/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frontend's memory as this process has it mapped: guest-physical ranges and where they are.
 *
 * Immutable once published to the workers. Every address that a guest names is translated here
 * and nowhere else, with its whole length. Plain C, no DPDK.
 */
#ifndef VSWITCH_GUEST_MEM_H
#define VSWITCH_GUEST_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "limits.h"

struct guest_region {
	uint64_t guest_phys_addr;
	uint64_t size;		/* bytes; never 0 */
	uint64_t user_addr;	/* the same memory in the frontend's address space */
	uint8_t *host;		/* mapped here */
};

struct guest_mem {
	uint32_t n;
	struct guest_region regions[MEMORY_REGIONS_MAX];
};

/*
 * Host address of guest-physical `addr` and, in *len (in: wanted, out: got), how many bytes from
 * there on lie in the same region. NULL when the address is in no region.
 */
uint8_t *guest_mem_translate(const struct guest_mem *mem, uint64_t addr, uint64_t *len);

/* Host address of a whole range of the frontend's user address space, or NULL. */
uint8_t *guest_mem_from_user(const struct guest_mem *mem, uint64_t user_addr, uint64_t len);

#endif
