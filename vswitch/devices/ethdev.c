/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev.h: the life of a device. Which thread a function is for stands there. */
#include "ethdev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "ethdev_args.h"
#include "ethdev_interface.h"
#include "ethdev_interrupts.h"
#include "ethdev_peer.h"
#include "ethdev_pool.h"
#include "ethdev_probe.h"
#include "ethdev_setup.h"
#include "ethdev_traits.h"
#include "base/grace.h"
#include "text/text.h"
#include "worker/worker.h"

#define MEETING_LIMIT_MS 300

/* The kernel lets go of an interface's queue so long after its socket was closed, or a little later. */
#define UNBIND_MS 50
#define TAKEN_LIMIT_MS 1000

int
ethdev_init(struct ethdev *dev, uint16_t port, uint32_t queues)
{
	memset(dev, 0, sizeof(*dev));
	dev->queue = calloc(queues, sizeof(*dev->queue));
	if (dev->queue == NULL)
		return -ENOMEM;
	dev->n_queues = (uint16_t)queues;
	for (uint16_t i = 0; i < dev->n_queues; i++) {
		struct ethdev_queue *queue = &dev->queue[i];

		queue->dev = dev;
		source_init(&queue->source, &ethdev_source_ops, port, i);
		queue->sink.ops = &ethdev_sink_ops;
		queue->sink.port = port;
		queue->sink.queue = i;
	}
	return 0;
}

void
ethdev_release(struct ethdev *dev)
{
	free(dev->queue);
}

/* ---- Stopping; helper ---- */

struct stopping {
	uint16_t id;
	int ret;
};

static void
stop_work(void *arg)
{
	struct stopping *stopping = arg;

	stopping->ret = rte_eth_dev_stop(stopping->id);
}

/* 0 or -errno; no effect when it is not started. Where no handler runs that the driver would forget. */
static int
stop(struct ethdev *dev)
{
	struct stopping stopping = { .id = dev->id };

	ethdev_interrupts_run(stop_work, &stopping);
	if (stopping.ret == 0)
		dev->started = false;
	return stopping.ret;
}

/* ---- Opening; helper ---- */

/*
 * The driver of memif meets its peer on EAL's interrupt thread, and neither end takes it well when it is
 * stopped meanwhile. With a peer that answers that takes less than a millisecond.
 */
static void
let_peers_meet(const struct ethdev *dev)
{
	struct rte_eth_link link = { 0 };

	if (dev->traits->returns != ETHDEV_RETURNS_BY_START || !ethdev_calls_peer(dev))
		return;
	for (int ms = 0; ms < MEETING_LIMIT_MS; ms++) {
		if (rte_eth_link_get_nowait(dev->id, &link) == 0 &&
				link.link_status == RTE_ETH_LINK_UP)
			return;
		usleep(1000);
	}
}

static int
open_once(struct ethdev *dev, const struct ethdev_config *config, const char *devargs, char *err,
		size_t err_size)
{
	int ret;

	ethdev_pool_reap();
	ret = ethdev_probe(dev, devargs, err, err_size);
	if (ret == 0)
		ret = ethdev_setup_check(dev, config, err, err_size);
	if (ret == 0)
		ret = ethdev_setup(dev, config, err, err_size);
	if (ret == 0)
		ret = ethdev_setup_modes(dev, NULL, config, err, err_size);
	if (ret != 0) {
		ethdev_close(dev);
		return ret;
	}
	dev->config = *config;
	let_peers_meet(dev);
	ethdev_look(dev, &dev->status);
	return 0;
}

/*
 * A queue that is taken may be free in a moment. The device is opened anew each time: a driver that
 * failed has kept what it took, and would go on in the middle.
 */
