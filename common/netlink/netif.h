/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network interfaces of the kernel by rtnetlink: what `ip link` and `ip address` do, for kernel
 * ports of the switch and for vuser-client. A handle is a netlink socket within one network
 * namespace; it stays there whatever the thread does.
 *
 * Calls on a handle wait for the kernel's answer, which can take as long as others hold its lock:
 * vswitchd makes them on its helper thread. A handle has one user at a time. It keeps its namespace
 * alive (netns.h): close it when the work is done. A monitor never waits; it belongs to the
 * control loop.
 *
 * Interfaces are named by their index, which survives renaming. Failures are -errno with words in
 * err: what, which interface, why (the kernel's own words where it has some), what next. -EPERM: no
 * CAP_NET_ADMIN in the handle's namespace. -ENODEV: there is no such interface.
 */
#ifndef COMMON_NETIF_H
#define COMMON_NETIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <net/if.h>

#include "prefix.h"

#define NETIF_KIND_MAX 16 /* "tun", "veth", and its end */

struct netif;
struct netif_monitor;

/* How a TUN or TAP was made; whoever attaches to it must ask for the same. */
struct netif_tun {
	bool tap;	  /* Ethernet frames; else TUN: IP packets */
	bool packet_info; /* frames have IFF_PI's header */
	bool vnet_hdr;
	bool multi_queue;
	bool persist;
	bool has_owner, has_group; /* else anyone may attach who has CAP_NET_ADMIN */
	uid_t owner;
	gid_t group;
	uint32_t queues; /* attached, of a multi_queue one; 0: nobody uses it */
};

/* An interface as it was when the kernel said so. */
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
	bool carrier;			 /* IFF_LOWER_UP: up, and something is at the other end */
	bool running;			 /* IFF_RUNNING: and frames pass */
	bool is_tun;			 /* tun is filled */
	struct netif_tun tun;
};

/* Opens a handle in that namespace, -1: the calling thread's own. netns_fd stays the caller's. */
int netif_open(int netns_fd, struct netif **out, char *err, size_t err_size);

/* NULL is fine. */
void netif_close(struct netif *n);

/* 0: this thread may change interfaces of the handle's namespace (asks the kernel). Or -EPERM. */
int netif_may_configure(struct netif *n, char *err, size_t err_size);

/*
 * A name that an interface can have: 1 to 15 bytes without '/', ':', '%', white space and control
 * characters, and neither "." nor "..". 0 or -EINVAL. Any thread.
 */
int netif_check_name(const char *name, char *err, size_t err_size);

int
netif_find(struct netif *n, const char *name, struct netif_link *out, char *err, size_t err_size);
int netif_get(struct netif *n, uint32_t index, struct netif_link *out, char *err, size_t err_size);

/*
 * An MTU below 1,280 takes all IPv6 addresses away, as does setting an interface down:
 * netif_change_addresses() brings the wanted ones back.
 */
int netif_set_mtu(struct netif *n, uint32_t index, uint32_t mtu, char *err, size_t err_size);
int
netif_set_mac(struct netif *n, uint32_t index, const uint8_t mac[6], char *err, size_t err_size);
int netif_set_up(struct netif *n, uint32_t index, bool up, char *err, size_t err_size);

/*
 * Moves an interface to the namespace of another handle, where it is called `name` and is down
 * and without addresses; *moved_index is its index there. -EEXIST: the name is taken there. After a
 * failure the interface is where it was.
 */
int netif_move(struct netif *n, uint32_t index, struct netif *to, const char *name,
		uint32_t *moved_index, char *err, size_t err_size);

/*
 * All or nothing: the addresses of `old` that are not among `wanted` are removed, those of `wanted`
 * that the interface does not have are added; addresses that others gave it stay. An address of
 * `old` that is no longer there is no failure. IPv4 addresses get the broadcast address of their
 * network, IPv6 addresses are usable at once (no duplicate address detection). Neither list has
 * an address twice.
 */
int netif_change_addresses(struct netif *n, uint32_t index, const struct prefix *old, size_t n_old,
		const struct prefix *wanted, size_t n_wanted, char *err, size_t err_size);

/*
 * Following changes.
 *
 * One monitor, in the switch's own namespace, sees that namespace and, by the kernel's numbers for
 * namespaces (nsid), the others that have such a number. It keeps none of them alive: a socket in
 * each would, and a container's namespace would live on as long as its port.
 *
 * An interface that is deleted while its namespace lives gives NETIF_GONE. When a namespace ends,
 * the kernel takes its number away first, so that the ends of the interfaces in it are not seen:
 * there is one NETIF_NAMESPACE_GONE and no more. (A TAP's descriptor tells, too: whoever polls it
 * for reading is woken with POLLERR, and read() gives EBADFD.)
 */
#define NETIF_NSID_OWN (-1) /* number of a namespace: the monitor's own */

enum netif_event_type {
	NETIF_CHANGED,	      /* link is how the interface is now; also for a new one */
	NETIF_GONE,	      /* deleted, or moved to another namespace; link is as it was */
	NETIF_NAMESPACE_GONE, /* the namespace nsid is gone with all in it */
	NETIF_EVENTS_LOST,    /* there were more than the kernel keeps: look at all anew */
};

struct netif_event {
	enum netif_event_type type;
	int nsid; /* number of the namespace: NETIF_NSID_OWN, or as of netif_nsid() */
	struct netif_link link;
	bool moved; /* NETIF_GONE: to another namespace */
};

/*
 * The number by which a monitor in the namespace of `n` names the namespace of `other`; the kernel
 * assigns one if there is none (`ip netns list-id`). Lasts as long as the namespace.
 */
int netif_nsid(struct netif *n, struct netif *other, int *nsid, char *err, size_t err_size);

/*
 * Opens a monitor in the calling thread's namespace. Does not wait. Without CAP_NET_BROADCAST it
 * sees that namespace alone; those of another user namespace are seen with that capability there.
 */
int netif_monitor_open(struct netif_monitor **out, char *err, size_t err_size);

/* NULL is fine. */
void netif_monitor_close(struct netif_monitor *m);

/* To be watched for reading, level-triggered. */
int netif_monitor_fd(const struct netif_monitor *m);

/*
 * Reads what has come, up to a bound that keeps the loop responsive, and calls `handle` for each
 * event. It must not close the monitor. Never waits.
 */
void netif_monitor_read(struct netif_monitor *m,
		void (*handle)(void *arg, const struct netif_event *event), void *arg);

#endif
