/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads from a stranger's UNIX socket with room for all descriptors that can come along. Without room
 * the kernel would close a descriptor within the call, and that last close may wait (SO_LINGER).
 * Used by vhost_io.c for frontends and by control_client.c for clients, on the control thread.
 */
#ifndef VSWITCH_FD_RECEIVE_H
#define VSWITCH_FD_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FD_RECEIVE_MAX 253 /* the kernel's SCM_MAX_FD */

/* `give` is called for each descriptor, which is close-on-exec, and owns it from then on. */
struct fd_receiver {
	void (*give)(void *arg, int fd);
	void *arg;
};

/*
 * Reads up to `len` bytes without waiting. Returns their number, 0 at the end, or -1 with errno. `lost`:
 * the kernel closed some descriptors, because the process had too few free ones; so keep
 * FD_RECEIVE_MAX free.
 */
ssize_t fd_receive(int fd, void *data, size_t len, const struct fd_receiver *receiver, bool *lost);

#endif
