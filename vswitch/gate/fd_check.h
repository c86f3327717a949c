/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out what kind of descriptor a stranger sent. A file server of the stranger's (FUSE) cannot
 * make this wait, because no file system is asked before the kernel has said that the file is memory
 * of its own. Control thread, by the gate.
 */
#ifndef VSWITCH_FD_CHECK_H
#define VSWITCH_FD_CHECK_H

#include <stdint.h>

#include "vhost_msg.h"

/* Fills the facts about one descriptor. */
void fd_check(int fd, struct vhost_fd *facts);

/*
 * Tries what the vhost library will do: maps the first `size` bytes of a VHOST_FD_MEMORY file, and
 * unmaps them. 0, or -errno when they cannot be mapped (too few huge pages, say), where the library
 * would leak the descriptor. Huge pages that mmap() reserved for the file stay reserved.
 */
int fd_check_map(int fd, uint64_t size);

#endif
