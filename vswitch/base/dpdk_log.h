/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passes DPDK's log on to the log of this program, and to code that needs to know why DPDK has just refused
 * something. Any thread, except dpdk_log_open().
 */
#ifndef VSWITCH_DPDK_LOG_H
#define VSWITCH_DPDK_LOG_H

#include <stddef.h>

/* Once, before EAL starts. 0 or -ENOMEM. */
int dpdk_log_open(void);

/*
 * From now on the first error that DPDK logs on the calling thread is copied to `text`, which is empty
 * until then. Meanwhile the thread's messages are in the log at level debug only. text NULL ends both.
 */
void dpdk_log_listen(char *text, size_t size);

#endif
