/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much memory this process may use, and how much of it is left: the least of what the host has and
 * what each memory cgroup above the process allows (version 1 and 2). Reads a few files of the kernel's.
 * Control thread.
 */
#ifndef VSWITCH_HOST_MEMORY_H
#define VSWITCH_HOST_MEMORY_H

#include <stdint.h>

struct host_memory {
	uint64_t size; /* bytes */
	uint64_t left; /* bytes; what the kernel can take from its file cache included */
};

/* `root` is put before each path: "" for the real files. What cannot be read is no limit. */
void host_memory_read(const char *root, struct host_memory *memory);

#endif
