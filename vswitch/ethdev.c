/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev.h: the life of a device. Which thread a function is for stands there. */
#include "ethdev.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "eal.h"
#include "ethdev_drivers.h"
#include "ethdev_pool.h"
#include "ethdev_setup.h"
#include "grace.h"
#include "text.h"
#include "worker.h"

#define SAID_MAX 160

/* Devices come and go one at a time: the drivers' own lists have no locks. */
static pthread_mutex_t come_and_go = PTHREAD_MUTEX_INITIALIZER;

void
ethdev_init(struct ethdev *dev, uint16_t port)
{
	memset(dev, 0, sizeof(*dev));
	dev->source.ops = &ethdev_source_ops;
	dev->source.port = port;
	dev->source.worker = -1;
	dev->source.frames_max = BURST_MAX;
	dev->sink.ops = &ethdev_sink_ops;
	dev->sink.port = port;
}

/* ---- Helper ---- */

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

	eal_listen(said, sizeof(said));
	ret = rte_devargs_parse(&parsed, devargs);
	eal_listen(NULL, 0);
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

/* The driver attaches to an existing TAP, and sets its MAC and its flags, whoever has it. */
static int
refuse_interface_of_others(const char *name, const char *devargs, char *err, size_t err_size)
{
	const char *iface = strstr(devargs, ",iface=");
	char ifname[IFNAMSIZ];

	if (strncmp(name, "net_tap", strlen("net_tap")) != 0 || iface == NULL)
		return 0;
	iface += strlen(",iface=");
	snprintf(ifname, sizeof(ifname), "%.*s", (int)strcspn(iface, ","), iface);
	if (if_nametoindex(ifname) == 0)
		return 0;
	return text_fail(err, err_size, -EEXIST,
			"interface %s exists already, and %s would take it from who has it; choose "
			"another name for iface=, or delete that interface",
			ifname, name);
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
probe(struct ethdev *dev, const char *devargs, char *err, size_t err_size)
{
	char name[RTE_DEV_NAME_MAX_LEN], said[SAID_MAX] = "";
	int ret = read_name(devargs, name, err, err_size);

	if (ret == 0)
		ret = refuse_server(name, devargs, err, err_size);
	if (ret == 0)
		ret = refuse_interface_of_others(name, devargs, err, err_size);
	if (ret != 0)
		return ret;
	if (rte_eth_dev_get_port_by_name(name, &dev->id) == 0)
		return refuse_probe(-EEXIST, name, said, err, err_size);
	eal_listen(said, sizeof(said));
	pthread_mutex_lock(&come_and_go);
	ret = attach(devargs);
	pthread_mutex_unlock(&come_and_go);
	eal_listen(NULL, 0);
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
identify(struct ethdev *dev)
{
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(dev->id, &info);

	if (ret != 0)
		return ret;
	dev->device = info.device;
	dev->if_index = info.if_index;
	dev->virtio = strncmp(info.driver_name, "net_virtio", strlen("net_virtio")) == 0;
	snprintf(dev->driver, sizeof(dev->driver), "%s", info.driver_name);
	if (dev->if_index == 0 || if_indextoname(dev->if_index, dev->ifname) == NULL)
		dev->ifname[0] = '\0';
	return 0;
}

int
ethdev_open(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	int ret;

	ethdev_pool_reap();
	ret = probe(dev, config->devargs, err, err_size);
	if (ret != 0)
		return ret;
	ret = identify(dev);
	if (ret != 0) {
		text_fail(err, err_size, ret, "the device says nothing of itself: %s",
				strerror(-ret));
		goto fail;
	}
	ret = ethdev_setup(dev, config, err, err_size);
	if (ret == 0)
		ret = ethdev_setup_modes(dev, NULL, config, err, err_size);
	if (ret != 0)
		goto fail;
	dev->config = *config;
	ethdev_look(dev, &dev->status);
	return 0;
fail:
	ethdev_close(dev);
	return ret;
}

bool
ethdev_must_pause(const struct ethdev_config *now, const struct ethdev_config *wanted)
{
	return now->mtu != wanted->mtu || now->offload != wanted->offload;
}

static int
restart(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	int ret = rte_eth_dev_stop(dev->id);

	if (ret != 0)
		return text_fail(err, err_size, ret, "its driver %s does not stop it: %s",
				dev->driver, strerror(-ret));
	return ethdev_setup(dev, config, err, err_size);
}

static int
apply(struct ethdev *dev, const struct ethdev_config *before, const struct ethdev_config *config,
		char *err, size_t err_size)
{
	int ret = 0;

	if (ethdev_must_pause(before, config))
		ret = restart(dev, config, err, err_size);
	if (ret == 0)
		ret = ethdev_setup_modes(dev, before, config, err, err_size);
	return ret;
}

int
ethdev_change(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	char ignored[PORT_TEXT_MAX];
	int ret = apply(dev, &dev->config, config, err, err_size);

	if (ret == 0) {
		dev->config = *config;
		ethdev_look(dev, &dev->status);
		return 0;
	}
	if (apply(dev, config, &dev->config, ignored, sizeof(ignored)) != 0)
		dev->status.gone = true;
	return ret;
}

/* What the kernel says of the device's interface. False: it is gone. */
static bool
look_at_interface(const struct ethdev *dev, bool *running)
{
	struct ifreq request = { 0 };
	int fd, ret;

	if (if_indextoname(dev->if_index, request.ifr_name) == NULL)
		return errno != ENXIO && errno != ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	ret = ioctl(fd, SIOCGIFFLAGS, &request);
	if (ret == 0)
		*running = (request.ifr_flags & IFF_UP) != 0 &&
				(request.ifr_flags & IFF_RUNNING) != 0;
	close(fd);
	return true;
}

/* Frames of removed devices may lie in our transmit queues: asks the driver to give them back. */
static void
clean_up_transmitted(struct ethdev *dev)
{
	spinlock_lock(&dev->sink.lock);
	for (uint16_t queue = 0; queue < dev->queues; queue++)
		(void)rte_eth_tx_done_cleanup(dev->id, queue, 0);
	spinlock_unlock(&dev->sink.lock);
}

void
ethdev_look(struct ethdev *dev, struct ethdev_status *status)
{
	struct rte_eth_link link = { 0 };
	struct rte_ether_addr mac = { 0 };
	uint16_t mtu = 0;

	*status = (struct ethdev_status){ 0 };
	if (ethdev_pool_reap())
		clean_up_transmitted(dev);
	if (rte_eth_dev_is_removed(dev->id) != 0) {
		status->gone = true;
		return;
	}
	if (rte_eth_link_get_nowait(dev->id, &link) != 0)
		link.link_status = RTE_ETH_LINK_DOWN;
	(void)rte_eth_macaddr_get(dev->id, &mac);
	(void)rte_eth_dev_get_mtu(dev->id, &mtu);
	status->link_up = link.link_status == RTE_ETH_LINK_UP && dev->config.link_up;
	status->speed_mbps = link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN ? link.link_speed : 0;
	status->mtu = mtu;
	memcpy(status->mac, mac.addr_bytes, sizeof(status->mac));
	if (dev->if_index != 0) {
		bool running = status->link_up;

		status->gone = !look_at_interface(dev, &running);
		status->link_up &= running && !status->gone;
	}
}

void
ethdev_close(struct ethdev *dev)
{
	if (!dev->opened)
		return;
	/* A mode that would stay on the interface behind the device. */
	(void)rte_eth_promiscuous_disable(dev->id);
	(void)rte_eth_dev_stop(dev->id);
	pthread_mutex_lock(&come_and_go);
	(void)rte_dev_remove(dev->device);
	pthread_mutex_unlock(&come_and_go);
	ethdev_pool_retire(dev->pool);
	dev->pool = NULL;
	dev->opened = false;
}

/* ---- Control ---- */

static void
unwatch(struct ethdev *dev)
{
	if (!dev->watched)
		return;
	dev->watched = false;
	if (!dev->interrupts)
		worker_unwatch(&dev->source, -1);
	for (uint16_t queue = 0; dev->interrupts && queue < dev->queues; queue++)
		worker_unwatch(&dev->source, dev->fds[queue]);
}

static int
watch(struct ethdev *dev)
{
	int ret = 0;

	dev->watched = true;
	if (!dev->interrupts)
		return worker_watch(&dev->source, -1);
	for (uint16_t queue = 0; ret == 0 && queue < dev->queues; queue++)
		ret = worker_watch(&dev->source, dev->fds[queue]);
	return ret;
}

static void
publish(struct ethdev *dev, bool running)
{
	spinlock_lock(&dev->sink.lock);
	dev->sink.takes = running ? dev->takes : 0;
	__atomic_store_n(&dev->running, running, __ATOMIC_RELEASE);
	spinlock_unlock(&dev->sink.lock);
}

int
ethdev_run(struct ethdev *dev)
{
	int ret;

	publish(dev, true);
	ret = watch(dev);
	if (ret != 0) {
		unwatch(dev);
		publish(dev, false);
	}
	return ret;
}

/* What the worker had taken from the driver and not shown yet. */
static void
on_grace(void *arg)
{
	struct ethdev *dev = arg;

	dev->pausing = false;
	rte_pktmbuf_free_bulk(dev->received + dev->n_looked_at, dev->n_received - dev->n_looked_at);
	dev->n_received = 0;
	dev->n_looked_at = 0;
	dev->quiet(dev->quiet_arg);
}

void
ethdev_pause(struct ethdev *dev, void (*quiet)(void *arg), void *arg)
{
	dev->quiet = quiet;
	dev->quiet_arg = arg;
	if (dev->pausing)
		return;
	dev->pausing = true;
	unwatch(dev);
	publish(dev, false);
	grace_call(on_grace, dev);
}

void
ethdev_info(const struct ethdev *dev, const struct ethdev_status *status,
		struct port_device *device)
{
	device->backend = dev->driver;
	snprintf(device->ifname, sizeof(device->ifname), "%s", dev->ifname);
	memcpy(device->mac, status->mac, sizeof(device->mac));
	device->mtu = status->mtu;
	device->queues = dev->queues;
	device->link_up = status->link_up;
	device->interrupts = dev->interrupts;
	device->speed_mbps = status->speed_mbps;
	device->takes = dev->takes;
	device->gives = dev->gives;
}
