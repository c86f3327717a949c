/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's environment (EAL): which arguments it is started with, and where its memory comes from.
 * Called by main on what becomes the control thread.
 */
#ifndef VSWITCH_EAL_H
#define VSWITCH_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon_options.h"

struct eal_memory {
	bool huge;
	uint32_t mib;
	char why[128]; /* in words what was found of hugepages; "" when none were looked for */
};

/*
 * EAL is not stopped (rte_eal_cleanup()): its interrupt thread cannot be ended, and would go on in memory
 * that is gone; at exit with memif that was a SIGSEGV. Devices are closed before, and what EAL has besides
 * is memory of the process, which needs no end of its own.
 *
 * Starts EAL with `mib` of memory, all taken now: SIGBUS handlers and sandboxes of later do not
 * get on with growth. Its files go to `private_dir`, its messages to the log. 0, or -errno with
 * words in `err`; EAL can be started once in a process.
 */
int eal_start(enum huge_mode mode, uint32_t mib, const char *private_dir, struct eal_memory *memory,
		char *err, size_t err_size);

#endif
