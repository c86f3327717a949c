/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See ethdev_probe.h.
 *
 * What would make a driver fail is looked for before: a driver whose probe fails may keep the
 * device's name and number, and nobody can take them from it.
 */
#include "ethdev_probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include <rte_bus.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "base/mutex.h"
#include "base/dpdk_log.h"
#include "ethdev_args.h"
#include "ethdev_drivers.h"
#include "ethdev_interrupts.h"
#include "ethdev_peer.h"
#include "ethdev_traits.h"
#include "text/text.h"

#define SAID_MAX 160

/* Devices come and go one at a time: the drivers' own lists have no locks. */
static struct mutex lock = MUTEX_INIT;

/* Whether a driver of the bus that was found may be used. */
static int
check_driver(const struct rte_devargs *parsed, char *err, size_t err_size)
{
	return ethdev_drivers_check(parsed->bus != NULL ? rte_bus_name(parsed->bus) : NULL,
			parsed->name, err, err_size);
}

/* The name that the arguments give to the device, by which EAL knows it; if it may be used. */
static int
read_name(const char *devargs, char name[RTE_DEV_NAME_MAX_LEN], char *err, size_t err_size)
{
	struct rte_devargs parsed = { 0 };
	char said[SAID_MAX];
	int ret;

	dpdk_log_listen(said, sizeof(said));
	ret = rte_devargs_parse(&parsed, devargs);
	dpdk_log_listen(NULL, 0);
	if (ret != 0)
		return text_fail(err, err_size, -EINVAL,
				"no driver or bus of DPDK knows \"%.*s\"%s%s; device arguments begin "
				"with a driver and a number, as in net_af_packet0,iface=eth0, or with "
				"a PCI address",
				(int)strcspn(devargs, ","), devargs, said[0] != '\0' ? ": " : "",
				said);
	snprintf(name, RTE_DEV_NAME_MAX_LEN, "%s", parsed.name);
	ret = check_driver(&parsed, err, err_size);
	free(parsed.data);
	return ret;
}

/* The first ethdev of the device that was probed just now. */
static int
find_ethdev(const char *devargs, const char *name, uint16_t *id)
{
	struct rte_dev_iterator iterator;

	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return 0;
	if (rte_eth_iterator_init(&iterator, devargs) != 0)
		return -ENODEV;
	*id = rte_eth_iterator_next(&iterator);
	if (*id == RTE_MAX_ETHPORTS)
		return -ENODEV;
	rte_eth_iterator_cleanup(&iterator);
	return 0;
}

static int
refuse_probe(int ret, const char *name, const char *said, char *err, size_t err_size)
{
	if (ret == -EEXIST)
		return text_fail(err, err_size, ret,
				"there is a device %s already, which another port has; delete that "
				"port first, or choose another number behind the driver's name",
				name);
	/* -1 is what drivers say when a file, an interface or a right is missing */
	return text_fail(err, err_size, ret == -1 ? -ENODEV : ret,
			"DPDK cannot attach %s: %s; see the driver's page in the DPDK guide for its "
			"arguments and for the rights that it needs",
			name, said[0] != '\0' ? said : strerror(-ret));
}

/* As a server it listens, and the call that makes it returns when somebody has connected. */
static int
refuse_server(const char *name, const char *devargs, char *err, size_t err_size)
{
	if (strncmp(name, "net_virtio_user", strlen("net_virtio_user")) != 0 ||
			strstr(devargs, ",server=1") == NULL)
		return 0;
	return text_fail(err, err_size, -EINVAL,
			"%s with server=1 would hold up the switch until its peer connects; leave "
			"that out, and let the peer listen, as a vhost-user port of a switch does",
			name);
}

/*
 * The interface that the driver looks for must be there; one that the driver makes must not: it would
 * attach to an existing TAP, and set its MAC and its flags, whoever has it.
 */
