/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface of the kernel that a device stands on, by its index, whatever it is called now: for
 * drivers that know it by the name that it once had. Helper threads.
 */
#ifndef VSWITCH_ETHDEV_INTERFACE_H
#define VSWITCH_ETHDEV_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <net/if.h>

#include "netlink/netif.h"

/* 0; -ENODEV: it is gone from the switch's namespace; or another -errno, and nothing is known. */
int ethdev_interface_look(unsigned int index, struct netif_link *found);

/* 0 or -errno. */
int ethdev_interface_set_mtu(unsigned int index, uint32_t mtu);
int ethdev_interface_set_mac(unsigned int index, const uint8_t mac[6]);
int ethdev_interface_set_flag(unsigned int index, short flag, bool on); /* IFF_ */

#endif
