/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What kind of descriptor a stranger sent, found out without giving a file server of his (FUSE) a
 * chance to make us wait: nothing here reaches a file system until the kernel has said that the
 * file is memory of its own. Control thread, by the gate.
 */
#ifndef VSWITCH_FD_CHECK_H
#define VSWITCH_FD_CHECK_H

#include <stdint.h>

#include "vhost_msg.h"

/* Fills the facts about one descriptor. */
void fd_check(int fd, struct vhost_fd *facts);

/*
 * Maps the first `size` bytes of a VHOST_FD_MEMORY file as the vhost library will, and unmaps
 * them: 0, or -errno when that cannot be done (huge pages that are not there, say). The library
 * would leak the descriptor then; huge pages, once promised to the file, stay promised.
 */
int fd_check_map(int fd, uint64_t size);

#endif
