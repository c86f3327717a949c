/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network namespaces by name or path, and work within one, for what puts interfaces into
 * containers: kernel ports of the switch and vuser-client.
 *
 * All calls but netns_process_digits() may block (a path may lie on a file system that its owner serves): vswitchd makes them
 * on its helper thread, vuser-client before its loop. None changes the namespace of the calling
 * thread, or of any other that was there before.
 *
 * An open descriptor of a namespace keeps it alive, and so does a socket within it. Whoever wants
 * to see a namespace go when its last process does closes both as soon as the work is done.
 * A TAP keeps alive the namespace in which /dev/net/tun was opened, not where its interface is.
 *
 * Failures are -errno with words in err: what, which namespace, why, what next.
 */
#ifndef COMMON_NETNS_H
#define COMMON_NETNS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the network namespace of this name (/run/netns/NAME, as of `ip netns`) or absolute path
 * (/run/netns/NAME, /proc/PID/ns/net). Nothing but a namespace is ever opened, so a FIFO or a
 * device at the path does no harm. Returns a descriptor that the caller closes.
 */
int netns_open(const char *name, char *err, size_t err_size);

/*
 * The network namespace that the interface of this TAP is in now, wherever it was moved to. Needs
 * CAP_NET_ADMIN there. Returns a descriptor that the caller closes; -EBADFD: the interface is gone.
 */
int netns_of_tap(int tap_fd, char *err, size_t err_size);

/* The network namespace of the calling thread. Returns a descriptor that the caller closes. */
int netns_own(char *err, size_t err_size);

/* The number of digits of PID in a path "/proc/PID/..."; 0: the path is no process's. */
int netns_process_digits(const char *path);

/* Both are the same namespace. */
bool netns_same(int netns_fd, int other_fd);

/* netns_open() of this name or path would open the same namespace. */
bool netns_is_called(int netns_fd, const char *name);

/* A name that `ip netns` has for it. False: none, and `name` is as it was. */
bool netns_find_name(int netns_fd, char *name, size_t size);

/*
 * Runs work(arg) within the namespace, on a thread that is made for it and ends with it, and waits;
 * in the calling thread when netns_fd is its own. Sockets, and TAPs opened by it, belong to that
 * namespace. Entering another needs CAP_SYS_ADMIN, here and there. *result is what work returned.
 * 0, or -errno and work was not called.
 */
int
netns_run(int netns_fd, int (*work)(void *arg), void *arg, int *result, char *err, size_t err_size);

#endif
