/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads from a UNIX socket of a stranger, with room for all descriptors that can come along: the
 * kernel would close one without room within the call, and waits where that last close waits
 * (SO_LINGER). Used by vhost_io.c for frontends and by control_client.c for clients, on the control
 * thread.
 */
#ifndef VSWITCH_FD_RECEIVE_H
#define VSWITCH_FD_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FD_RECEIVE_MAX 253 /* the kernel's SCM_MAX_FD */

/* Gets each descriptor, close-on-exec, and owns it. */
struct fd_receiver {
	void (*give)(void *arg, int fd);
	void *arg;
};

/*
 * Reads up to `len` bytes without waiting. The bytes, 0 at the end, or -1 with errno. `lost` says
 * whether the kernel has closed descriptors for want of free ones: keep FD_RECEIVE_MAX free.
 */
ssize_t fd_receive(int fd, void *data, size_t len, const struct fd_receiver *receiver, bool *lost);

#endif
