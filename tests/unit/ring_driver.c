/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_driver.h"

#include <stdlib.h>
#include <string.h>

void
driver_init(struct driver *driver, uint32_t index, uint32_t size)
{
	uint32_t avail_at = size * sizeof(struct vring_desc);
	uint32_t used_at = avail_at + 4096 * (1 + size / 1024);

	memset(driver, 0, sizeof(*driver));
	driver->memory = aligned_alloc(4096, GUEST_SIZE);
	memset(driver->memory, 0, GUEST_SIZE);
	driver->desc = (struct vring_desc *)(void *)driver->memory;
	driver->avail = (struct vring_avail *)(void *)(driver->memory + avail_at);
	driver->used = (struct vring_used *)(void *)(driver->memory + used_at);
	driver->next_buffer = GUEST_BUFFERS;
	driver->vring = (struct split_vring){
		.desc = driver->desc,
		.avail = driver->avail,
		.used = driver->used,
		.size = size,
		.header_len = VNET_HDR_LEN,
		.mergeable = true,
		.indirect = true,
		.index = index,
		.kick_fd = -1,
		.call_fd = -1,
		.health = &driver->health,
	};
	driver_split_memory(driver, 0);
}

void
driver_free(struct driver *driver)
{
	free(driver->memory);
}

static void
set_region(struct driver *driver, uint32_t i, uint64_t start, uint64_t end)
{
	driver->vring.mem.regions[i] = (struct guest_region){
		.guest_phys_addr = start,
		.size = end - start,
		.user_addr = GUEST_USER + (start - GUEST_BASE),
		.host = driver->memory + (start - GUEST_BASE),
	};
	driver->vring.mem.n = i + 1;
}

void
driver_split_memory(struct driver *driver, uint64_t border)
{
	if (border == 0) {
		set_region(driver, 0, GUEST_BASE, GUEST_BASE + GUEST_SIZE);
		return;
	}
	set_region(driver, 0, GUEST_BASE, border);
	set_region(driver, 1, border, GUEST_BASE + GUEST_SIZE);
}

uint64_t
driver_buffer(struct driver *driver, uint32_t len)
{
	uint64_t addr = driver->next_buffer;

	driver->next_buffer += len;
	if (driver->next_buffer > GUEST_BASE + GUEST_SIZE)
		abort();
	return addr;
}

uint8_t *
driver_host(const struct driver *driver, uint64_t addr)
{
	return driver->memory + (addr - GUEST_BASE);
}

void
driver_set_desc(struct driver *driver, uint16_t i, uint64_t addr, uint32_t len, uint16_t flags,
		uint16_t next)
{
	driver->desc[i] = (struct vring_desc){
		.addr = addr, .len = len, .flags = flags, .next = next
	};
}

void
driver_offer(struct driver *driver, uint16_t head)
{
	driver->avail->ring[driver->avail_idx & (driver->vring.size - 1)] = head;
	driver->avail_idx++;
	__atomic_store_n(&driver->avail->idx, driver->avail_idx, __ATOMIC_RELEASE);
}

bool
driver_next_used(struct driver *driver, struct vring_used_elem *elem)
{
	if (driver->seen_used == __atomic_load_n(&driver->used->idx, __ATOMIC_ACQUIRE))
		return false;
	*elem = driver->used->ring[driver->seen_used & (driver->vring.size - 1)];
	driver->seen_used++;
	return true;
}
