/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether somebody is at the other end of a socket path, found out without disturbing them, and in
 * words if not.
 *
 * main asks before DPDK starts, because the virtio_user driver tells a missing socket, one without
 * permission and one that nobody listens on apart only in its log. Main thread.
 */
#ifndef CLIENT_ENDPOINT_SOCKET_H
#define CLIENT_ENDPOINT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * 0: a stream socket is bound there, and we may connect. Else -ENOENT, -EACCES, -ECONNREFUSED
 * (nobody has it open), -ENOTSOCK, or what the system says. The listener notices nothing: we ask
 * for a kind of connection that it cannot accept.
 */
int endpoint_socket_probe(const char *path);

/*
 * Waits up to so many seconds until endpoint_socket_probe succeeds. On failure err tells what is
 * wrong with the path and what to do. -EINTR: a signal asked to stop.
 */
int endpoint_socket_wait(const char *path, double seconds, char *err, size_t err_size);

/*
 * Makes room for a socket that we serve: removes one that a dead program left. -EADDRINUSE:
 * somebody listens there, -EEXIST: something else is there; err says which.
 */
int endpoint_socket_clear(const char *path, char *err, size_t err_size);

/*
 * Whether the socket lies beside the control socket of a vswitchd, so that words about vswitchctl
 * are of use. False where this cannot be seen, as in a container that has the port's socket only.
 */
bool endpoint_socket_is_of_switch(const char *path);

/*
 * Whether this process has a connection to the socket, whose other end is there. The name of the
 * file alone counts, because a container may have it in another directory than its listener.
 */
bool endpoint_socket_is_connected(const char *path);

#endif