static int
open_as(struct ethdev *dev, const struct ethdev_config *config, const char *devargs, char *err,
		size_t err_size)
{
	int ret = open_once(dev, config, devargs, err, err_size);

	for (int ms = 0; ret == -EBUSY && dev->traits->starts_once && ms < TAKEN_LIMIT_MS;
			ms += UNBIND_MS) {
		usleep(UNBIND_MS * 1000);
		ret = open_once(dev, config, devargs, err, err_size);
	}
	return ret;
}

int
ethdev_open(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	return open_as(dev, config, config->devargs, err, err_size);
}

/* ---- Changes; helper ---- */

bool
ethdev_must_pause(const struct ethdev_config *now, const struct ethdev_config *wanted)
{
	return now->mtu != wanted->mtu || now->offload != wanted->offload;
}

/* Whether the interface has another name than its driver knows; what it is called now. */
static bool
is_renamed(const struct ethdev *dev, char name[IFNAMSIZ])
{
	return dev->opened && dev->traits->by_name && if_indextoname(dev->if_index, name) != NULL &&
			strcmp(name, dev->ifname) != 0;
}

/* Closes and opens the device, by the name that its interface has now. */
static int
reopen(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	char devargs[PORT_DEVARGS_MAX], name[IFNAMSIZ];

	if (!is_renamed(dev, name) || dev->traits->own_interface ||
			!ethdev_args_replace(
					config->devargs, "iface", name, devargs, sizeof(devargs)))
		snprintf(devargs, sizeof(devargs), "%s", config->devargs);
	ethdev_close(dev);
	return open_as(dev, config, devargs, err, err_size);
}

static int
restart(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	int ret;

	if (!dev->opened || dev->traits->starts_once)
		return reopen(dev, config, err, err_size);
	ret = stop(dev);
	if (ret != 0)
		return text_fail(err, err_size, ret, "its driver %s does not stop it: %s",
				dev->driver, strerror(-ret));
	return ethdev_setup(dev, config, err, err_size);
}

/* What is refused with no change, so that there is nothing to take back. */
static int
check_change(const struct ethdev *dev, const struct ethdev_config *config, char *err,
		size_t err_size)
{
	char name[IFNAMSIZ];

	if (!dev->opened)
		return 0;
	if (dev->traits->own_interface && is_renamed(dev, name) &&
			ethdev_setup_must_restart(dev, &dev->config, config))
		return text_fail(err, err_size, -ENODEV,
				"its interface %s is called %s now, by which %s does not know it, and "
				"the device would have to be started again; give the interface its "
				"name again, or delete the port and add it again",
				dev->ifname, name, dev->driver);
	return ethdev_setup_check(dev, config, err, err_size);
}

/* A device is left running where that will do. */
static int
apply(struct ethdev *dev, const struct ethdev_config *before, const struct ethdev_config *config,
		char *err, size_t err_size)
{
	bool restarts = !dev->started || ethdev_setup_must_restart(dev, before, config);
	int ret = 0;

	if (!restarts && before->mtu != config->mtu) {
		ret = ethdev_setup_mtu(dev, config->mtu, err, err_size);
		restarts = ret == -EBUSY;
	}
	if (restarts)
		ret = restart(dev, config, err, err_size);
	if (ret == 0)
		ret = ethdev_setup_modes(dev, restarts ? NULL : before, config, err, err_size);
	return ret;
}

/* The device was asked for something and did not do it; now it does not do what it did before. */
static void
give_up(struct ethdev *dev, const char *why)
{
	struct ethdev_status *status = &dev->status;

	ethdev_close(dev);
	status->gone = true;
	snprintf(status->why, sizeof(status->why), "it does not start any more: %.*s",
			PORT_TEXT_MAX - 32, why);
}

int
ethdev_change(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	const struct ethdev_config old = dev->config;
	char why[PORT_TEXT_MAX];
	int ret = check_change(dev, config, err, err_size);

	if (ret != 0)
		return ret;
	ret = apply(dev, &old, config, err, err_size);
	if (ret == 0)
		dev->config = *config;
	else if (apply(dev, config, &old, why, sizeof(why)) != 0 &&
			(!ethdev_may_return(dev) || reopen(dev, &old, why, sizeof(why)) != 0))
		give_up(dev, why);
	if (dev->opened)
		ethdev_look(dev, &dev->status);
	return ret;
}

