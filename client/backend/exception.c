/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See exception.h.
 *
 * The device is made in our own namespace and moved from there, for two reasons. The drivers know their
 * interface by its name and look for it in the thread's namespace. And a TAP keeps the namespace alive in
 * which /dev/net/tun was opened, which must not be a container's. net_tap uses the first name for ever, so
 * that name must be unique.
 */
#include "exception.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_ethdev.h>

#include "eal_log.h"
#include "netlink/netns.h"
#include "netlink/prefix.h"
#include "text/text.h"

#define VHOST_NET "/dev/vhost-net"
#define TUN "/dev/net/tun"
#define PLAIN_MTU_MAX 1500  /* net_tap sends no larger frames */
#define PLAIN_DESCRIPTORS 1 /* buffers of net_tap for one frame */

/* Our own namespace and the interface's, while the interface is being set up. */
struct place {
	struct netif *own;
	struct netif *target; /* without --netns the same handle */
};

static int
explain_file(const char *path, int error, const char *module, char *err, size_t err_size)
{
	if (error == -ENOENT || error == -ENODEV || error == -ENXIO)
		return text_fail(err, err_size, -ENODEV,
				"there is no %s; load the module (modprobe %s), or give the "
				"container the device",
				path, module);
	return text_fail(err, err_size, error,
			"cannot open %s: %s; reading and writing it must be allowed (setfacl -m "
			"u:%ld:rw %s)",
			path, strerror(-error), (long)geteuid(), path);
}

static int
try_file(const char *path, const char *module, char *err, size_t err_size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), error = -errno;

	if (fd < 0)
		return explain_file(path, error, module, err, err_size);
	close(fd);
	return 0;
}

static int
choose_backend(struct settings *s, char why[256], char *err, size_t err_size)
{
	char refused[200] = "";
	int ret;

	if (s->backend == SETTINGS_BACKEND_TAP) {
		snprintf(why, 256, "it was asked for");
		return 0;
	}
	ret = try_file(VHOST_NET, "vhost_net", refused, sizeof(refused));
	if (ret != 0 && s->backend == SETTINGS_BACKEND_VHOST_NET)
		return text_fail(err, err_size, ret, "%s, or give --backend tap", refused);
	snprintf(why, 256, "%s", ret != 0 ? refused : VHOST_NET " can be opened");
	s->backend = ret != 0 ? SETTINGS_BACKEND_TAP : SETTINGS_BACKEND_VHOST_NET;
	return 0;
}

static void
leave_place(struct place *p)
{
	if (p->target != p->own)
		netif_close(p->target);
	netif_close(p->own);
}

static int
enter_place(const struct settings *s, struct place *p, char *err, size_t err_size)
{
	int ret, fd;

	*p = (struct place){ 0 };
	ret = netif_open(-1, &p->own, err, err_size);
	if (ret != 0)
		return ret;
	p->target = p->own;
	if (s->netns == NULL)
		return 0;
	fd = netns_open(s->netns, err, err_size);
	if (fd >= 0) {
		ret = netif_open(fd, &p->target, err, err_size);
		close(fd);
	}
	if (fd < 0 || ret != 0) {
		p->target = p->own;
		leave_place(p);
	}
	if (fd < 0)
		ret = fd == -ENOENT ? -ENODEV : fd; /* -ENOENT would mean a missing socket */
	return ret;
}

/* Fails if the name is taken, because a second queue of a foreign TAP would get half of its frames. */
static int
check_name_is_free(const struct settings *s, const struct place *p, char *err, size_t err_size)
{
	struct netif_link link;
	char unused[256];

	if (netif_find(p->target, s->ifname, &link, unused, sizeof(unused)) == -ENODEV)
		return 0;
	return text_fail(err, err_size, -EEXIST,
			"there is an interface %s already; choose another name with --ifname, or "
			"remove that one",
			s->ifname);
}

