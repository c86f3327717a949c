/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process in which strangers' descriptors come to their end; see fd_reaper_process.c for why it is
 * a process. Private to fd_reaper.c. Control thread, but for fd_reaper_process_fork().
 */
#ifndef VSWITCH_FD_REAPER_PROCESS_H
#define VSWITCH_FD_REAPER_PROCESS_H

#include <stdint.h>

#include "fd_receive.h"

#define FD_REAPER_BATCH_MAX FD_RECEIVE_MAX /* what one UNIX message may carry */

struct fd_reaper_process {
	int fd; /* what is sent and reported; -1: there is no process */
	int go; /* an eventfd: batches that may be received */
};

/*
 * Starts the process; before the first thread. 0 or -errno. When `fd` is closed, by the switch's end
 * or by fd_reaper_process_leave(), the process leaves.
 */
int fd_reaper_process_fork(struct fd_reaper_process *process);
void fd_reaper_process_leave(struct fd_reaper_process *process);

/*
 * Hands over up to FD_REAPER_BATCH_MAX descriptors as batch `id`, which is not 0. 0, and ours are
 * closed, which was not the last close; -EAGAIN when there is no room now; -errno when the process
 * is gone.
 */
int
fd_reaper_process_send(struct fd_reaper_process *process, uint32_t id, const int *fds, uint32_t n);

/* The next batch that is closed altogether; 0 when none is reported; -errno: the process is gone. */
int64_t fd_reaper_process_report(const struct fd_reaper_process *process);

#endif
