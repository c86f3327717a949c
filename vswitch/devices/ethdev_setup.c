/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See ethdev_setup.h.
 *
 * Drivers differ in what they can be asked for, and few say so beforehand. So what can be had is
 * found by asking: interrupts first, then without; mbufs of the usual size first, then larger ones.
 * What a driver says when it refuses is caught from its log (dpdk_log_listen()) and passed on.
 */
#include "ethdev_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "base/dpdk_log.h"
#include "ethdev_args.h"
#include "ethdev_interface.h"
#include "ethdev_pool.h"
#include "ethdev_traits.h"
#include "text/text.h"

/* Bytes of a frame in an mbuf: the least that all drivers work with, and the most. */
#define ROOM_MIN 2048
#define ROOM_MAX 65280

/* Entries of a queue, where the driver has no wish; with LRO one frame may take over 30. */
#define ENTRIES 512
#define ENTRIES_LRO 1024

/*
 * Mbufs beyond those that lie in the queues: a burst that is being delivered, and references that
 * other devices have in their transmit queues.
 */
#define MBUFS_ON_THE_WAY 1024

#define TX_CHECKSUMS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define RX_CHECKSUMS (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

#define SAID_MAX 160

struct setup {
	struct ethdev *dev;
	const struct ethdev_config *config;
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	uint16_t queues, rx_entries, tx_entries;
	bool has_pool; /* the device's mbufs were made for this */
};

static bool
has_all(uint64_t capabilities, uint64_t wanted)
{
	return (capabilities & wanted) == wanted;
}

/* The largest MTU that rte_eth_dev_configure() accepts, and whose frames fit the driver's mbufs. */
static uint32_t
mtu_limit(const struct ethdev *dev, const struct rte_eth_dev_info *info)
{
	uint32_t limit = info->max_mtu, frame_max = dev->traits->frame_max;

	if (info->max_mtu == UINT16_MAX && info->max_rx_pktlen < UINT16_MAX)
		limit = info->max_rx_pktlen - RTE_ETHER_HDR_LEN - RTE_ETHER_CRC_LEN;
	if (frame_max != 0)
		limit = RTE_MIN(limit, frame_max - FRAME_OVERHEAD_MAX);
	return limit;
}

/*
 * Receiving merged segments and unfinished checksums makes sense only where it is said how they are
 * to be cut and finished again. That a virtio device does; a NIC that merges forgets it.
 */
