/* SPDX-License-Identifier: BSD-3-Clause */
/* See hugepages.h. */
#include "hugepages.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/mman.h>

#define SYSFS_DIR "/sys/kernel/mm/hugepages"
#define PREFIX "hugepages-" /* and the size of a page, "2048kB" */

/* The kernel reserves the pages when it makes the mapping, and takes none of them until use. */
static bool
can_map(unsigned long page_kib, uint64_t bytes)
{
	int order = __builtin_ctzl(page_kib) + 10;
	void *start;

	start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (order << MAP_HUGE_SHIFT), -1,
			0);
	if (start == MAP_FAILED)
		return false;
	munmap(start, bytes);
	return true;
}

static bool
has_pages(unsigned long page_kib, uint32_t mib)
{
	uint64_t page = (uint64_t)page_kib << 10;
	uint64_t bytes = (uint64_t)mib << 20;

	return page > 0 && can_map(page_kib, (bytes + page - 1) / page * page);
}

bool
hugepages_free(uint32_t mib, char *why, size_t why_size)
{
	DIR *dir = opendir(SYSFS_DIR);
	unsigned long page_kib;
	struct dirent *entry;
	bool found = false;

	snprintf(why, why_size, "not enough free hugepages for %u MiB", mib);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		page_kib = strtoul(entry->d_name + strlen(PREFIX), NULL, 10);
		found = has_pages(page_kib, mib);
		if (found)
			snprintf(why, why_size, "enough free ones of %lu KiB", page_kib);
	}
	closedir(dir);
	return found;
}
