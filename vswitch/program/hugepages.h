/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether this host has hugepages to spare. Called by eal.c before EAL is started, which could not
 * be tried twice. Knows no DPDK.
 */
#ifndef VSWITCH_HUGEPAGES_H
#define VSWITCH_HUGEPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * True when `mib` of hugepages of one size can be had: the kernel is asked for a mapping of
 * them, so that limits of a container count as well. `why` says in words what was found.
 */
bool hugepages_free(uint32_t mib, char *why, size_t why_size);

#endif
