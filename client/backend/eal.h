/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts DPDK's environment so that it needs nothing and leaves nothing behind: no root, no hugepages
 * unless asked for, no files, no PCI, no telemetry, no log on the terminal, no CPU of its own.
 *
 * main starts it once and ends it. Main thread.
 */
#ifndef CLIENT_EAL_H
#define CLIENT_EAL_H

#include <stddef.h>

#include "settings/settings.h"

/*
 * memory: MiB that the ports need. 0, or -E2BIG or -EIO with what failed in err. DPDK's own messages then
 * go to stderr.
 */
int eal_open(const struct settings *s, size_t memory, char *err, size_t err_size);

void eal_close(void);

#endif
