/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to a device's transmit queue. Any worker, under the sink's lock.
 *
 * Frames are collected and handed to the driver together; what it does not take at once is dropped
 * as if a ring was full, since nobody waits for a device.
 */
#include "ethdev.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "ethdev_mbuf.h"
#include "offloads/offload.h"

/* What goes to the queue at once. */
struct batch {
	uint32_t n;
	bool prepare; /* some of it have flags that the driver wants to see first */
	struct rte_mbuf *mbufs[BURST_MAX];
};

static void
drop(struct ethdev_queue *queue, enum drop_reason reason, uint32_t n)
{
	if (n > 0)
		counter_add(&queue->sink.counters.drops[reason], n);
}

/*
 * Drivers of NICs set up headers in their own way, and may find that they cannot do what the flags
 * want. The first such frame and those behind it are dropped.
 */
static uint32_t
prepare(struct ethdev_queue *queue, struct batch *batch)
{
	const struct ethdev *dev = queue->dev;
	uint32_t n;

	if (!batch->prepare || dev->virtio)
		return batch->n;
	n = rte_eth_tx_prepare(dev->id, queue->sink.queue, batch->mbufs, (uint16_t)batch->n);
	rte_pktmbuf_free_bulk(batch->mbufs + n, batch->n - n);
	drop(queue, DROP_REFUSED, batch->n - n);
	return n;
}

/* Some drivers take only so many at a time; who takes none has no room. */
static void
send_batch(struct ethdev_queue *queue, struct batch *batch)
{
	uint32_t n = prepare(queue, batch), sent = 0;
	uint64_t bytes = 0;
	uint16_t took;

	for (uint32_t i = 0; i < n; i++)
		bytes += batch->mbufs[i]->pkt_len;
	while (sent < n) {
		took = rte_eth_tx_burst(queue->dev->id, queue->sink.queue, batch->mbufs + sent,
				(uint16_t)(n - sent));
		if (took == 0)
			break;
		sent += took;
	}
	for (uint32_t i = sent; i < n; i++)
		bytes -= batch->mbufs[i]->pkt_len;
	rte_pktmbuf_free_bulk(batch->mbufs + sent, n - sent);
	drop(queue, DROP_RING_FULL, n - sent);
	counter_add(&queue->sink.counters.frames, sent);
	counter_add(&queue->sink.counters.bytes, bytes);
	batch->n = 0;
	batch->prepare = false;
}

/*
 * Has a driver of virtio give back the mbufs of what its device has taken. By itself it does so when
 * its ring is nearly full, and a frame of up to seven mbufs needs one entry of that: the mbufs may be
 * at their end long before, and then no frame would come to it any more. It has no call for this;
 * what no ring has entries for makes it look for room, and is refused. The mbufs are those of all
 * queues: what another queue has that is in use just now, its user will give back.
 */
static void
reclaim_from(const struct ethdev_queue *queue)
{
	struct rte_mbuf endless = { .nb_segs = UINT16_MAX, .refcnt = 1 }, *m = &endless;

	(void)rte_eth_tx_burst(queue->dev->id, queue->sink.queue, &m, 1);
}

static void
reclaim(struct ethdev_queue *own)
{
	reclaim_from(own);
	for (uint16_t i = 0; i < own->dev->queues; i++) {
		struct ethdev_queue *other = &own->dev->queue[i];

		if (other == own || !spinlock_try_lock(&other->sink.lock))
			continue;
		reclaim_from(other);
		spinlock_unlock(&other->sink.lock);
	}
}

static struct rte_mbuf *
make_mbuf(struct ethdev_queue *queue, const struct burst *burst, uint32_t i)
{
	struct rte_mbuf *m = ethdev_mbuf_make(queue->dev, burst, i);

	if (m != NULL || !queue->dev->virtio)
		return m;
	reclaim(queue);
	return ethdev_mbuf_make(queue->dev, burst, i);
}

static void
add_frame(struct ethdev_queue *queue, struct batch *batch, const struct burst *burst, uint32_t i)
{
	struct rte_mbuf *m;

	if (!ethdev_mbuf_fits(queue->dev, burst->frames[i].len)) {
		drop(queue, DROP_TOO_BIG, 1);
		return;
	}
	m = make_mbuf(queue, burst, i);
	if (m == NULL) {
		drop(queue, DROP_RING_FULL, 1);
		return;
	}
	batch->prepare |= burst_has_offload(burst, i);
	batch->mbufs[batch->n++] = m;
	if (batch->n == BURST_MAX)
		send_batch(queue, batch);
}

/*
 * What the device could do and no flag can say is done here: checksums of other protocols than TCP
 * and UDP, and segments of TCP behind extension headers of IPv6.
 */
static void
add_done(struct ethdev_queue *queue, struct batch *batch, const struct burst *burst, uint32_t i)
{
	struct counters *counters = &queue->sink.counters;
	uint32_t first = 0, total;
	struct burst done;

	do {
		total = offload_split(burst, i, 0, first, &done);
		for (uint32_t s = 0; s < done.n; s++)
			add_frame(queue, batch, &done, s);
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
	struct ethdev_queue *queue = ethdev_queue_of_sink(base);
	struct batch batch;

	if (!ethdev_queue_runs(queue)) {
		drop(queue, DROP_NOT_READY, n);
		return NULL;
	}
	batch.n = 0;
	batch.prepare = false;
	for (uint32_t i = 0; i < n; i++) {
		if (burst_has_offload(burst, list[i]) &&
				!ethdev_mbuf_tells(queue->dev, burst, list[i]))
			add_done(queue, &batch, burst, list[i]);
		else
			add_frame(queue, &batch, burst, list[i]);
	}
	if (batch.n > 0)
		send_batch(queue, &batch);
	return NULL;
}

/* place() told the device already. */
const struct sink_ops ethdev_sink_ops = {
	.place = sink_place,
};
