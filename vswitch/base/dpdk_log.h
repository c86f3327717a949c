/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK logs goes to the log of this program, and to whoever wants to know why DPDK has just refused
 * something. Any thread, but for the first call.
 */
#ifndef VSWITCH_DPDK_LOG_H
#define VSWITCH_DPDK_LOG_H

#include <stddef.h>

/* Once, before EAL starts. 0 or -ENOMEM. */
int dpdk_log_open(void);

/*
 * From now on the first error that DPDK logs on the calling thread is copied to `text`, which is
 * empty until then, and the log has what it says only for debugging; text NULL ends that.
 */
void dpdk_log_listen(char *text, size_t size);

#endif
