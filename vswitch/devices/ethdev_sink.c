/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to a device's transmit queues. Any worker, under the sink's lock.
 *
 * Frames are collected for each queue and handed to the driver together; what it does not take
 * at once is dropped as if a ring was full, since nobody waits for a device.
 */
#include "ethdev.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "ethdev_mbuf.h"
#include "flow_hash.h"
#include "offloads/offload.h"

/* What goes to one queue. */
struct batch {
	uint32_t n;
	bool prepare; /* some of it have flags that the driver wants to see first */
	struct rte_mbuf *mbufs[BURST_MAX];
};

static void
drop(struct ethdev *dev, enum drop_reason reason, uint32_t n)
{
	if (n > 0)
		counter_add(&dev->sink.counters.drops[reason], n);
}

/*
 * Drivers of NICs set up headers in their own way, and may find that they cannot do what the flags
 * want. The first such frame and those behind it are dropped.
 */
static uint32_t
prepare(struct ethdev *dev, uint16_t queue, struct batch *batch)
{
	uint32_t n;

	if (!batch->prepare || dev->virtio)
		return batch->n;
	n = rte_eth_tx_prepare(dev->id, queue, batch->mbufs, (uint16_t)batch->n);
	rte_pktmbuf_free_bulk(batch->mbufs + n, batch->n - n);
	drop(dev, DROP_REFUSED, batch->n - n);
	return n;
}

/* Some drivers take only so many at a time; who takes none has no room. */
static void
send_batch(struct ethdev *dev, uint16_t queue, struct batch *batch)
{
	uint32_t n = prepare(dev, queue, batch), sent = 0;
	uint64_t bytes = 0;
	uint16_t took;

	for (uint32_t i = 0; i < n; i++)
		bytes += batch->mbufs[i]->pkt_len;
	while (sent < n) {
		took = rte_eth_tx_burst(dev->id, queue, batch->mbufs + sent, (uint16_t)(n - sent));
		if (took == 0)
			break;
		sent += took;
	}
	for (uint32_t i = sent; i < n; i++)
		bytes -= batch->mbufs[i]->pkt_len;
	rte_pktmbuf_free_bulk(batch->mbufs + sent, n - sent);
	drop(dev, DROP_RING_FULL, n - sent);
	counter_add(&dev->sink.counters.frames, sent);
	counter_add(&dev->sink.counters.bytes, bytes);
	batch->n = 0;
	batch->prepare = false;
}

static uint16_t
choose_queue(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	const uint8_t *head;
	uint32_t len;

	if (dev->queues <= 1)
		return 0;
	head = burst_head(burst, i, &len);
	return flow_hash(head, len) % dev->queues;
}

/*
 * Has a driver of virtio give back the mbufs of what its device has taken. By itself it does so when
 * its ring is nearly full, and a frame of up to seven mbufs needs one entry of that: the mbufs may be
 * at their end long before, and then no frame would come to it any more. It has no call for this;
 * what no ring has entries for makes it look for room, and is refused.
 */
static void
reclaim(struct ethdev *dev)
{
	struct rte_mbuf endless = { .nb_segs = UINT16_MAX, .refcnt = 1 }, *m = &endless;

	for (uint16_t queue = 0; queue < dev->queues; queue++)
		(void)rte_eth_tx_burst(dev->id, queue, &m, 1);
}

static struct rte_mbuf *
make_mbuf(struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	struct rte_mbuf *m = ethdev_mbuf_make(dev, burst, i);

	if (m != NULL || !dev->virtio)
		return m;
	reclaim(dev);
	return ethdev_mbuf_make(dev, burst, i);
}

static void
add_frame(struct ethdev *dev, struct batch *batches, const struct burst *burst, uint32_t i)
{
	uint16_t queue = choose_queue(dev, burst, i);
	struct batch *batch = &batches[queue];
	struct rte_mbuf *m;

	if (!ethdev_mbuf_fits(dev, burst->frames[i].len)) {
		drop(dev, DROP_TOO_BIG, 1);
		return;
	}
	m = make_mbuf(dev, burst, i);
	if (m == NULL) {
		drop(dev, DROP_RING_FULL, 1);
		return;
	}
	batch->prepare |= burst_has_offload(burst, i);
	batch->mbufs[batch->n++] = m;
	if (batch->n == BURST_MAX)
		send_batch(dev, queue, batch);
}

/*
 * What the device could do and no flag can say is done here: checksums of other protocols than TCP
 * and UDP, and segments of TCP behind extension headers of IPv6.
 */
static void
add_done(struct ethdev *dev, struct batch *batches, const struct burst *burst, uint32_t i)
{
	struct counters *counters = &dev->sink.counters;
	uint32_t first = 0, total;
	struct burst done;

	do {
		total = offload_split(burst, i, 0, first, &done);
		for (uint32_t s = 0; s < done.n; s++)
			add_frame(dev, batches, &done, s);
		first += done.n;
	} while (first < total);
	if (burst->offloads[i].gso_size == 0) {
		counter_add(&counters->checksummed, 1);
	} else {
		counter_add(&counters->segmented, 1);
		counter_add(&counters->segments, total);
	}
}

static const void *
sink_place(struct sink *base, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	struct ethdev *dev = ethdev_of_sink(base);
	struct batch batches[PORT_QUEUES_MAX];
	const uint16_t queues = dev->queues;
	uint16_t queue = 0;

	if (!__atomic_load_n(&dev->running, __ATOMIC_ACQUIRE)) {
		drop(dev, DROP_NOT_READY, n);
		return NULL;
	}
	do {
		batches[queue].n = 0;
		batches[queue].prepare = false;
	} while (++queue < queues);
	for (uint32_t i = 0; i < n; i++) {
		if (burst_has_offload(burst, list[i]) && !ethdev_mbuf_tells(dev, burst, list[i]))
			add_done(dev, batches, burst, list[i]);
		else
			add_frame(dev, batches, burst, list[i]);
	}
	for (queue = 0; queue < queues; queue++)
		if (batches[queue].n > 0)
			send_batch(dev, queue, &batches[queue]);
	return NULL;
}

/* place() told the device already. */
const struct sink_ops ethdev_sink_ops = {
	.place = sink_place,
};
