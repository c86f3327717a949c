/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is to say of the interface or device behind a port: plain data, which owns nothing. */
#ifndef VSWITCH_PORT_DEVICE_H
#define VSWITCH_PORT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <net/if.h>

#include "base/switch_limits.h"
#include "drops/device_drop.h"

/* The interface or device behind a port of kind kernel or ethdev, as it is now. */
struct port_device {
	const char *backend;	 /* "vhost-net", "tap"; of an ethdev its driver's name */
	char why[PORT_TEXT_MAX]; /* kernel: why this backend */
	char ifname[IFNAMSIZ];	 /* "" = it has none that is known */
	char netns[PORT_PATH_MAX];
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t queues;
	bool link_up;
	bool interrupts;     /* frames wake a sleeping worker; else it looks now and then */
	uint32_t speed_mbps; /* 0 = not known */
	uint8_t takes;	     /* FRAME_NEEDS_ bits that it takes undone */
	uint8_t gives;	     /* FRAME_NEEDS_ bits that its frames may need */
	struct device_drop_counts dropped; /* its own, at most about a second old */
	uint32_t n_pids;		   /* the kernel's vhost threads */
	pid_t pids[PORT_QUEUES_MAX];
};

#endif
