/* SPDX-License-Identifier: BSD-3-Clause */
#include "notice.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int notice_fd = -1;

int
notice_create(void)
{
	notice_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return notice_fd < 0 ? -errno : notice_fd;
}

void
notice_post(void)
{
	const uint64_t one = 1;
	int saved = errno;

	/* Fails only when the bell is not made yet, or rings already. */
	if (notice_fd >= 0 && write(notice_fd, &one, sizeof(one)) < 0)
		errno = saved;
}

void
notice_clear(void)
{
	uint64_t count;

	/* Fails only when somebody was quicker. */
	if (read(notice_fd, &count, sizeof(count)) < 0)
		return;
}
