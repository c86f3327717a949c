/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the switch needs of the system around it: descriptors, /proc and /sys. A container may lack
 * any of them, and what fails for want of them later would say something else. Called by main at
 * start.
 */
#ifndef VSWITCH_SURROUNDINGS_H
#define VSWITCH_SURROUNDINGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Looks whether a switch with so many workers can start. 0, and what it can start without, but its
 * users will miss, is a warning in the log; or -errno with words.
 */
int surroundings_check(uint32_t workers, char *err, size_t err_size);

#endif
