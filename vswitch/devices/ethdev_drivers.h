/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of DPDK's drivers a device of ours may have. Pure; control thread before the helper runs,
 * then helper thread.
 */
#ifndef VSWITCH_ETHDEV_DRIVERS_H
#define VSWITCH_ETHDEV_DRIVERS_H

#include <stddef.h>

/* From now on any driver may be used (vswitchd --any-driver). Once, at start. */
void ethdev_drivers_allow_any(void);

/*
 * `bus` and `name` are what DPDK has read from a device's arguments; the bus may be NULL. 0, or
 * -EPERM with words: why this driver is not used, and what to do instead.
 */
int ethdev_drivers_check(const char *bus, const char *name, char *err, size_t err_size);

#endif