int
exception_choose(struct settings *s, char why[256], char *err, size_t err_size)
{
	struct place p;
	int ret = choose_backend(s, why, err, err_size);

	if (ret == 0 && s->backend == SETTINGS_BACKEND_TAP && s->mtu > PLAIN_MTU_MAX)
		ret = text_fail(err, err_size, -EINVAL,
				"--mtu %u: net_tap carries %d at most (it is used because: %s); give a "
				"smaller one, or use vhost-net",
				s->mtu, PLAIN_MTU_MAX, why);
	if (ret == 0)
		ret = try_file(TUN, "tun", err, err_size);
	if (ret == 0)
		ret = enter_place(s, &p, err, err_size);
	if (ret != 0)
		return ret;
	ret = netif_may_configure(p.own, err, err_size);
	if (ret == 0 && p.target != p.own)
		ret = netif_may_configure(p.target, err, err_size);
	if (ret == 0)
		ret = check_name_is_free(s, &p, err, err_size);
	leave_place(&p);
	return ret;
}

/* The interface's name until it is in its namespace. */
static void
first_name(const struct settings *s, char name[IFNAMSIZ])
{
	if (s->netns == NULL)
		snprintf(name, IFNAMSIZ, "%.15s", s->ifname);
	else
		snprintf(name, IFNAMSIZ, "vuc%ld", (long)getpid());
}

static int
probe(const struct settings *s, const char *ifname, struct device *d)
{
	bool vhost = s->backend == SETTINGS_BACKEND_VHOST_NET;
	const char *name = vhost ? "net_virtio_user_exception" : "net_tap_exception";
	char arguments[256], mac[TEXT_MAC_SIZE];
	int ret;

	text_format_mac(d->mac, mac);
	if (vhost)
		snprintf(arguments, sizeof(arguments),
				"path=" VHOST_NET ",iface=%s,mac=%s,queue_size=%u,mrg_rxbuf=%d",
				ifname, mac, s->queue_size, s->mergeable);
	else
		snprintf(arguments, sizeof(arguments), "iface=%s,mac=%s", ifname, mac);
	ret = rte_vdev_init(name, arguments);
	return ret != 0 ? ret : rte_eth_dev_get_port_by_name(name, &d->id);
}

/* Each port may send with exactly those offloads that the other one can receive. */
static void
mirror_offloads(struct device *d, const struct device *to_switch)
{
	static const struct {
		uint64_t rx, tx;
	} pairs[] = {
		{ RTE_ETH_RX_OFFLOAD_TCP_CKSUM, RTE_ETH_TX_OFFLOAD_TCP_CKSUM },
		{ RTE_ETH_RX_OFFLOAD_UDP_CKSUM, RTE_ETH_TX_OFFLOAD_UDP_CKSUM },
		{ RTE_ETH_RX_OFFLOAD_TCP_LRO, RTE_ETH_TX_OFFLOAD_TCP_TSO },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if ((to_switch->tx_offloads & pairs[i].tx) != 0)
			d->rx_offloads |= pairs[i].rx;
		if ((to_switch->rx_offloads & pairs[i].rx) != 0)
			d->tx_offloads |= pairs[i].tx;
	}
}

static int
start(const struct settings *s, struct device *d, struct rte_mempool *pool, char *err,
		size_t err_size)
{
	bool vhost = s->backend == SETTINGS_BACKEND_VHOST_NET;
	uint64_t sent_on = d->tx_offloads;
	int ret = device_start(d, vhost ? d->queue_size : PLAIN_DESCRIPTORS, false, pool);

	if (ret == 0 && eal_log_has("Failed to start device"))
		ret = -EIO;
	if (ret == 0 && d->tx_offloads != sent_on)
		ret = -ENOTSUP;
	if (ret == 0)
		return 0;
	eal_log_print_errors();
	return text_fail(err, err_size, ret,
			"cannot start the exception port %s on %s: %s; DPDK's messages are above%s",
			d->path, vhost ? VHOST_NET : TUN, strerror(-ret),
			vhost ? ", or try --backend tap" : "");
}

/* Converts the addresses to those of netif.h. Returns how many. */
static size_t
addresses(const struct settings *s, struct prefix *out)
{
	size_t i;

	for (i = 0; i < s->addr_count; i++) {
		out[i] = (struct prefix){
			.family = s->addrs[i].version == 6 ? AF_INET6 : AF_INET,
			.len = (uint8_t)s->addrs[i].prefix,
		};
		memcpy(out[i].address, s->addrs[i].bytes, inet_size(s->addrs[i].version));
	}
	return s->addr_count;
}

