/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of CPUs as people write them: "0,2-5". Used at start, by the command line and by EAL's
 * arguments. Knows no DPDK.
 */
#ifndef VSWITCH_CPU_LIST_H
#define VSWITCH_CPU_LIST_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads `text` into `cpus`, which has room for `max`, in the order given. Every CPU must be in
 * `allowed` and stand once. Returns how many, or -EINVAL with words in `err`.
 */
int cpu_list_parse(const char *text, const cpu_set_t *allowed, int *cpus, uint32_t max, char *err,
		size_t err_size);

/* Writes the set as a list ("0-3,8"); -ENOSPC when it does not fit. */
int cpu_list_format(const cpu_set_t *set, char *text, size_t size);

#endif
