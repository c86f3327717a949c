/* SPDX-License-Identifier: BSD-3-Clause */
/* From a device's arguments to the device, and its end: for ethdev.c. Helper threads. */
#ifndef VSWITCH_ETHDEV_PROBE_H
#define VSWITCH_ETHDEV_PROBE_H

#include "ethdev.h"

/*
 * Probes the device and says what it is. 0, or -errno with words; then ethdev_remove() follows if
 * dev->opened.
 */
int ethdev_probe(struct ethdev *dev, const char *devargs, char *err, size_t err_size);

/* Stops and removes the device. */
void ethdev_remove(struct ethdev *dev);

#endif