static int
set_up(struct exception *e, const struct settings *s, const struct place *p, char *err,
		size_t err_size)
{
	struct prefix list[SETTINGS_ADDRS_MAX];
	size_t count = addresses(s, list);
	int ret = netif_set_mtu(p->target, e->index, s->mtu, err, err_size);

	if (ret == 0)
		ret = netif_set_mac(p->target, e->index, e->d->mac, err, err_size);
	if (ret == 0)
		ret = netif_set_up(p->target, e->index, true, err, err_size);
	if (ret == 0)
		ret = netif_change_addresses(
				p->target, e->index, NULL, 0, list, count, err, err_size);
	return ret;
}

/* Begins to follow changes of the interface. Events before this are not about it. */
static int
watch(struct exception *e, const struct place *p, char *err, size_t err_size)
{
	int ret = netif_monitor_open(&e->monitor, err, err_size);

	e->nsid = NETIF_NSID_OWN;
	if (ret == 0 && p->target != p->own)
		ret = netif_nsid(p->own, p->target, &e->nsid, err, err_size);
	return ret;
}

static int
configure(struct exception *e, const struct settings *s, const char *name, char *err,
		size_t err_size)
{
	struct netif_link link;
	struct place p;
	int ret = enter_place(s, &p, err, err_size);

	if (ret != 0)
		return ret;
	ret = netif_find(p.own, name, &link, err, err_size);
	if (ret != 0)
		goto out;
	e->index = link.index;
	if (p.target != p.own)
		ret = netif_move(p.own, link.index, p.target, s->ifname, &e->index, err, err_size);
	if (ret == 0)
		ret = watch(e, &p, err, err_size);
	if (ret == 0)
		ret = set_up(e, s, &p, err, err_size);
out:
	leave_place(&p);
	return ret;
}

int
exception_open(struct exception *e, const struct settings *s, struct device *d,
		const struct device *to_switch, struct rte_mempool *pool, char *err,
		size_t err_size)
{
	char name[IFNAMSIZ];
	int ret;

	*d = (struct device){ .path = s->ifname, .queue_size = (uint16_t)s->queue_size };
	memcpy(d->mac, to_switch->mac, sizeof(d->mac));
	d->frames_in_call_fd = s->backend == SETTINGS_BACKEND_TAP;
	mirror_offloads(d, to_switch);
	e->settings = s;
	e->d = d;
	e->monitor = NULL;
	first_name(s, name);
	eal_log_clear();
	ret = probe(s, name, d);
	if (ret != 0) {
		eal_log_print_errors();
		return text_fail(err, err_size, ret,
				"DPDK made no interface %s: %s; its messages are above", s->ifname,
				strerror(-ret));
	}
	ret = start(s, d, pool, err, err_size);
	if (ret == 0)
		ret = configure(e, s, name, err, err_size);
	if (ret != 0) {
		exception_close(e);
		return ret;
	}
	eal_log_number(EAL_LOG_FEATURES, &d->features);
	if (s->backend == SETTINGS_BACKEND_VHOST_NET)
		device_find_rings(d);
	return 0;
}

void
exception_close(struct exception *e)
{
	netif_monitor_close(e->monitor);
	device_close(e->d);
}

int
exception_fd(const struct exception *e)
{
	return netif_monitor_fd(e->monitor);
}

static void
follow_link(struct exception *e, const struct netif_link *link)
{
	if (link->has_mac)
		memcpy(e->d->mac, link->mac, sizeof(e->d->mac));
}

/* Reads the interface's state again. If its namespace cannot be found, it counts as gone. */
static void
look_anew(struct exception *e)
{
	struct netif_link link;
	struct place p;
	char unused[256];

	if (enter_place(e->settings, &p, unused, sizeof(unused)) != 0) {
		e->d->lost = true;
		return;
	}
	if (netif_get(p.target, e->index, &link, unused, sizeof(unused)) == 0)
		follow_link(e, &link);
	else
		e->d->lost = true;
	leave_place(&p);
}

static void
on_event(void *argument, const struct netif_event *event)
{
	struct exception *e = argument;
	bool here = event->nsid == e->nsid;
	bool ours = here && event->link.index == e->index;

	if (event->type == NETIF_EVENTS_LOST)
		look_anew(e);
	else if (event->type == NETIF_NAMESPACE_GONE)
		e->d->lost = e->d->lost || here;
	else if (event->type == NETIF_GONE)
		e->d->lost = e->d->lost || ours;
	else if (ours)
		follow_link(e, &event->link);
}

void
exception_follow(struct exception *e)
{
	netif_monitor_read(e->monitor, on_event, e);
}
