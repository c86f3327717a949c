/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much address space the memories of all frontends may take together. A table of regions costs its
 * frontend nothing, because their files may be sparse; here it takes address space, which ends at 47
 * bits or at RLIMIT_AS, and page tables, a 512th of what is touched of it, which stay when a
 * frontend punches its pages away. Control thread, by the gate.
 */
#ifndef VSWITCH_MEMORY_SPACE_H
#define VSWITCH_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half of what a process has: the rest is for whatever else is mapped. */
#define MEMORY_SPACE_MAX (64ull << 40)

/* Page tables of up to half of the memory. */
#define MEMORY_SPACE_PER_BYTE 256

/* Once, at the start. `memory` is what this process may use of the host's, `rlimit` RLIMIT_AS. Bytes. */
void memory_space_init(uint64_t memory, uint64_t rlimit);

/*
 * A session that has `*taken` bytes wants `need` instead. One session gets up to half of what
 * the others leave. False, with the numbers in words, when that is not enough; then nothing changes.
 */
bool memory_space_take(uint64_t *taken, uint64_t need, char *why, size_t why_size);

/* The session has ended. */
void memory_space_give(uint64_t *taken);

#endif
