/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process in which strangers' descriptors come to their end; see closer_process.c for why it is
 * a process. Private to closer.c. Control thread, but for closer_process_fork().
 */
#ifndef VSWITCH_CLOSER_PROCESS_H
#define VSWITCH_CLOSER_PROCESS_H

#include <stdint.h>

#include "fd_receive.h"

#define CLOSER_BATCH_MAX FD_RECEIVE_MAX /* what one UNIX message may carry */

struct closer_process {
	int fd; /* what is sent and reported; -1: there is no process */
	int go; /* an eventfd: batches that may be received */
};

/*
 * Starts the process; before the first thread. 0 or -errno. When `fd` is closed, by the switch's end
 * or by closer_process_leave(), the process leaves.
 */
int closer_process_fork(struct closer_process *process);
void closer_process_leave(struct closer_process *process);

/*
 * Hands over up to CLOSER_BATCH_MAX descriptors as batch `id`, which is not 0. 0, and ours are
 * closed, which was not the last close; -EAGAIN when there is no room now; -errno when the process
 * is gone.
 */
int closer_process_send(struct closer_process *process, uint32_t id, const int *fds, uint32_t n);

/* The next batch that is closed altogether; 0 when none is reported; -errno: the process is gone. */
int64_t closer_process_report(const struct closer_process *process);

#endif
