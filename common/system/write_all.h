/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes to a descriptor that may take only a part at a time. */
#ifndef COMMON_WRITE_ALL_H
#define COMMON_WRITE_ALL_H

#include <stddef.h>

/* Writes all of text; waits if the descriptor blocks. 0 or -errno. Any thread. */
int write_all(int fd, const char *text, size_t len);

#endif
