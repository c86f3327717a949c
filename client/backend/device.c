/* SPDX-License-Identifier: BSD-3-Clause */
/* See device.h. */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>

#include "process/clock.h"
#include "eal_log.h"
#include "endpoint_socket.h"
#include "process/stop.h"
#include "text/text.h"

#define HANDSHAKE_SECONDS 10
#define GOODBYE_SECONDS 2
#define SEND_PATIENCE_NS UINT64_C(5000000)
#define DRAIN_SECONDS 0.2
#define DRAIN_LOOK_US 200
#define ALARM_US 1000

static int
on_link(uint16_t id, enum rte_eth_event_type type, void *argument, void *result)
{
	struct rte_eth_link link = { 0 };
	struct device *d = argument;

	(void)type;
	(void)result;
	if (rte_eth_link_get_nowait(id, &link) == 0)
		atomic_store(&d->up, link.link_status == RTE_ETH_LINK_UP);
	stop_wake();
	return 0;
}

/*
 * An event during the start of the device may report too late that it is down, and the driver's link state is
 * that of the last event. So when the link is down, it is read once more, and the connection itself is
 * checked, if we made it.
 */
bool
device_is_up(struct device *d)
{
	struct rte_eth_link link = { 0 };

	if (atomic_load(&d->up))
		return true;
	if ((rte_eth_link_get_nowait(d->id, &link) != 0 || link.link_status != RTE_ETH_LINK_UP) &&
			!endpoint_socket_is_connected(d->path))
		return false;
	atomic_store(&d->up, true);
	return true;
}

static void
format_arguments(const struct settings *s, size_t index, char *text, size_t size)
{
	char mac[TEXT_MAC_SIZE];

	snprintf(text, size, "path=%s,mac=%s,queue_size=%u,mrg_rxbuf=%d,in_order=%d,server=%d",
			s->paths[index], text_format_mac(s->macs[index], mac), s->queue_size,
			s->mergeable, s->in_order, s->server);
}

/* Where the user finds out more about a session that failed. */
static const char *
where_to_look(const char *path)
{
	return endpoint_socket_is_of_switch(path)
			? "vswitchctl show-port tells why, --verbose shows DPDK's messages"
			: "the backend's own log may tell why, --verbose shows DPDK's messages";
}

static int
explain_timeout(const char *path, char *err, size_t err_size)
{
	return text_fail(err, err_size, -EPROTO,
			"gave up after %d s, in which the backend of %s did not finish the handshake; "
			"does it have a CPU? %s",
			HANDSHAKE_SECONDS, path, where_to_look(path));
}

/* Finds out why the driver found no backend, because the driver only logs it. */
static int
explain_probe(const struct settings *s, const char *path, char *err, size_t err_size)
{
	int ret;

	if (stop_requested())
		return text_fail(err, err_size, -EINTR, "interrupted before %s was ready", path);
	if (s->server && stop_timed_out())
		return text_fail(err, err_size, -ETIMEDOUT,
				"nobody connected to %s within %g s; let the backend connect to it "
				"(vswitchd: vswitchctl add-port NAME --connect %s)",
				path, s->wait, path);
	ret = s->server ? 0 : endpoint_socket_wait(path, 0, err, err_size);
	if (ret != 0)
		return ret;
	if (s->verbose)
		eal_log_print_errors();
	if (stop_timed_out())
		return explain_timeout(path, err, err_size);
	return text_fail(err, err_size, -EPROTO,
			"the backend of %s refused the session (is another frontend attached?); %s",
			path, where_to_look(path));
}

/* Not by rte_dev_probe(), which refuses arguments of 128 characters since June 2026. */
static int
probe(struct device *d, const struct settings *s, size_t index, char *err, size_t err_size)
{
	char arguments[512], name[32];
	int ret;

	format_arguments(s, index, arguments, sizeof(arguments));
	snprintf(name, sizeof(name), "net_virtio_user%zu", index);
	ret = rte_vdev_init(name, arguments);
	if (ret == 0)
		ret = rte_eth_dev_get_port_by_name(name, &d->id);
	if (ret == 0)
		return 0;
	if (s->server)
		unlink(d->path); /* the driver leaves the socket when no backend came */
	return explain_probe(s, d->path, err, err_size);
}

/* LRO only with scattered receiving, because without it every buffer would have to hold a large frame. */
static int
configure(struct device *d, bool link)
{
	struct rte_eth_conf conf = { .intr_conf = { .lsc = link, .rxq = 1 } };
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(d->id, &info);

	if (ret != 0)
		return ret;
	if ((info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) == 0)
		d->rx_offloads &= ~RTE_ETH_RX_OFFLOAD_TCP_LRO;
	d->rx_offloads &= info.rx_offload_capa;
	d->tx_offloads &= info.tx_offload_capa;
	conf.rxmode.offloads = d->rx_offloads;
	conf.txmode.offloads = d->tx_offloads;
	return rte_eth_dev_configure(d->id, 1, 1, &conf);
}

