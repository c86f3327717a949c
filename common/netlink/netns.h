/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network namespaces by name or path, and work within one. For code that puts interfaces into
 * containers: kernel ports of the switch and vuser-client.
 *
 * All calls except netns_process_digits() may block, because a path may lie on a file system with a server
 * in user space. So vswitchd makes them on its helper thread, and vuser-client before its loop. No call
 * changes the namespace of the calling thread, or of another thread that existed before.
 *
 * An open descriptor of a namespace keeps it alive, and so does a socket within it. Close both as soon as
 * the work is done, so that a namespace can end with its last process. A TAP keeps the namespace alive in
 * which /dev/net/tun was opened, not the one of its interface.
 *
 * Failures are -errno with a message in err: what failed, which namespace, why, what to do.
 */
#ifndef COMMON_NETNS_H
#define COMMON_NETNS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the network namespace of this name (/run/netns/NAME, made by `ip netns`) or absolute path
 * (/run/netns/NAME, /proc/PID/ns/net). Only a namespace is ever opened, so a FIFO or a device at the path
 * does no harm. Returns a descriptor that the caller closes.
 */
int netns_open(const char *name, char *err, size_t err_size);

/*
 * The network namespace in which the interface of this TAP is now, even if it was moved. Needs
 * CAP_NET_ADMIN there. Returns a descriptor that the caller closes; -EBADFD: the interface is gone.
 */
int netns_of_tap(int tap_fd, char *err, size_t err_size);

/* The network namespace of the calling thread. Returns a descriptor that the caller closes. */
int netns_own(char *err, size_t err_size);

/* The number of digits of PID in a path "/proc/PID/..."; 0: the path has another form. */
int netns_process_digits(const char *path);

/* Whether both are the same namespace. */
bool netns_same(int netns_fd, int other_fd);

/* Whether netns_open() of this name or path would open the same namespace. */
bool netns_is_called(int netns_fd, const char *name);

/* Finds a name that `ip netns` has for it. False: there is none, and `name` is unchanged. */
bool netns_find_name(int netns_fd, char *name, size_t size);

/*
 * Runs work(arg) within the namespace and waits for it: on a new thread, or in the calling thread when it
 * is in that namespace already. Sockets and TAPs that work opens belong to the namespace. Entering another
 * one needs CAP_SYS_ADMIN, here and there. *result is what work returned. 0, or -errno when work was not
 * called.
 */
int
netns_run(int netns_fd, int (*work)(void *arg), void *arg, int *result, char *err, size_t err_size);

#endif
