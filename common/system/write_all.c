/* SPDX-License-Identifier: BSD-3-Clause */
/* See write_all.h. */
#include "write_all.h"

#include <errno.h>
#include <unistd.h>

int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}
