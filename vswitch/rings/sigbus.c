/* SPDX-License-Identifier: BSD-3-Clause */
#include "sigbus.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory_fault.h"
#include "base/thread_time.h"
#include "base/tsc.h"

#define WATCHES_MAX (SESSIONS_MAX * MEMORY_REGIONS_MAX)
/* After this many single pages the whole region is mapped: a shrunk terabyte must not cost a fault
 * for each of its pages. */
#define HITS_MAX 64

struct watch {
	uint8_t *start;
	uint8_t *end; /* written last; NULL: free */
	struct vring_health *health;
	struct memory_growth *growth;
	uint32_t hits; /* writer: the handler */
};

static struct watch watches[WATCHES_MAX];
static uint32_t n_watches; /* high-water mark */
static __thread struct vring_health *working_for;

int
sigbus_watch(const struct guest_mem *mem, struct vring_health *health, struct memory_growth *growth)
{
	uint32_t region = 0;

	for (uint32_t i = 0; i < WATCHES_MAX && region < mem->n; i++) {
		if (watches[i].end != NULL)
			continue;
		watches[i].start = mem->regions[region].host;
		watches[i].health = health;
		watches[i].growth = growth;
		watches[i].hits = 0;
		if (i >= n_watches)
			__atomic_store_n(&n_watches, i + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&watches[i].end,
				mem->regions[region].host + mem->regions[region].size,
				__ATOMIC_RELEASE);
		region++;
	}
	if (region < mem->n) {
		sigbus_forget(health);
		return -ENOSPC;
	}
	for (uint32_t i = 0; i < mem->n; i++)
		memory_fault_watch(mem->regions[i].host, mem->regions[i].size);
	return 0;
}

void
sigbus_forget(const struct vring_health *health)
{
	for (uint32_t i = 0; i < n_watches; i++)
		if (watches[i].health == health)
			__atomic_store_n(&watches[i].end, NULL, __ATOMIC_RELEASE);
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
		uint8_t *end = __atomic_load_n(&watches[i].end, __ATOMIC_ACQUIRE);

		if (addr < end && addr >= watches[i].start)
			return &watches[i];
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

/* A page of any size: the kernel refuses to split a huge page's mapping. */
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

/* Makes a page that nobody has touched yet. False when that is not the case. */
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
		signal(number, SIG_DFL); /* the instruction faults again, now for real */
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
