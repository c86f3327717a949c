/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket file of the control socket. Control thread; called by control.c.
 */
#ifndef VSWITCH_CONTROL_LISTEN_H
#define VSWITCH_CONTROL_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Listens on `path`, mode 0600, or 0660 for a `group` that is not (gid_t)-1. A socket file that nobody serves is replaced; one that a living
 * program serves, or what is no socket, is not. Returns the descriptor, non-blocking, or -errno
 * with words in `err`.
 */
int control_listen_open(const char *path, gid_t group, char *err, size_t err_size);

#endif
