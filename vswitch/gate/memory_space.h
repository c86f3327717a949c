/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounds the address space that the memories of all frontends take together. A memory table costs its
 * frontend nothing, because the files may be sparse. Here it takes address space, which ends at 47
 * bits or at RLIMIT_AS. It also takes page tables, a 512th of the memory that was touched, which
 * stay when the frontend punches holes into its file. Control thread, by the gate.
 */
#ifndef VSWITCH_MEMORY_SPACE_H
#define VSWITCH_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half of a process's address space: the rest is for everything else that is mapped. */
#define MEMORY_SPACE_MAX (64ull << 40)

/* Address space per byte of memory: page tables then take at most half of the memory. */
#define MEMORY_SPACE_PER_BYTE 256

/* Once, at the start. In bytes: `memory` is the host's that this process may use, `rlimit` RLIMIT_AS. */
void memory_space_init(uint64_t memory, uint64_t rlimit);

/*
 * A session that has `*taken` bytes wants `need` instead. One session gets up to half of what the
 * others leave. False, with the numbers in `why`, when that is not enough; then nothing changes.
 */
bool memory_space_take(uint64_t *taken, uint64_t need, char *why, size_t why_size);

/* The session has ended: returns its bytes and sets *taken to 0. */
void memory_space_give(uint64_t *taken);

#endif
