/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TAP: a network interface of the kernel whose frames are read and written here, through one
 * descriptor a queue. Each frame has a virtio-net header in front (IFF_VNET_HDR), so that checksums
 * and large TCP segments pass undone.
 *
 * Opened, changed and closed on the helper thread, since each call may wait for the kernel's
 * rtnetlink lock; frames are moved by the workers (tap_endpoint.h). Addresses, MTU, MAC and
 * namespace of the interface are common/netlink/netif.h's business.
 */
#ifndef VSWITCH_TAP_H
#define VSWITCH_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <net/if.h>

#include "base/switch_limits.h"
#include "netlink/netif.h"

/* struct virtio_net_hdr_mrg_rxbuf, whose last two bytes mean nothing here. */
#define TAP_HEADER_LEN 12

struct tap {
	uint32_t queues; /* 0: closed */
	int fds[PORT_QUEUES_MAX];
	/*
	 * It was there before and will be afterwards: somebody made it with `ip tuntap add`. Else it goes
	 * with the last descriptor.
	 */
	bool adopted;
};

/*
 * Makes the interface `name` in the namespace of the calling thread, or takes it over when it is a
 * TAP that nobody uses and that this process may use; `n` is a handle of that namespace. A name
 * with "%d" is completed by the kernel, and the interface is always new. 0, or -errno with words,
 * and no interface was made.
 */
int tap_open(struct tap *tap, struct netif *n, const char *name, uint32_t queues, char *err,
		size_t err_size);

/*
 * Whether tap_open() could take over the interface of that name: 1; 0: there is none, it would make
 * one; -errno with words: it could not.
 */
int tap_check(struct netif *n, const char *name, char *err, size_t err_size);

/*
 * Finds a descriptor of the TAP `name`, in this thread's namespace, among those of this process: one
 * queue, which stays the property of whoever opened it. 0 or -ENOENT.
 */
int tap_find(struct tap *tap, const char *name);

/* May be closed already. */
void tap_close(struct tap *tap);

/* The name of its interface now, wherever that was moved. 0, or -errno: it is gone (-EBADFD). */
int tap_name(const struct tap *tap, char name[IFNAMSIZ]);

/*
 * On: the kernel leaves checksums and the cutting of TCP segments to whom it sends to. What it had
 * queued before may still need either. 0 or -errno.
 */
int tap_set_offload(const struct tap *tap, bool on);

/* Off: the interface is as if its cable was pulled. 0 or -errno. */
int tap_set_carrier(const struct tap *tap, bool on);

#endif