static void
choose_offloads(struct setup *setup)
{
	struct rte_eth_rxmode *rx = &setup->conf.rxmode;
	struct rte_eth_txmode *tx = &setup->conf.txmode;
	uint64_t rx_capa = setup->info.rx_offload_capa, tx_capa = setup->info.tx_offload_capa;
	const uint64_t lro = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER;

	tx->offloads = tx_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (setup->config->mtu + FRAME_OVERHEAD_MAX > ROOM_MIN)
		rx->offloads = rx_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (!setup->config->offload)
		return;
	if (has_all(tx_capa, TX_CHECKSUMS))
		tx->offloads |= TX_CHECKSUMS | (tx_capa & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
	if (has_all(tx_capa,
			    TX_CHECKSUMS | RTE_ETH_TX_OFFLOAD_TCP_TSO |
					    RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
		tx->offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (!setup->dev->virtio || !has_all(rx_capa, RX_CHECKSUMS))
		return;
	rx->offloads |= RX_CHECKSUMS;
	if (has_all(rx_capa, lro))
		rx->offloads |= lro;
}

static uint16_t
entries(const struct setup *setup, uint16_t wish)
{
	if ((setup->conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) != 0)
		return ENTRIES_LRO;
	return wish != 0 ? wish : ENTRIES;
}

static int
configure(struct setup *setup)
{
	struct ethdev *dev = setup->dev;
	const struct rte_eth_dev_info *info = &setup->info;
	uint32_t mtu = RTE_MIN(setup->config->mtu, mtu_limit(dev, info));
	int ret;

	setup->conf.rxmode.mtu = RTE_MAX(mtu, (uint32_t)info->min_mtu);
	setup->queues = RTE_MIN((uint16_t)setup->config->queues, info->max_rx_queues);
	setup->queues = RTE_MIN(setup->queues, info->max_tx_queues);
	setup->rx_entries = entries(setup, info->default_rxportconf.ring_size);
	setup->tx_entries = entries(setup, info->default_txportconf.ring_size);
	ret = rte_eth_dev_configure(dev->id, setup->queues, setup->queues, &setup->conf);
	if (ret == 0)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(
				dev->id, &setup->rx_entries, &setup->tx_entries);
	return ret;
}

static uint32_t
count_mbufs(const struct setup *setup)
{
	uint32_t n = setup->queues * ((uint32_t)setup->rx_entries + setup->tx_entries);

	if ((setup->conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) != 0)
		n += BURST_SEGMENTS_MAX;
	return n + MBUFS_ON_THE_WAY;
}

/*
 * Mbufs that a driver keeps may be another device's, by reference, which then has none for frames to
 * come. So it gives them back with each burst: when more than four entries are used.
 */
static struct rte_eth_txconf
tx_conf(const struct setup *setup)
{
	struct rte_eth_txconf conf = setup->info.default_txconf;
	char text[16];
	long size = 256; /* of virtio_user, where none is given */

	if (!setup->dev->traits->keeps_sent)
		return conf;
	if (ethdev_args_value(setup->config->devargs, "queue_size", text, sizeof(text)))
		size = strtol(text, NULL, 10);
	if (size > 8 && size <= UINT16_MAX)
		conf.tx_free_thresh = (uint16_t)(size - 4);
	return conf;
}

static int
setup_queues(const struct setup *setup, struct rte_mempool *pool)
{
	const struct rte_eth_txconf conf = tx_conf(setup);
	uint16_t id = setup->dev->id;
	int ret = 0;

	for (uint16_t queue = 0; ret == 0 && queue < setup->queues; queue++) {
		ret = rte_eth_rx_queue_setup(
				id, queue, setup->rx_entries, SOCKET_ID_ANY, NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(
					id, queue, setup->tx_entries, SOCKET_ID_ANY, &conf);
	}
	return ret;
}

/* Bytes that a frame's first mbuf must hold, from where the search for a size begins. */
static uint32_t
first_room(const struct setup *setup)
{
	uint32_t frame = setup->config->mtu + FRAME_OVERHEAD_MAX;

	if (setup->dev->traits->room != 0)
		return setup->dev->traits->room;
	if ((setup->conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 || frame <= ROOM_MIN)
		return ROOM_MIN;
	return RTE_MIN(RTE_ALIGN_CEIL(frame, 64u), (uint32_t)ROOM_MAX);
}

/*
 * Without memory for new mbufs those that it has do, if they are as many and as large: a change that
 * is refused can be taken back.
 */
static struct rte_mempool *
get_pool(const struct setup *setup, uint32_t n, uint32_t room)
{
	const struct ethdev *dev = setup->dev;
	struct rte_mempool *pool;

	if (setup->has_pool && dev->room >= room)
		return dev->pool;
	pool = ethdev_pool_create(n, room, dev->traits->room != 0);
	if (pool == NULL && dev->pool != NULL && dev->pool->size == n && dev->room == room)
		pool = dev->pool;
	return pool;
}

static int
try_room(struct setup *setup, uint32_t room, char *err, size_t err_size)
{
	struct ethdev *dev = setup->dev;
	uint32_t n = count_mbufs(setup);
	struct rte_mempool *old = dev->pool, *pool = get_pool(setup, n, room);
	int ret;

	if (pool == NULL)
		return text_fail(err, err_size, -ENOSPC,
				"%u mbufs for its queues take %u MiB%s and the switch's memory has "
				"not that much left; delete a port, or start with a larger --memory",
				n, ethdev_pool_mib(n, room),
				dev->traits->room != 0 ? " in one piece" : "");
	ret = setup_queues(setup, pool);
	if (pool == old)
		return ret;
	ethdev_pool_retire(ret == 0 ? old : pool, dev->traits->keeps_mbufs);
	if (ret == 0) {
		dev->pool = pool;
		dev->room = room;
		setup->has_pool = true;
	}
	return ret;
}

/* Mbufs for its queues: of the least size that the driver accepts. */
static int
make_queues(struct setup *setup, char *err, size_t err_size)
{
	uint32_t room = first_room(setup);
	int ret;

	if (setup->dev->traits->keeps_mbufs) {
		ethdev_xdp_begin();
		ret = try_room(setup, room, err, err_size);
		ethdev_xdp_end(&setup->dev->xdp);
		return ret;
	}
	do {
		ret = try_room(setup, room, err, err_size);
		room *= 2;
	} while ((ret == -ENOMEM || ret == -EINVAL) && room <= ROOM_MAX);
	return ret;
}

static bool
find_interrupts(struct ethdev *dev)
{
	for (uint16_t queue = 0; queue < dev->queues; queue++) {
		if (rte_eth_dev_rx_intr_enable(dev->id, queue) != 0)
			return false;
		rte_eth_dev_rx_intr_disable(dev->id, queue);
		dev->fds[queue] = rte_eth_dev_rx_intr_ctl_q_get_fd(dev->id, queue);
		if (dev->fds[queue] < 0)
			return false;
	}
	return true;
}

/* What the two groups of offloads of a direction are as needs of frames. */
static uint8_t
needs_of(bool checksums, bool segments)
{
	uint8_t needs = 0;

	if (checksums)
		needs |= FRAME_NEEDS_CSUM;
	if (segments)
		needs |= FRAME_NEEDS_TSO4 | FRAME_NEEDS_TSO6;
	return needs;
}

static uint8_t
needs_of_tx(uint64_t offloads)
{
	return needs_of(has_all(offloads, TX_CHECKSUMS),
			(offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0);
}

static uint8_t
needs_of_rx(uint64_t offloads)
{
	return needs_of(has_all(offloads, RX_CHECKSUMS),
			(offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) != 0);
}

static void
remember(const struct setup *setup)
{
	struct ethdev *dev = setup->dev;
	uint64_t tx = setup->conf.txmode.offloads;

	dev->queues = setup->queues;
	dev->chains = (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	dev->ip_checksum = (tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
	dev->takes = needs_of_tx(tx);
	dev->gives = needs_of_rx(setup->conf.rxmode.offloads);
	dev->interrupts = setup->conf.intr_conf.rxq != 0 && find_interrupts(dev);
}

static uint32_t
get_mtu(const struct ethdev *dev)
{
	struct netif_link found;
	uint16_t mtu = 0;

	if (dev->traits->by_name)
		return ethdev_interface_look(dev->if_index, &found) == 0 ? found.mtu : 0;
	return rte_eth_dev_get_mtu(dev->id, &mtu) == 0 ? mtu : 0;
}

/* A driver without an MTU of its own takes what comes. */
static int
set_mtu(const struct ethdev *dev, uint32_t before, uint32_t mtu)
{
	int ret;

	if (mtu == before)
		return 0;
	if (dev->traits->by_name)
		return ethdev_interface_set_mtu(dev->if_index, mtu);
	ret = rte_eth_dev_set_mtu(dev->id, (uint16_t)mtu);
	return ret == -ENOTSUP ? 0 : ret;
}

/* All but the start. */
static int
prepare(struct setup *setup, bool interrupts, char *err, size_t err_size)
{
	struct ethdev *dev = setup->dev;
	uint32_t mtu = get_mtu(dev);
	int ret;

	setup->conf.intr_conf.rxq = interrupts;
	ret = configure(setup);
	if (ret == 0)
		ret = set_mtu(dev, mtu, setup->config->mtu);
	if (ret == 0)
		ret = make_queues(setup, err, err_size);
	return ret;
}

/*
 * The driver of virtio registers its handler when it is configured with interrupts, and forgets it when
 * the device is closed before it was started. So what may be refused is tried without them.
 */
static int
try_setup(struct ethdev *dev, const struct ethdev_config *config, bool interrupts, char *err,
		size_t err_size)
{
	struct setup setup = { .dev = dev, .config = config };
	int ret = rte_eth_dev_info_get(dev->id, &setup.info);

	if (ret != 0)
		return ret;
	setup.conf.intr_conf.lsc = (*setup.info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
	choose_offloads(&setup);
	if (dev->virtio && interrupts)
		ret = prepare(&setup, false, err, err_size);
	if (ret == 0)
		ret = prepare(&setup, interrupts, err, err_size);
	if (ret == 0)
		ret = rte_eth_dev_start(dev->id);
	if (ret == 0)
		remember(&setup);
	return ret;
}

/* With interrupts, else without. */
static int
try_both(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size,
		char said[SAID_MAX])
{
	int ret;

	err[0] = '\0';
	dpdk_log_listen(said, SAID_MAX);
	ret = try_setup(dev, config, !dev->traits->starts_once, err, err_size);
	if (ret != 0 && ret != -ENOSPC && !dev->traits->starts_once) {
		dpdk_log_listen(said, SAID_MAX);
		err[0] = '\0';
		ret = try_setup(dev, config, false, err, err_size);
	}
	dpdk_log_listen(NULL, 0);
	return ret;
}

/* What can be done about an error; "" when nothing is known that fits it. */
static const char *
advice(int ret)
{
	switch (-ret) {
	case EPERM:
	case EACCES:
		return "; give the switch the right to do that (CAP_NET_ADMIN, or what the driver's "
		       "page in the DPDK guide says)";
	case ENODEV:
	case ENXIO:
		return "; the device or its interface is not there any more";
	case EBUSY:
		return "; see whether another program has the device or its queue, and the driver's "
		       "page in the DPDK guide for the rights that it needs";
	case EINVAL:
		return "; see the driver's page in the DPDK guide for what it needs, or try another "
		       "MTU, or --offload off";
	default:
		return "";
	}
}

int
ethdev_setup(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size)
{
	char said[SAID_MAX];
	int ret = try_both(dev, config, err, err_size, said);

	dev->started = ret == 0;
	if (ret == 0 || err[0] != '\0')
		return ret;
	/* The driver of AF_XDP keeps the kernel's error to itself. */
	if (dev->traits->starts_once && strstr(said, "xsk socket") != NULL)
		ret = -EBUSY;
	return text_fail(err, err_size, ret,
			"its driver %s cannot be started with MTU %u: %s%s%s%s", dev->driver,
			config->mtu, strerror(-ret), said[0] != '\0' ? ": " : "", said,
			advice(ret));
}

bool
ethdev_setup_must_restart(const struct ethdev *dev, const struct ethdev_config *before,
		const struct ethdev_config *config)
{
	struct setup now = { .dev = (struct ethdev *)(uintptr_t)dev, .config = before }, wanted;

	if (rte_eth_dev_info_get(dev->id, &now.info) != 0)
		return true;
	wanted = now;
	wanted.config = config;
	choose_offloads(&now);
	choose_offloads(&wanted);
	return now.conf.rxmode.offloads != wanted.conf.rxmode.offloads ||
			now.conf.txmode.offloads != wanted.conf.txmode.offloads ||
			first_room(&wanted) > dev->room;
}

int
ethdev_setup_check(const struct ethdev *dev, const struct ethdev_config *config, char *err,
		size_t err_size)
{
	struct rte_eth_dev_info info;

	if (!dev->traits->by_name || rte_eth_dev_info_get(dev->id, &info) != 0 ||
			config->mtu <= mtu_limit(dev, &info))
		return 0;
	return text_fail(err, err_size, -EINVAL,
			"its driver %s takes an MTU of at most %u, and not %u", dev->driver,
			mtu_limit(dev, &info), config->mtu);
}

int
ethdev_setup_mtu(const struct ethdev *dev, uint32_t mtu, char *err, size_t err_size)
{
	char said[SAID_MAX];
	int ret;

	dpdk_log_listen(said, sizeof(said));
	ret = set_mtu(dev, get_mtu(dev), mtu);
	dpdk_log_listen(NULL, 0);
	if (ret == 0 || ret == -EBUSY)
		return ret;
	return text_fail(err, err_size, ret, "its driver %s does not take MTU %u: %s%s%s%s",
			dev->driver, mtu, strerror(-ret), said[0] != '\0' ? ": " : "", said,
			advice(ret));
}

static int
set_promiscuous(const struct ethdev *dev, bool on, char *err, size_t err_size)
{
	int ret;

	if (dev->traits->by_name)
		ret = ethdev_interface_set_flag(dev->if_index, IFF_PROMISC, on);
	else
		ret = on ? rte_eth_promiscuous_enable(dev->id)
			 : rte_eth_promiscuous_disable(dev->id);
	if (ret == 0 || ret == -ENOTSUP)
		return 0;
	return text_fail(err, err_size, ret,
			"its driver %s refuses to switch promiscuous mode %s: %s%s", dev->driver,
			on ? "on" : "off", strerror(-ret), advice(ret));
}

static int
set_mac(const struct ethdev *dev, const uint8_t mac[6], char *err, size_t err_size)
{
	struct rte_ether_addr address;
	char text[TEXT_MAC_SIZE];
	int ret;

	memcpy(address.addr_bytes, mac, sizeof(address.addr_bytes));
	if (dev->traits->by_name)
		ret = ethdev_interface_set_mac(dev->if_index, mac);
	else
		ret = rte_eth_dev_default_mac_addr_set(dev->id, &address);
	if (ret == 0)
		return 0;
	return text_fail(err, err_size, ret, "its driver %s does not take the MAC address %s: %s%s",
			dev->driver, text_format_mac(mac, text), strerror(-ret),
			ret == -ENOTSUP || ret == -EINVAL ? "; leave the device its own"
							  : advice(ret));
}

static bool
same_mac(const struct ethdev_config *a, const struct ethdev_config *b)
{
	return a->has_mac == b->has_mac && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

int
ethdev_setup_modes(struct ethdev *dev, const struct ethdev_config *before,
		const struct ethdev_config *config, char *err, size_t err_size)
{
	int ret = 0;

	if (before == NULL || before->promiscuous != config->promiscuous)
		ret = set_promiscuous(dev, config->promiscuous, err, err_size);
	if (ret == 0 && config->has_mac && (before == NULL || !same_mac(before, config)))
		ret = set_mac(dev, config->mac, err, err_size);
	if (ret == 0 && config->link_up && before != NULL && !before->link_up)
		(void)rte_eth_dev_set_link_up(dev->id);
	if (ret == 0 && !config->link_up && (before == NULL || before->link_up))
		(void)rte_eth_dev_set_link_down(dev->id);
	return ret;
}
