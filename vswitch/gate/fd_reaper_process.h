/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process that closes strangers' descriptors; fd_reaper_process.c says why it is a process.
 * Private to fd_reaper.c. Control thread, except fd_reaper_process_fork().
 */
#ifndef VSWITCH_FD_REAPER_PROCESS_H
#define VSWITCH_FD_REAPER_PROCESS_H

#include <stdint.h>

#include "fd_receive.h"

#define FD_REAPER_BATCH_MAX FD_RECEIVE_MAX /* what one UNIX message may carry */

struct fd_reaper_process {
	int fd; /* carries batches and reports; -1: no process */
	int go; /* an eventfd that counts the batches that children may receive */
};

/*
 * Starts the process; before the first thread. 0 or -errno. The process exits when `fd` is closed, by
 * the end of the switch or by fd_reaper_process_leave().
 */
int fd_reaper_process_fork(struct fd_reaper_process *process);
void fd_reaper_process_leave(struct fd_reaper_process *process);

/*
 * Hands over up to FD_REAPER_BATCH_MAX descriptors as batch `id`, which is not 0. On 0 the caller's
 * copies are closed, not as the last ones. -EAGAIN: no room now. Any other -errno: the process is gone.
 */
int
fd_reaper_process_send(struct fd_reaper_process *process, uint32_t id, const int *fds, uint32_t n);

/* The id of the next batch that is wholly closed; 0: no report; -errno: the process is gone. */
int64_t fd_reaper_process_report(const struct fd_reaper_process *process);

#endif
