/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds out whether a program listens on a socket path, without disturbing it, and explains if none does.
 *
 * main uses it before DPDK starts, because the virtio_user driver only logs whether a socket is missing,
 * lacks permission, or has no listener. Main thread.
 */
#ifndef CLIENT_ENDPOINT_SOCKET_H
#define CLIENT_ENDPOINT_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * 0: a stream socket is bound there, and this process may connect. Else -ENOENT, -EACCES, -ECONNREFUSED (no
 * program has it open), -ENOTSOCK, or the system's -errno. The listener does not notice, because it cannot
 * accept this type of connection.
 */
int endpoint_socket_probe(const char *path);

/*
 * Waits up to so many seconds until endpoint_socket_probe() succeeds. On failure err says what is wrong
 * with the path and what to do. -EINTR: a signal asked to stop.
 */
int endpoint_socket_wait(const char *path, double seconds, char *err, size_t err_size);

/*
 * Makes room for a socket that we serve: removes a socket that a dead program left. -EADDRINUSE: a program
 * listens there. -EEXIST: another file is there. err says so.
 */
int endpoint_socket_clear(const char *path, char *err, size_t err_size);

/*
 * Whether the socket is in the same directory as the control socket of a vswitchd, so that a hint at
 * vswitchctl is useful. False where this cannot be seen, as in a container that has only the port's socket.
 */
bool endpoint_socket_is_of_switch(const char *path);

/*
 * Whether this process has a connection to the socket whose other end is still there. Compares only the
 * name of the file, because a container may have it in another directory than its listener.
 */
bool endpoint_socket_is_connected(const char *path);

#endif
