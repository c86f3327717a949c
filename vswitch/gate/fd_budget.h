/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many descriptors the ports may use. In a process that has none left accept() fails without
 * a hint at the port concerned, and the vhost library's accept loop spins. So each socket and each
 * session reserves the most that it may need before it starts, or is refused. Control thread.
 */
#ifndef VSWITCH_FD_BUDGET_H
#define VSWITCH_FD_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fd_receive.h"
#include "base/switch_limits.h"

/*
 * Kept free for everything else: log, epoll and event descriptors, workers, control clients, files.
 * FD_RECEIVE_MAX more, because the kernel installs all descriptors of a message before they can be
 * counted.
 */
#define FD_BUDGET_REST (256 + FD_RECEIVE_MAX)

/* A listening socket, and a connection that waits for the session before it to end. */
#define FD_BUDGET_LISTENER 2

/*
 * A session: the frontend's socket, both ends of the socket to the library, and each ring's kick and
 * call, here and in the library. Descriptors that come with a message are counted when it arrives.
 */
#define FD_BUDGET_SESSION (3 + 4 * PORT_VRINGS)

/* A memory region: one descriptor here and one in the library. */
#define FD_BUDGET_REGION 2

/*
 * Reserves `n` descriptors. False, with the numbers in `why`, when RLIMIT_NOFILE does not allow
 * them; then nothing is reserved.
 */
bool fd_budget_take(uint32_t n, char *why, size_t why_size);

void fd_budget_give(uint32_t n);

#endif