static int
check_interface(const char *name, const char *devargs, char *err, size_t err_size)
{
	const struct ethdev_traits *traits = ethdev_traits(name);
	char ifname[IFNAMSIZ];
	bool there;

	if (!traits->by_name || !ethdev_args_value(devargs, "iface", ifname, sizeof(ifname)))
		return 0;
	there = if_nametoindex(ifname) != 0;
	if (!there && !traits->own_interface)
		return text_fail(err, err_size, -ENODEV,
				"%s: interface %s: No such device in the switch's network namespace; "
				"make it there, or name another with iface=",
				name, ifname);
	if (there && traits->own_interface)
		return text_fail(err, err_size, -EEXIST,
				"interface %s exists already, and %s would take it from who has it; "
				"choose another name for iface=, or delete that interface",
				ifname, name);
	return 0;
}

/*
 * A virtual device goes to its bus by name, because rte_dev_probe() of DPDK 26.07, and of stable
 * releases since June 2026, refuses arguments of 128 characters, and keeps a device that failed.
 */
static int
attach(const char *devargs)
{
	struct rte_devargs parsed = { 0 };
	int ret = rte_devargs_parse(&parsed, devargs);

	if (ret != 0)
		return ret;
	if (parsed.bus != NULL && strcmp(rte_bus_name(parsed.bus), "vdev") == 0)
		ret = rte_vdev_init(parsed.name, parsed.args);
	else
		ret = rte_dev_probe(devargs);
	free(parsed.data);
	return ret;
}

static int
probe(struct ethdev *dev, const char *devargs, const char *name, char *err, size_t err_size)
		REQUIRES(lock)
{
	char said[SAID_MAX] = "";
	int ret;

	if (rte_eth_dev_get_port_by_name(name, &dev->id) == 0)
		return refuse_probe(-EEXIST, name, said, err, err_size);
	dpdk_log_listen(said, sizeof(said));
	ret = attach(devargs);
	dpdk_log_listen(NULL, 0);
	if (ret != 0)
		return refuse_probe(ret < 0 ? ret : -EIO, name, said, err, err_size);
	ret = find_ethdev(devargs, name, &dev->id);
	if (ret != 0)
		return text_fail(err, err_size, ret,
				"%s is a device, but none that sends and receives frames", name);
	dev->opened = true;
	return 0;
}

static int
identify(struct ethdev *dev, char *err, size_t err_size)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(dev->id, &info);

	if (ret != 0)
		return text_fail(err, err_size, ret, "the device says nothing of itself: %s",
				strerror(-ret));
	dev->device = info.device;
	dev->if_index = info.if_index;
	dev->shares = !dev->traits->keeps_mbufs;
	dev->virtio = strncmp(info.driver_name, "net_virtio", strlen("net_virtio")) == 0;
	snprintf(dev->driver, sizeof(dev->driver), "%s", info.driver_name);
	if (dev->if_index == 0 || if_indextoname(dev->if_index, dev->ifname) == NULL)
		dev->ifname[0] = '\0';
	return 0;
}

int
ethdev_probe(struct ethdev *dev, const char *devargs, char *err, size_t err_size)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	int ret = read_name(devargs, name, err, err_size);

	if (ret == 0)
		ret = refuse_server(name, devargs, err, err_size);
	if (ret == 0)
		ret = check_interface(name, devargs, err, err_size);
	if (ret != 0)
		return ret;
	dev->traits = ethdev_traits(name);
	mutex_lock(&lock);
	ret = ethdev_peer_check(name, devargs, err, err_size);
	if (ret == 0)
		ret = probe(dev, devargs, name, err, err_size);
	mutex_unlock(&lock);
	return ret == 0 ? identify(dev, err, err_size) : ret;
}

/* On the interrupt thread: no handler runs that the driver would forget. */
static void
end_work(void *arg)
{
	struct ethdev *dev = arg;

	(void)rte_eth_dev_stop(dev->id);
	if (dev->traits->hears_stopped)
		(void)rte_eth_dev_close(dev->id);
}

void
ethdev_remove(struct ethdev *dev)
{
	mutex_lock(&lock);
	ethdev_interrupts_run(end_work, dev);
	/* Alarms that the driver's handler has set before, with the address of the device. */
	ethdev_interrupts_pass();
	(void)rte_dev_remove(dev->device);
	mutex_unlock(&lock);
	dev->started = false;
	dev->opened = false;
}