/* ---- Coming back ---- */

bool
ethdev_may_return(const struct ethdev *dev)
{
	return !dev->traits->own_interface;
}

bool
ethdev_calls_peer(const struct ethdev *dev)
{
	return dev->traits->returns != ETHDEV_RETURNS_ITSELF && dev->config.link_up &&
			ethdev_peer_is_called(dev->driver, dev->config.devargs);
}

/* The driver calls when it is started. */
static int
call_peer(struct ethdev *dev, char *err, size_t err_size)
{
	int ret = ethdev_peer_check(dev->driver, dev->config.devargs, err, err_size);

	if (ret != 0)
		return ret;
	(void)stop(dev);
	dev->started = false;
	ret = rte_eth_dev_start(dev->id);
	if (ret != 0)
		return text_fail(err, err_size, -ENOENT, "the peer of %s does not answer",
				dev->driver);
	dev->started = true;
	let_peers_meet(dev);
	return 0;
}

int
ethdev_return(struct ethdev *dev, const struct ethdev_config *config, bool anew, char *err,
		size_t err_size)
{
	bool calls = !dev->status.link_up && ethdev_calls_peer(dev);
	int ret = 0;

	anew |= calls && dev->traits->returns == ETHDEV_RETURNS_BY_OPEN;
	if (anew || !dev->opened) {
		ethdev_close(dev);
		ret = ethdev_open(dev, config, err, err_size);
		dev->status.gone = ret != 0;
		return ret;
	}
	if (calls)
		ret = call_peer(dev, err, err_size);
	return ret == 0 ? ethdev_change(dev, config, err, err_size) : ret;
}

/* ---- Looking; helper ---- */

/* An interface that the device itself makes has its queue towards the switch; another one, from the host. */
static void
note_interface_drops(const struct ethdev *dev, const struct netif_link *link,
		struct device_drop_counts *dropped)
{
	bool own = dev->traits->own_interface;
	enum device_drop which = own ? DEVICE_DROP_TX_DROPPED : DEVICE_DROP_RX_DROPPED;

	dropped->known |= 1u << which;
	dropped->frames[which] = own ? link->tx_dropped : link->rx_dropped;
}

/* What the kernel says of the device's interface. */
static void
look_at_interface(const struct ethdev *dev, struct ethdev_status *status)
{
	struct netif_link found;
	int ret = ethdev_interface_look(dev->if_index, &found);

	if (ret == -ENODEV) {
		status->gone = true;
		status->link_up = false;
		snprintf(status->why, sizeof(status->why),
				"interface %s of %s is gone from the switch's network namespace",
				dev->ifname, dev->driver);
	}
	if (ret != 0)
		return;
	note_interface_drops(dev, &found, &status->dropped);
	memcpy(status->ifname, found.name, sizeof(status->ifname));
	if (!dev->traits->by_name) {
		status->link_up &= found.running;
		return;
	}
	/* What the driver says of it may be of another name's. */
	status->link_up = found.running && dev->config.link_up;
	status->mtu = found.mtu;
	memcpy(status->mac, found.mac, sizeof(status->mac));
}

/* Frames of removed devices may lie in our transmit queues: asks the driver to give them back. */
static void
clean_up_transmitted(struct ethdev *dev)
{
	for (uint16_t queue = 0; queue < dev->queues; queue++) {
		struct sink *sink = &dev->queue[queue].sink;

		spinlock_lock(&sink->lock);
		(void)rte_eth_tx_done_cleanup(dev->id, queue, 0);
		spinlock_unlock(&sink->lock);
	}
}

