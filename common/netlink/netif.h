/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network interfaces of the kernel by rtnetlink: what `ip link` and `ip address` do, for kernel
 * ports of the switch and for vuser-client. A handle is a netlink socket within one network
 * namespace. It stays in that namespace when the thread enters another.
 *
 * Calls on a handle wait for the kernel's reply, which may take as long as others hold the kernel's lock.
 * So vswitchd makes them on its helper thread. A handle has one user at a time. It keeps its namespace
 * alive (netns.h), so close it when the work is done. A monitor never waits; it belongs to the
 * control loop.
 *
 * Interfaces are named by their index, which survives renaming. Failures are -errno with a message in
 * err: what failed, which interface, why (in the kernel's own words where it has some), what to do.
 * -EPERM: no CAP_NET_ADMIN in the handle's namespace. -ENODEV: there is no such interface.
 */
#ifndef COMMON_NETIF_H
#define COMMON_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <net/if.h>

#include "prefix.h"

#define NETIF_KIND_MAX 16 /* "tun", "veth", ... with the terminating zero */

struct netif;
struct netif_monitor;

/* How a TUN or TAP was made; a program that attaches to it must ask for the same. */
struct netif_tun {
	bool tap;	  /* Ethernet frames; else TUN: IP packets */
	bool packet_info; /* frames have IFF_PI's header */
	bool vnet_hdr;
	bool multi_queue;
	bool persist;
	bool has_owner, has_group; /* if neither, attaching takes CAP_NET_ADMIN */
	uid_t owner;
	gid_t group;
	uint32_t queues; /* attached queues, if multi_queue; 0: no program uses it */
};

/* An interface as it was when the kernel reported it. */
struct netif_link {
	uint32_t index;
	char name[IFNAMSIZ];
	char kind[NETIF_KIND_MAX]; /* "tun" (a TAP too), "dummy", ...; "": hardware, loopback */
	uint32_t mtu;		   /* bytes without the Ethernet header */
	uint32_t min_mtu, max_mtu; /* 0: no limit */
	bool has_mac;
	uint8_t mac[6];
	uint64_t rx_dropped, tx_dropped; /* frames from and to the other end of the interface */
	bool up;			 /* administratively (IFF_UP) */
	bool carrier;			 /* IFF_LOWER_UP: up, and the other end is there */
	bool running;			 /* IFF_RUNNING: and frames pass */
	bool is_tun;			 /* tun is valid */
	struct netif_tun tun;
};

/* Opens a handle in that namespace; -1: in the calling thread's. netns_fd stays the caller's. */
int netif_open(int netns_fd, struct netif **out, char *err, size_t err_size);

/* NULL is fine. */
void netif_close(struct netif *n);

/* Asks the kernel whether this thread may change interfaces of the handle's namespace. 0 or -EPERM. */
int netif_may_configure(struct netif *n, char *err, size_t err_size);

/*
 * Checks that an interface can have the name: 1 to 15 bytes without '/', ':', '%', white space and
 * control characters, and neither "." nor "..". 0 or -EINVAL. Any thread.
 */
int netif_check_name(const char *name, char *err, size_t err_size);

int
netif_find(struct netif *n, const char *name, struct netif_link *out, char *err, size_t err_size);
int netif_get(struct netif *n, uint32_t index, struct netif_link *out, char *err, size_t err_size);

/*
 * An MTU below 1,280 removes all IPv6 addresses, as does setting an interface down.
 * netif_change_addresses() restores the wanted ones.
 */
int netif_set_mtu(struct netif *n, uint32_t index, uint32_t mtu, char *err, size_t err_size);
int
netif_set_mac(struct netif *n, uint32_t index, const uint8_t mac[6], char *err, size_t err_size);
int netif_set_up(struct netif *n, uint32_t index, bool up, char *err, size_t err_size);

/*
 * Moves an interface to the namespace of another handle. There it is called `name`, is down and has no
 * addresses; *moved_index is its index. -EEXIST: the name is taken there. After a failure the interface
 * is where it was.
 */
int netif_move(struct netif *n, uint32_t index, struct netif *to, const char *name,
		uint32_t *moved_index, char *err, size_t err_size);

/*
 * Removes the addresses of `old` that are not in `wanted`, and adds those of `wanted` that the interface
 * does not have: all or nothing. Other addresses stay. It is not a failure if an address of `old` is no
 * longer there. IPv4 addresses get the broadcast address of their network. IPv6 addresses are usable at
 * once (no duplicate address detection). Neither list may have an address twice.
 */
int netif_change_addresses(struct netif *n, uint32_t index, const struct prefix *old, size_t n_old,
		const struct prefix *wanted, size_t n_wanted, char *err, size_t err_size);

/*
 * Following changes.
 *
 * One monitor, in the switch's own namespace, sees that namespace and all others to which the kernel has
 * given a number (nsid). It keeps none of them alive. A socket in each namespace would, and a container's
 * namespace would live as long as its port.
 *
 * An interface that is deleted while its namespace lives causes NETIF_GONE. When a namespace ends, the
 * kernel removes its number first, so the ends of its interfaces are not seen: there is only one
 * NETIF_NAMESPACE_GONE. (A TAP's descriptor shows it, too: poll() for reading returns POLLERR, and read()
 * fails with EBADFD.)
 */
#define NETIF_NSID_OWN (-1) /* stands for the monitor's own namespace */

enum netif_event_type {
	NETIF_CHANGED,	      /* changed or new; link: the interface as it is now */
	NETIF_GONE,	      /* deleted, or moved to another namespace; link: as it was */
	NETIF_NAMESPACE_GONE, /* the namespace nsid has ended, with all its interfaces */
	NETIF_EVENTS_LOST,    /* there were more than the kernel keeps: read everything again */
};

struct netif_event {
	enum netif_event_type type;
	int nsid; /* the namespace: NETIF_NSID_OWN, or a number from netif_nsid() */
	struct netif_link link;
	bool moved; /* NETIF_GONE: moved to another namespace */
};

/*
 * Gets the number by which a monitor in the namespace of `n` names the namespace of `other`. The kernel
 * assigns one if there is none (`ip netns list-id`). It is valid as long as the namespace lives.
 */
int netif_nsid(struct netif *n, struct netif *other, int *nsid, char *err, size_t err_size);

/*
 * Opens a monitor in the calling thread's namespace. Does not wait. Without CAP_NET_BROADCAST it sees only
 * that namespace. To see namespaces of another user namespace takes the capability there.
 */
int netif_monitor_open(struct netif_monitor **out, char *err, size_t err_size);

/* NULL is fine. */
void netif_monitor_close(struct netif_monitor *m);

/* The descriptor to watch for reading, level-triggered. */
int netif_monitor_fd(const struct netif_monitor *m);

/*
 * Reads the events that have come, up to a bound that keeps the loop responsive, and calls `handle` for
 * each. `handle` must not close the monitor. Never waits.
 */
void netif_monitor_read(struct netif_monitor *m,
		void (*handle)(void *arg, const struct netif_event *event), void *arg);

#endif
