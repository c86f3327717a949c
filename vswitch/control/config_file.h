/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the configuration file. Called by config.c at start, while the process has one thread.
 * Knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_CONFIG_FILE_H
#define VSWITCH_CONFIG_FILE_H

#include <stddef.h>

/*
 * The whole file, `*len` bytes in `*text`, which is the caller's to free(). Waits as long as the
 * file's owner likes, but no longer than until `stop_fd` is readable; -1: for ever. 0 or -errno,
 * with -EINTR for the end by stop_fd, and -EFBIG for more than 16 MiB.
 */
int config_file_read(const char *path, int stop_fd, char **text, size_t *len);

#endif
