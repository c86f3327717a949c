/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of the role kernel. settings.c calls it once, after it has read the options of all roles.
 *
 * Uses no DPDK, so that unit tests can call it.
 */
#ifndef CLIENT_SETTINGS_KERNEL_H
#define CLIENT_SETTINGS_KERNEL_H

#include <stddef.h>

#include "options/options.h"
#include "settings.h"

/* 0, or -EINVAL with what is wrong and what would be right in err. */
int settings_kernel_read(const struct options *o, struct settings *s, char *err, size_t err_size);

#endif
