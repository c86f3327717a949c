/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_drop.h"

const struct drop_reason_info device_drops[DEVICE_DROPS] = {
	[DEVICE_DROP_TX_DROPPED] = {
		"tx_dropped",
		"Kernel ports, and devices of net_tap: the kernel sent frames into the interface and its queue "
		"was full, because the switch did not read in time.",
		"Make the queue longer where the interface is (`ip link set dev IFNAME txqueuelen 10000`), or "
		"give the switch's worker a CPU of its own (`vswitchd --cpus`).",
	},
	[DEVICE_DROP_RX_DROPPED] = {
		"rx_dropped",
		"Kernel ports: the kernel did not accept frames that the switch had written to the interface. "
		"Ethdev ports on an interface of the host: it dropped frames that had come from outside.",
		"Set the interface up, or let the kernel queue more (`sysctl net.core.netdev_max_backlog`); "
		"of a NIC, enlarge its ring (`ethtool -G`).",
	},
	[DEVICE_DROP_IMISSED] = {
		"imissed",
		"Ethdev ports: the device's receive queue was full, because the switch did not read in time.",
		"Give the switch's worker a CPU of its own (`vswitchd --cpus`), the port more `queues` when "
		"it is added, or let the sender send more slowly.",
	},
	[DEVICE_DROP_IERRORS] = {
		"ierrors",
		"Ethdev ports: the device received frames that are no good, as with a wrong FCS, or too long.",
		"Look at the cable and at the other end's MTU.",
	},
	[DEVICE_DROP_RX_NOMBUF] = {
		"rx_nombuf",
		"Ethdev ports: the driver had no mbuf for a frame that came, because others hold those of the "
		"device.",
		"Let the receivers that its frames go to read faster, or send more slowly.",
	},
};
