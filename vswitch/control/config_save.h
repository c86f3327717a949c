/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes a file so that at any moment, also when the host goes down, it is the old one or the new
 * one, whole. May block: called on the helper thread. Knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_CONFIG_SAVE_H
#define VSWITCH_CONFIG_SAVE_H

#include <stddef.h>

/*
 * Writes a temporary file beside `path`, syncs it, renames it, and syncs the directory. The mode
 * and, as far as it may, the owner of an old file are kept; a new one has mode 0644 less the
 * umask. A symbolic link keeps its place: what it points to is replaced, or made. 0, or -errno with
 * words in `err`; then the old file is as it was, or they say that it is not.
 */
int config_save_write(const char *path, const char *text, size_t len, char *err, size_t err_size);

#endif
