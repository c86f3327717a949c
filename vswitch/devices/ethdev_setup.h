/* SPDX-License-Identifier: BSD-3-Clause */
/* A probed device, configured and started: for ethdev.c. Helper threads. */
#ifndef VSWITCH_ETHDEV_SETUP_H
#define VSWITCH_ETHDEV_SETUP_H

#include "ethdev.h"

/*
 * Configures the stopped device as `config` says, makes its mbufs if those that it has will not do,
 * and starts it. 0, or -errno with words; then it is stopped.
 */
int
ethdev_setup(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size);

/* What can be refused before anything is changed. 0, or -errno with words. */
int ethdev_setup_check(const struct ethdev *dev, const struct ethdev_config *config, char *err,
		size_t err_size);

/* From `before` to `config` a started device must be stopped, configured and started again. */
bool ethdev_setup_must_restart(const struct ethdev *dev, const struct ethdev_config *before,
		const struct ethdev_config *config);

/* MTU of a started device. 0, -EBUSY: it must be stopped for that; or -errno with words. */
int ethdev_setup_mtu(const struct ethdev *dev, uint32_t mtu, char *err, size_t err_size);

/*
 * Promiscuous mode, MAC and link of a started device: from `before` (NULL: from nothing known) to
 * `config`. What a device cannot do is left alone but for a MAC. 0, or -errno with words.
 */
int ethdev_setup_modes(struct ethdev *dev, const struct ethdev_config *before,
		const struct ethdev_config *config, char *err, size_t err_size);

#endif
