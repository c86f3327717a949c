/* SPDX-License-Identifier: BSD-3-Clause */
/* See fd_check.h. */
#include "fd_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Since Linux 5.1; some C libraries do not name it. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/*
 * F_GET_SEALS succeeds for memfd, tmpfs and hugetlbfs only (mm/memfd.c). After it fstat() cannot
 * block, because these file systems answer from the kernel's memory.
 */
static bool
look_at_memory(int fd, struct vhost_fd *facts)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	int flags;

	if (seals < 0)
		return false;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fstat(fd, &st) != 0)
		return false;
	facts->kind = VHOST_FD_MEMORY;
	facts->writable = (flags & O_ACCMODE) == O_RDWR &&
			(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0;
	facts->size = (uint64_t)st.st_size;
	facts->dev = (uint64_t)st.st_dev;
	facts->ino = (uint64_t)st.st_ino;
	return true;
}

/* By the name that the kernel gives an eventfd. A file cannot have it: its name begins with a slash. */
static bool
is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char path[32], target[sizeof(name)];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, target, sizeof(target));
	return len == (ssize_t)strlen(name) && memcmp(target, name, strlen(name)) == 0;
}

void
fd_check(int fd, struct vhost_fd *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->kind = VHOST_FD_OTHER;
	if (!look_at_memory(fd, facts) && is_eventfd(fd))
		facts->kind = VHOST_FD_EVENTFD;
}

int
fd_check_map(int fd, uint64_t size)
{
	struct stat st;
	uint64_t align;
	void *memory;

	if (fstat(fd, &st) != 0)
		return -errno;
	align = (uint64_t)st.st_blksize;
	size = (size + align - 1) / align * align;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	munmap(memory, size);
	return 0;
}