/* A driver that counts none of them says 0. */
static void
look_at_drops(const struct ethdev *dev, struct device_drop_counts *dropped)
{
	struct rte_eth_stats stats;

	if (rte_eth_stats_get(dev->id, &stats) != 0)
		return;
	dropped->known = 1u << DEVICE_DROP_IMISSED | 1u << DEVICE_DROP_IERRORS |
			1u << DEVICE_DROP_RX_NOMBUF;
	dropped->frames[DEVICE_DROP_IMISSED] = stats.imissed;
	dropped->frames[DEVICE_DROP_IERRORS] = stats.ierrors;
	dropped->frames[DEVICE_DROP_RX_NOMBUF] = stats.rx_nombuf;
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
		snprintf(status->why, sizeof(status->why), "the device of %s is gone", dev->driver);
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
	look_at_drops(dev, &status->dropped);
	if (dev->if_index != 0)
		look_at_interface(dev, status);
}

void
ethdev_close(struct ethdev *dev)
{
	if (!dev->opened)
		return;
	/* A mode that would stay on the interface behind the device. */
	if (dev->traits->by_name)
		(void)ethdev_interface_set_flag(dev->if_index, IFF_PROMISC, false);
	else
		(void)rte_eth_promiscuous_disable(dev->id);
	if (dev->traits->keeps_mbufs)
		ethdev_xdp_begin();
	ethdev_remove(dev);
	if (dev->traits->keeps_mbufs)
		ethdev_xdp_end(&dev->xdp);
	ethdev_xdp_close(&dev->xdp);
	if (dev->traits->starts_once)
		usleep(UNBIND_MS * 1000);
	ethdev_pool_retire(dev->pool, dev->traits->keeps_mbufs);
	dev->pool = NULL;
}

/* ---- Control ---- */

static int
interrupt_of(const struct ethdev *dev, uint16_t queue)
{
	return dev->interrupts ? dev->fds[queue] : -1;
}

static void
unwatch(struct ethdev *dev)
{
	for (uint16_t queue = 0; queue < dev->n_watched; queue++)
		worker_unwatch(&dev->queue[queue].source, interrupt_of(dev, queue));
	dev->n_watched = 0;
}

static int
watch(struct ethdev *dev)
{
	int ret = 0;

	for (uint16_t queue = 0; ret == 0 && queue < dev->queues; queue++) {
		ret = worker_watch(&dev->queue[queue].source, interrupt_of(dev, queue));
		dev->n_watched = queue + 1;
	}
	return ret;
}

static void
publish(struct ethdev *dev, bool running)
{
	for (uint16_t queue = 0; queue < dev->n_queues; queue++) {
		struct sink *sink = &dev->queue[queue].sink;

		spinlock_lock(&sink->lock);
		sink->takes = running ? dev->takes : 0;
		spinlock_unlock(&sink->lock);
	}
	__atomic_store_n(&dev->running, running, __ATOMIC_RELEASE);
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

/* What workers had taken from the driver and not shown yet. */
static void
on_grace(void *arg)
{
	struct ethdev *dev = arg;

	dev->pausing = false;
	for (uint16_t i = 0; i < dev->n_queues; i++) {
		struct ethdev_queue *queue = &dev->queue[i];

		rte_pktmbuf_free_bulk(queue->received + queue->n_looked_at,
				queue->n_received - queue->n_looked_at);
		queue->n_received = 0;
		queue->n_looked_at = 0;
	}
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
	snprintf(device->ifname, sizeof(device->ifname), "%s",
			status->ifname[0] != '\0' ? status->ifname : dev->ifname);
	memcpy(device->mac, status->mac, sizeof(device->mac));
	device->mtu = status->mtu;
	device->queues = dev->queues;
	device->link_up = status->link_up && !status->gone;
	device->interrupts = dev->interrupts;
	device->speed_mbps = status->speed_mbps;
	device->takes = dev->takes;
	device->gives = dev->gives;
	device->dropped = status->dropped;
}
