/* SPDX-License-Identifier: BSD-3-Clause */
/* See bell.h. */
#include "bell.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
bell_open(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void
bell_ring(int fd)
{
	const uint64_t one = 1;
	int saved = errno;

	/* fails only when the bell is ringing already */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		errno = saved;
}

void
bell_hear(int fd)
{
	uint64_t count;

	/* fails only when the bell is silent */
	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

bool
bell_await(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, timeout_ms) != 1)
		return false;
	bell_hear(fd);
	return true;
}
