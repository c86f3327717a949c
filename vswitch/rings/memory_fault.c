/* SPDX-License-Identifier: BSD-3-Clause */
/* See memory_fault.h. */
#include "memory_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

/* Since Linux 5.11 and 5.14; some C libraries do not name them. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define PAGE_MASK ((uintptr_t)MEMORY_FAULT_PAGE - 1)

/* The most pages that one mincore() looks up. */
#define LOOKED_UP_MAX 32

/*
 * How often in a row a thread may find that another was faster at the same page. Without a limit a page
 * that exists but cannot be used (broken hardware, unreadable swap space) would fault for ever.
 */
#define RACES_MAX 64

static int uffd = -1;
static __thread unsigned int met;
static __thread struct {
	uintptr_t page;
	unsigned int in_a_row;
} races;

int
memory_fault_start(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	const int flags = O_CLOEXEC | O_NONBLOCK;
	int fd = (int)syscall(SYS_userfaultfd, flags | UFFD_USER_MODE_ONLY);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_userfaultfd, flags);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	uffd = fd;
	return 0;
}

bool
memory_fault_works(void)
{
	return uffd >= 0;
}

void
memory_fault_watch(void *start, size_t size)
{
	uintptr_t first = (uintptr_t)start & ~PAGE_MASK;
	uintptr_t end = ((uintptr_t)start + size + PAGE_MASK) & ~PAGE_MASK;
	struct uffdio_register watch = { .range = { .start = first, .len = end - first },
		.mode = UFFDIO_REGISTER_MODE_MISSING };

	if (uffd < 0 || ioctl(uffd, UFFDIO_REGISTER, &watch) < 0)
		return;
	if ((watch.ioctls & 1ull << _UFFDIO_ZEROPAGE) == 0)
		ioctl(uffd, UFFDIO_UNREGISTER, &watch.range); /* huge pages */
}

static bool
may_have_raced(uintptr_t page)
{
	if (races.page != page)
		races.in_a_row = 0;
	races.page = page;
	return ++races.in_a_row <= RACES_MAX;
}

enum memory_fault
memory_fault_fill(void *addr)
{
	uintptr_t page = (uintptr_t)addr & ~PAGE_MASK;
	struct uffdio_zeropage zero = { .range = { .start = page, .len = MEMORY_FAULT_PAGE } };

	if (uffd < 0)
		return MEMORY_FAULT_OTHER;
	met++;
	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero) == 0) {
		races.in_a_row = 0;
		return MEMORY_FAULT_FILLED;
	}
	if ((errno == EEXIST || errno == EAGAIN) && may_have_raced(page))
		return MEMORY_FAULT_RACED;
	met--;
	return MEMORY_FAULT_OTHER;
}

unsigned int
memory_fault_count(void)
{
	return met;
}

static bool
look_up(uintptr_t first, uintptr_t end)
{
	unsigned char resident[LOOKED_UP_MAX];

	while (first < end) {
		size_t n = (end - first) / MEMORY_FAULT_PAGE;

		if (n > LOOKED_UP_MAX)
			n = LOOKED_UP_MAX;
		if (mincore((void *)first, n * MEMORY_FAULT_PAGE, resident) < 0)
			return false;
		for (size_t i = 0; i < n; i++)
			if ((resident[i] & 1) == 0)
				return false;
		first += n * MEMORY_FAULT_PAGE;
	}
	return true;
}

bool
memory_fault_present(const void *start, size_t len)
{
	uintptr_t first = (uintptr_t)start & ~PAGE_MASK;
	uintptr_t end = ((uintptr_t)start + len + PAGE_MASK) & ~PAGE_MASK;

	/* where absent pages are watched, this fails at an absent page and makes none */
	if (uffd >= 0 && madvise((void *)first, end - first, MADV_POPULATE_READ) == 0)
		return true;
	if (uffd >= 0 && errno != EINVAL)
		return false;
	return look_up(first, end);
}
