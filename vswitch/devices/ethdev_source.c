/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames from a device's receive queues. Workers, one at a time for each queue.
 *
 * A burst shows the mbufs that the driver gave: views of their data, and the mbufs themselves, of
 * which another device may take references. What a virtio device says of a frame's checksum and
 * segments comes as flags of the mbuf and is turned into a virtio-net header again, so that it passes
 * the same checks as any other sender's.
 */
#include "ethdev.h"

#include <endian.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/copy.h"
#include "datapath/frame_head.h"
#include "offloads/offload.h"

/* True when there are frames. */
static bool
receive(struct ethdev_queue *queue)
{
	queue->n_looked_at = 0;
	queue->n_received = rte_eth_rx_burst(
			queue->dev->id, queue->source.queue, queue->received, BURST_MAX);
	return queue->n_received > 0;
}

/* The virtio-net header that stands for the flags. False when they say what no header can. */
static bool
rebuild_header(const struct rte_mbuf *m, struct virtio_net_hdr *header)
{
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t type = rte_net_get_ptype(m, &lens, RTE_PTYPE_ALL_MASK);
	uint32_t l4 = type & RTE_PTYPE_L4_MASK;

	memset(header, 0, sizeof(*header));
	if (l4 != RTE_PTYPE_L4_TCP && l4 != RTE_PTYPE_L4_UDP)
		return (m->ol_flags & RTE_MBUF_F_RX_LRO) == 0;
	header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header->csum_start = htole16(lens.l2_len + lens.l3_len);
	header->csum_offset = htole16(l4 == RTE_PTYPE_L4_TCP
					? offsetof(struct rte_tcp_hdr, cksum)
					: offsetof(struct rte_udp_hdr, dgram_cksum));
	if ((m->ol_flags & RTE_MBUF_F_RX_LRO) == 0)
		return true;
	header->gso_type = RTE_ETH_IS_IPV4_HDR(type) ? VIRTIO_NET_HDR_GSO_TCPV4
						     : VIRTIO_NET_HDR_GSO_TCPV6;
	header->gso_size = htole16(m->tso_segsz);
	header->hdr_len = htole16(lens.l2_len + lens.l3_len + lens.l4_len);
	return true;
}

static bool
needs_anything(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_LRO) != 0 ||
			(m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

static bool
read_offload(const struct ethdev *dev, const struct rte_mbuf *m, struct burst *burst, uint32_t i)
{
	struct virtio_net_hdr header;

	if (dev->gives == 0 || !needs_anything(m))
		return true;
	return rebuild_header(m, &header) && offload_read(burst, i, &header, dev->gives);
}

static void
view(const struct rte_mbuf *m, struct frame_segment *segments, struct frame *frame)
{
	frame->segments = segments;
	frame->n_segments = 0;
	frame->len = 0;
	for (; m != NULL; m = m->next) {
		segments[frame->n_segments].data = rte_pktmbuf_mtod(m, const uint8_t *);
		segments[frame->n_segments++].len = m->data_len;
		frame->len += m->data_len;
	}
	if (frame->segments->len >= FRAME_HEAD_LEN)
		copy_64(frame->head, frame->segments->data);
	else
		frame_gather_head(frame);
}

/* Frees what the burst cannot show, which is counted as `reason`. */
static void
refuse(struct ethdev_queue *queue, struct rte_mbuf *m, enum drop_reason reason)
{
	source_count_bad(&queue->source, reason);
	rte_pktmbuf_free(m);
}

/* How far a burst is filled. */
struct filling {
	uint32_t n_segments;
	uint32_t wire_frames;
	uint64_t bytes;
};

/* Shows one more frame, if there is one and the burst has room for it. */
static bool
show_next(struct ethdev_queue *queue, struct burst *burst, struct filling *filling)
{
	struct frame *frame = &burst->frames[burst->n];
	struct rte_mbuf *m;

	if (queue->n_looked_at == queue->n_received || filling->bytes >= BURST_BYTES_MAX ||
			filling->wire_frames >= BURST_WIRE_FRAMES_MAX)
		return false;
	m = queue->received[queue->n_looked_at];
	if (m->nb_segs > BURST_SEGMENTS_MAX - filling->n_segments && filling->n_segments > 0)
		return false;
	queue->n_looked_at++;
	if (m->nb_segs > BURST_SEGMENTS_MAX) {
		refuse(queue, m, DROP_BAD_CHAIN);
		return true;
	}
	view(m, &burst->segments[filling->n_segments], frame);
	if (!read_offload(queue->dev, m, burst, burst->n)) {
		refuse(queue, m, DROP_BAD_OFFLOAD);
		return true;
	}
	filling->n_segments += frame->n_segments;
	filling->wire_frames += offload_count(burst, burst->n);
	filling->bytes += frame->len;
	queue->taken[burst->n++] = m;
	return true;
}

static uint32_t
source_take(struct source *base, struct burst *burst)
{
	struct ethdev_queue *queue = ethdev_queue_of_source(base);
	struct filling filling = { 0 };
	uint32_t first;

	if (!ethdev_queue_runs(queue))
		return 0;
	if (queue->n_looked_at == queue->n_received && !receive(queue))
		return 0;
	first = queue->n_looked_at;
	burst->n = 0;
	burst->longest = 0;
	burst->offload_mask = 0;
	burst->mbufs = queue->dev->shares ? queue->taken : NULL;
	while (show_next(queue, burst, &filling))
		;
	for (uint32_t i = 0; i < burst->n; i++)
		burst->longest = RTE_MAX(burst->longest, burst_wire_len(burst, i));
	queue->n_taken = burst->n;
	counter_add(&base->counters.frames, burst->n);
	counter_add(&base->counters.bytes, filling.bytes);
	return queue->n_looked_at - first;
}

static void
source_complete(struct source *base)
{
	struct ethdev_queue *queue = ethdev_queue_of_source(base);

	rte_pktmbuf_free_bulk(queue->taken, queue->n_taken);
	queue->n_taken = 0;
}

static bool
source_arm(struct source *base)
{
	struct ethdev_queue *queue = ethdev_queue_of_source(base);

	if (!ethdev_queue_runs(queue) || !queue->dev->interrupts)
		return true;
	rte_eth_dev_rx_intr_enable(queue->dev->id, base->queue);
	/* What came before that caused no interrupt: the next take() shows it. */
	return !receive(queue);
}

static void
source_disarm(struct source *base)
{
	struct ethdev_queue *queue = ethdev_queue_of_source(base);

	if (!ethdev_queue_runs(queue) || !queue->dev->interrupts)
		return;
	rte_eth_dev_rx_intr_disable(queue->dev->id, base->queue);
}

const struct source_ops ethdev_source_ops = {
	.take = source_take,
	.complete = source_complete,
	.arm = source_arm,
	.disarm = source_disarm,
};
