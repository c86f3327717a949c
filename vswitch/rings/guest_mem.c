/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest_mem.h"

uint8_t *
guest_mem_from_user(const struct guest_mem *mem, uint64_t user_addr, uint64_t len)
{
	for (uint32_t i = 0; i < mem->n; i++) {
		const struct guest_region *region = &mem->regions[i];
		uint64_t offset = user_addr - region->user_addr;

		if (offset < region->size && len <= region->size - offset)
			return region->host + offset;
	}
	return NULL;
}
