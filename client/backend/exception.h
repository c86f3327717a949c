/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exception port of the role kernel: a device of DPDK whose other end is an interface of the
 * kernel, with the application's addresses.
 *
 * Either virtio_user on /dev/vhost-net, a TAP that the kernel itself serves through rings in our
 * memory, with checksums and segmentation left to do on both ways; or net_tap, which reads and
 * writes a TAP, a system call and a whole frame at a time. main opens and closes it; the loop looks
 * for what became of the interface. Main thread.
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
	char why[256];	/* why this backend */
};

/*
 * Looks for the rights and device files that the exception port needs, and turns the backend auto
 * into one. Before DPDK starts. why: in words. 0, or -errno with err: -EACCES or -EPERM for
 * missing rights, -EEXIST when the interface is there already.
 */
int exception_choose(struct settings *s, char why[256], char *err, size_t err_size);

/*
 * Opens the port on d, with the offloads that the switch's port uses, and gives the interface its
 * namespace, addresses and MTU. 0 or -errno with err; on failure nothing is left.
 */
int exception_open(struct exception *e, const struct settings *s, struct device *d,
		const struct device *to_switch, struct rte_mempool *pool, char *err,
		size_t err_size);

/* Ends the port; the interface goes with it. */
void exception_close(struct exception *e);

/* Readable when something happened to an interface. */
int exception_fd(const struct exception *e);

/* Follows what happened: the device's address, and whether it is lost. Does not wait. */
void exception_follow(struct exception *e);

#endif
