/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception port of the role kernel: a device of DPDK whose other end is an interface of the
 * kernel, with the application's addresses.
 *
 * Either virtio_user on /dev/vhost-net: a TAP that the kernel serves through rings in our memory, with
 * checksum and segmentation offloads in both directions. Or net_tap, which reads and writes a TAP with a
 * system call for each frame. main opens and closes it; the loop follows what happens to the interface.
 * Main thread.
 */
#ifndef CLIENT_EXCEPTION_H
#define CLIENT_EXCEPTION_H

#include <stddef.h>

#include "device.h"
#include "netlink/netif.h"
#include "settings/settings.h"

struct exception {
	const struct settings *settings;
	struct device *d;
	struct netif_monitor *monitor;
	uint32_t index; /* the interface's, in its namespace */
	int nsid;	/* that namespace's number for the monitor */
	char why[256];	/* why this backend was chosen */
};

/*
 * Checks the rights and device files that the exception port needs, and chooses a backend if it is `auto`;
 * writes the reason to why. Before DPDK starts. 0, or -errno with err: -EACCES or -EPERM for missing
 * rights, -EEXIST when the interface exists already.
 */
int exception_choose(struct settings *s, char why[256], char *err, size_t err_size);

/*
 * Opens the port on d, with the offloads that the port to the switch uses. Moves the interface to its
 * namespace and sets addresses and MTU. 0 or -errno with err; on failure nothing is left.
 */
int exception_open(struct exception *e, const struct settings *s, struct device *d,
		const struct device *to_switch, struct rte_mempool *pool, char *err,
		size_t err_size);

/* Closes the port, which removes the interface. */
void exception_close(struct exception *e);

/* A descriptor that is readable when something happened to an interface. */
int exception_fd(const struct exception *e);

/* Handles what happened: updates the device's MAC address and `lost`. Does not wait. */
void exception_follow(struct exception *e);

#endif
