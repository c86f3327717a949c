/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many descriptors the ports may use. When a process runs out of them, accept() fails and
 * tells nobody whom it cost, and the vhost library's own accept loop spins; so sockets and
 * sessions reserve what they may come to need beforehand, or are refused. Control thread.
 */
#ifndef VSWITCH_FD_BUDGET_H
#define VSWITCH_FD_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fd_receive.h"
#include "base/switch_limits.h"

/*
 * Left to everything else: log, epoll and event descriptors, workers, control clients, files; and
 * room for the most descriptors that one message can bring (FD_RECEIVE_MAX), which must all be
 * installed before they can be reckoned.
 */
#define FD_BUDGET_REST (256 + FD_RECEIVE_MAX)

/* A listening socket and a connection that waits for its predecessor to be gone. */
#define FD_BUDGET_LISTENER 2

/*
 * A session: the frontend's socket, both ends of the one to the library, kick and call of each
 * ring here and in the library. What a message brings is reckoned when it is there.
 */
#define FD_BUDGET_SESSION (3 + 4 * PORT_VRINGS)

/* A memory region: here and in the library. */
#define FD_BUDGET_REGION 2

/*
 * Reserves `n` descriptors. False, with the numbers in words, when RLIMIT_NOFILE does not allow
 * them; then nothing is reserved.
 */
bool fd_budget_take(uint32_t n, char *why, size_t why_size);

void fd_budget_give(uint32_t n);

#endif
