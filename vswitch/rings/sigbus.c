/* SPDX-License-Identifier: BSD-3-Clause */
#include "sigbus.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory_fault.h"
#include "base/thread_time.h"
#include "base/tsc.h"

#define WATCHES_MAX (SESSIONS_MAX * MEMORY_REGIONS_MAX)
/* After so many single pages the rest of the region is mapped over at once, because a file that shrank
 * by a terabyte must not cost a fault for each page. */
#define HITS_MAX 64

/* How many watches are allocated at a time. */
#define CHUNK 64

struct watch {
	uint8_t *start;
	uint8_t *end; /* written last; NULL: free */
	struct vring_health *health;
	struct memory_growth *growth;
	uint32_t hits; /* writer: the handler */
};

/* Allocated when needed, and never freed, because the handler may read them at any time. */
static struct watch *chunks[WATCHES_MAX / CHUNK + 1];
static uint32_t n_watches; /* high-water mark; all chunks below it are allocated */
static __thread struct vring_health *working_for;

static struct watch *
watch_at(uint32_t i)
{
	return &chunks[i / CHUNK][i % CHUNK];
}

/* A free watch, below the high-water mark, which it may raise. NULL: no memory. */
static struct watch *
free_watch(void)
{
	uint32_t i = 0;

	while (i < n_watches && watch_at(i)->end != NULL)
		i++;
	if (i == WATCHES_MAX)
		return NULL;
	if (i < n_watches)
		return watch_at(i);
	if (chunks[i / CHUNK] == NULL)
		chunks[i / CHUNK] = calloc(CHUNK, sizeof(struct watch));
	if (chunks[i / CHUNK] == NULL)
		return NULL;
	__atomic_store_n(&n_watches, i + 1, __ATOMIC_RELEASE);
	return watch_at(i);
}

int
sigbus_watch(const struct guest_mem *mem, struct vring_health *health, struct memory_growth *growth)
{
	for (uint32_t i = 0; i < mem->n; i++) {
		const struct guest_region *region = &mem->regions[i];
		struct watch *watch = free_watch();

		if (watch == NULL) {
			sigbus_forget(health);
			return -ENOSPC;
		}
		watch->start = region->host;
		watch->health = health;
		watch->growth = growth;
		watch->hits = 0;
		__atomic_store_n(&watch->end, region->host + region->size, __ATOMIC_RELEASE);
	}
	for (uint32_t i = 0; i < mem->n; i++)
		memory_fault_watch(mem->regions[i].host, mem->regions[i].size);
	return 0;
}

void
sigbus_forget(const struct vring_health *health)
{
	for (uint32_t i = 0; i < n_watches; i++)
		if (watch_at(i)->health == health)
			__atomic_store_n(&watch_at(i)->end, NULL, __ATOMIC_RELEASE);
}

void
sigbus_work_for(struct vring_health *health)
{
	working_for = health;
}

static struct watch *
find_watch(const uint8_t *addr)
{
	uint32_t n = __atomic_load_n(&n_watches, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < n; i++) {
		struct watch *watch = watch_at(i);
		uint8_t *end = __atomic_load_n(&watch->end, __ATOMIC_ACQUIRE);

		if (addr < end && addr >= watch->start)
			return watch;
	}
	return NULL;
}

static bool
map_over(uint8_t *start, size_t size)
{
	return mmap(start, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
			       0) == start;
}

/* Tries all sizes of pages, because the kernel refuses to split a huge page's mapping. */
static bool
map_page_over(uint8_t *addr)
{
	static const size_t sizes[] = { 4096, 2u << 20, 1u << 30 };

	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (map_over((uint8_t *)((uintptr_t)addr & ~(sizes[i] - 1)), sizes[i]))
			return true;
	return false;
}

static bool
patch(uint8_t *addr, struct watch *watch)
{
	if (watch != NULL && ++watch->hits > HITS_MAX) {
		uintptr_t start = (uintptr_t)addr & ~(uintptr_t)4095;

		if (map_over((uint8_t *)start, (uintptr_t)watch->end - start))
			return true;
	}
	return map_page_over(addr);
}

/* Makes the page if nobody has touched it yet. False when the fault has another cause. */
static bool
add_page(uint8_t *addr, const struct watch *watch)
{
	const uint64_t start = tsc_read();
	enum memory_fault fault = memory_fault_fill(addr);

	thread_time_page(tsc_read() - start);
	if (fault == MEMORY_FAULT_FILLED && watch != NULL)
		memory_growth_add(watch->growth, MEMORY_FAULT_PAGE);
	return fault != MEMORY_FAULT_OTHER;
}

static void
on_sigbus(int number, siginfo_t *info, void *context)
{
	uint8_t *addr = info->si_addr;
	struct watch *watch = find_watch(addr);
	struct vring_health *health = watch != NULL ? watch->health : working_for;
	int saved = errno;

	(void)context;
	if (info->si_code > 0 && add_page(addr, watch)) {
		errno = saved;
		return;
	}
	if (info->si_code <= 0 || health == NULL || !patch(addr, watch)) {
		signal(number, SIG_DFL); /* the instruction faults again, and ends the process */
		return;
	}
	vring_health_break(health, VRING_MEMORY_GONE, 0);
	errno = saved;
}

int
sigbus_install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_NODEFER };

	return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}