int
device_start(struct device *d, uint16_t descriptors, bool link, struct rte_mempool *pool)
{
	int ret = configure(d, link);

	atomic_store(&d->up, true);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(d->id, 0, descriptors, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(d->id, 0, descriptors, SOCKET_ID_ANY, NULL);
	if (ret == 0 && link)
		ret = rte_eth_dev_callback_register(d->id, RTE_ETH_EVENT_INTR_LSC, on_link, d);
	if (ret == 0)
		ret = rte_eth_dev_start(d->id);
	if (ret == 0)
		d->call_fd = rte_eth_dev_rx_intr_ctl_q_get_fd(d->id, 0);
	return ret == 0 && d->call_fd < 0 ? -ENOTSUP : ret;
}

static int
start(struct device *d, const struct settings *s, struct rte_mempool *pool, char *err,
		size_t err_size)
{
	int ret = device_start(d, d->queue_size, true, pool);

	if (ret == 0)
		return 0;
	if (s->verbose)
		eal_log_print_errors();
	return text_fail(err, err_size, ret, "cannot start the port on %s: %s", d->path,
			strerror(-ret));
}

enum {
	FEATURE_MRG_RXBUF = 15,
	FEATURE_IN_ORDER = 35,
};

static bool
has_feature(const struct device *d, unsigned int bit)
{
	return (d->features >> bit & 1) != 0;
}

static int
check_feature(const struct device *d, bool asked, unsigned int bit, const char *name,
		const char *option, char *err, size_t err_size)
{
	if (!asked || has_feature(d, bit))
		return 0;
	return text_fail(err, err_size, -EPROTO,
			"the backend of %s does not offer %s; leave out --%s on", d->path, name,
			option);
}

/* Checks the link and the log, because the driver goes on when the backend refuses late messages. */
static int
check_session(struct device *d, const struct settings *s, char *err, size_t err_size)
{
	struct rte_eth_link link = { 0 };
	int ret;

	if (stop_requested())
		return text_fail(err, err_size, -EINTR, "interrupted before %s was ready", d->path);
	if (rte_eth_link_get_nowait(d->id, &link) != 0 || link.link_status != RTE_ETH_LINK_UP ||
			eal_log_has("Failed to start device") || stop_timed_out()) {
		if (s->verbose)
			eal_log_print_errors();
		if (stop_timed_out())
			return explain_timeout(d->path, err, err_size);
		return text_fail(err, err_size, -EPROTO,
				"the backend of %s ended the handshake; %s", d->path,
				where_to_look(d->path));
	}
	eal_log_number(EAL_LOG_FEATURES, &d->features);
	ret = check_feature(d, s->mergeable_asked, FEATURE_MRG_RXBUF, "VIRTIO_NET_F_MRG_RXBUF",
			"mrg-rxbuf", err, err_size);
	if (ret != 0)
		return ret;
	return check_feature(d, s->in_order_asked, FEATURE_IN_ORDER, "VIRTIO_F_IN_ORDER",
			"in-order", err, err_size);
}

/* The driver keeps each ring in a memzone of this name, in the layout of the specification. */
static const uint8_t *
find_ring(const struct device *d, unsigned int queue)
{
	const struct rte_memzone *zone;
	char name[32];

	snprintf(name, sizeof(name), "port%u_vq%u", d->id, queue);
	zone = rte_memzone_lookup(name);
	return zone != NULL ? zone->addr : NULL;
}

void
device_find_rings(struct device *d)
{
	d->receiveq = find_ring(d, 0);
	d->transmitq = find_ring(d, 1);
}

static int
open_guarded(struct device *d, const struct settings *s, size_t index, struct rte_mempool *pool,
		char *err, size_t err_size)
{
	int ret;

	stop_guard(s->server ? s->wait : HANDSHAKE_SECONDS, true);
	ret = probe(d, s, index, err, err_size);
	if (ret != 0)
		goto out;
	stop_guard(HANDSHAKE_SECONDS, true);
	ret = start(d, s, pool, err, err_size);
	if (ret == 0)
		ret = check_session(d, s, err, err_size);
	if (ret != 0)
		rte_eth_dev_close(d->id);
out:
	stop_unguard();
	return ret;
}

int
device_open(struct device *d, const struct settings *s, size_t index, struct rte_mempool *pool,
		char *err, size_t err_size)
{
	int ret = 0;

	*d = (struct device){ .path = s->paths[index], .queue_size = (uint16_t)s->queue_size };
	if (s->backend == SETTINGS_BACKEND_VHOST_NET) {
		d->rx_offloads = DEVICE_RX_OFFLOADS;
		d->tx_offloads = DEVICE_TX_OFFLOADS;
	}
	memcpy(d->mac, s->macs[index], sizeof(d->mac));
	if (s->server)
		ret = endpoint_socket_clear(d->path, err, err_size);
	eal_log_clear();
	if (ret == 0)
		ret = open_guarded(d, s, index, pool, err, err_size);
	if (ret == 0)
		device_find_rings(d);
	return ret;
}

static void
on_alarm(void *ran)
{
	atomic_store((atomic_bool *)ran, true);
}

/*
 * Waits until the PMD is done with a disconnect. When the backend goes, the PMD unregisters its interrupt in
 * an alarm, a microsecond later (virtio_user_dev_delayed_disconnect_handler). Closing the port does not
 * wait for it, and would free what the alarm uses. One thread runs alarms in the order of their times. So
 * when a later alarm of ours has run, the PMD's has run, too.
 */
static void
finish_disconnect(void)
{
	static atomic_bool ran;
	uint64_t end = clock_now() + clock_from_seconds(GOODBYE_SECONDS);

	atomic_store(&ran, false);
	if (rte_eal_alarm_set(ALARM_US, on_alarm, &ran) != 0)
		return;
	while (!atomic_load(&ran) && clock_now() < end)
		usleep(DRAIN_LOOK_US);
}

void
device_close(struct device *d)
{
	device_drain(d, DRAIN_SECONDS);
	stop_guard(GOODBYE_SECONDS, false);
	rte_eth_dev_callback_unregister(d->id, RTE_ETH_EVENT_INTR_LSC, on_link, d);
	finish_disconnect();
	rte_eth_dev_stop(d->id);
	rte_eth_dev_close(d->id);
	stop_unguard();
}

unsigned int
device_receive(struct device *d, struct rte_mbuf **frames, unsigned int count)
{
	return rte_eth_rx_burst(d->id, 0, frames, (uint16_t)count);
}

unsigned int
device_send(struct device *d, struct rte_mbuf **frames, unsigned int count)
{
	return count == 0 ? 0 : rte_eth_tx_burst(d->id, 0, frames, (uint16_t)count);
}

unsigned int
device_send_or_free(struct device *d, struct rte_mbuf **frames, unsigned int count)
{
	unsigned int sent = device_send(d, frames, count);
	uint64_t end;

	if (sent == count)
		return sent;
	end = clock_now() + SEND_PATIENCE_NS;
	while (sent < count && clock_now() < end) {
		sched_yield();
		sent += device_send(d, frames + sent, count - sent);
	}
	rte_pktmbuf_free_bulk(frames + sent, count - sent);
	return sent;
}

void
device_arm(struct device *d)
{
	rte_eth_dev_rx_intr_enable(d->id, 0);
}

void
device_disarm(struct device *d)
{
	uint64_t calls;

	rte_eth_dev_rx_intr_disable(d->id, 0);
	if (d->frames_in_call_fd)
		return;
	if (read(d->call_fd, &calls, sizeof(calls)) < 0)
		return; /* there was no call */
}

/*
 * Split ring (virtio 1.1, 2.6): descriptors of 16 bytes, then the available ring, and from the next page on
 * the used ring. Each of the two begins with flags and index.
 */
static unsigned int
count_unused(const struct device *d, const uint8_t *ring)
{
	const uint8_t *avail = ring + (size_t)d->queue_size * 16, *used;
	uint16_t avail_idx, used_idx;

	used = RTE_PTR_ALIGN_CEIL(avail + 6 + (size_t)d->queue_size * 2, 4096);
	avail_idx = __atomic_load_n((const uint16_t *)(const void *)(avail + 2), __ATOMIC_ACQUIRE);
	used_idx = __atomic_load_n((const uint16_t *)(const void *)(used + 2), __ATOMIC_ACQUIRE);
	return (uint16_t)(avail_idx - used_idx);
}

unsigned int
device_room(const struct device *d)
{
	return d->receiveq != NULL ? count_unused(d, d->receiveq) : UINT_MAX;
}

unsigned int
device_pending(const struct device *d)
{
	return d->transmitq != NULL ? count_unused(d, d->transmitq) : 0;
}

unsigned int
device_drain(const struct device *d, double seconds)
{
	uint64_t end = clock_now() + clock_from_seconds(seconds);
	unsigned int pending = device_pending(d);

	while (pending > 0 && clock_now() < end && atomic_load(&d->up)) {
		usleep(DRAIN_LOOK_US);
		pending = device_pending(d);
	}
	return pending;
}
