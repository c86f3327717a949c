/* SPDX-License-Identifier: BSD-3-Clause */
/* See standard_fds.h. */
#include "standard_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
standard_fds_open(void)
{
	int fd, opened;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* the lowest number that is free is this one */
		opened = open("/dev/null", O_RDWR | O_NOCTTY);
		if (opened < 0)
			opened = open("/", O_PATH);
		if (opened < 0)
			return -errno;
	}
	return 0;
}
