/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feature bits by the names of the specifications (virtio 1.2, 5.1.3 and 6; vhost-user, "Protocol
 * features"), for people. Pure; any thread.
 */
#ifndef VSWITCH_FEATURE_NAMES_H
#define VSWITCH_FEATURE_NAMES_H

#include <stdint.h>

/* NULL for a bit that has no name. */
const char *feature_names_virtio(uint32_t bit);
const char *feature_names_protocol(uint32_t bit);

#endif
