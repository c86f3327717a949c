/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See ethdev_mbuf.h.
 *
 * An mbuf that came from a device may be on its way to several: then they share it, and neither its
 * data nor its flags may be written to. Drivers see that from the reference count. So a frame that
 * needs nothing is sent as it is, and one that needs flags, or whose first bytes were changed, gets
 * an mbuf of its own in front of it.
 */
#include "ethdev_mbuf.h"

#include <netinet/in.h>
#include <stddef.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/copy.h"
#include "offloads/offload_headers.h"

/* Mbufs of a copied frame: FRAME_LEN_MAX bytes in mbufs of at least 2 KiB. */
#define CHAIN_MAX 40

/* m->l3_len has so many bits; a checksum farther away is computed here. */
#define MBUF_L3_LEN_MAX ((1u << RTE_MBUF_L3_LEN_BITS) - 1)

bool
ethdev_mbuf_fits(const struct ethdev *dev, uint32_t len)
{
	return dev->chains || len <= dev->room;
}

/* The transport protocol of the frame when its header comes right after IP's; 0 when not. */
static uint8_t
protocol_at(const uint8_t *headers, uint32_t network, uint32_t transport)
{
	const uint8_t *ip = headers + network;

	if (ip[0] >> 4 == 4)
		return transport == network + (ip[0] & 0xfu) * 4 ? ip[IPV4_PROTOCOL] : 0;
	return transport == network + IPV6_LEN ? ip[IPV6_NEXT_HEADER] : 0;
}

bool
ethdev_mbuf_tells(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	const struct frame_offload *offload = &burst->offloads[i];
	const uint8_t *headers = burst->headers[i];
	uint32_t network = headers_network(headers);
	bool tcp = offload->csum_offset == offsetof(struct rte_tcp_hdr, cksum);
	uint8_t protocol;

	if (!tcp && offload->csum_offset != offsetof(struct rte_udp_hdr, dgram_cksum))
		return false;
	if (offload->csum_start < network + IPV4_LEN ||
			offload->csum_start - network > MBUF_L3_LEN_MAX)
		return false;
	/* Virtio is told nothing else than where the sum begins and where it goes. */
	if (dev->virtio)
		return true;
	protocol = protocol_at(headers, network, offload->csum_start);
	return protocol == (tcp ? IPPROTO_TCP : IPPROTO_UDP);
}

static void
set_flags(const struct ethdev *dev, const struct burst *burst, uint32_t i, struct rte_mbuf *m)
{
	const struct frame_offload *offload = &burst->offloads[i];
	uint32_t network = headers_network(burst->headers[i]);
	bool v4 = burst->headers[i][network] >> 4 == 4;

	m->l2_len = network;
	m->l3_len = offload->csum_start - network;
	m->ol_flags |= v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	if (offload->gso_size != 0) {
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
		m->l4_len = offload->header_len - offload->csum_start;
		m->tso_segsz = offload->gso_size;
		/* The device makes an IP header for each segment. */
		if (v4 && dev->ip_checksum)
			m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	} else if (offload->csum_offset == offsetof(struct rte_tcp_hdr, cksum)) {
		m->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
		m->l4_len = sizeof(struct rte_tcp_hdr);
	} else {
		m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
		m->l4_len = sizeof(struct rte_udp_hdr);
	}
}

/* Where the next byte goes, in a chain of empty mbufs. */
struct writer {
	struct rte_mbuf *m;
	uint32_t room; /* of each */
};

/* The chain is long enough for all (alloc_chain()), which the analyzer does not see. */
/* NOLINTBEGIN(clang-analyzer-core.NullDereference) */
static void
write_bytes(struct writer *writer, const uint8_t *data, uint32_t len)
{
	while (len > 0) {
		uint32_t n;

		if (writer->m->data_len == writer->room)
			writer->m = writer->m->next;
		n = RTE_MIN(len, writer->room - writer->m->data_len);
		copy_payload(rte_pktmbuf_mtod_offset(writer->m, uint8_t *, writer->m->data_len),
				data, n);
		writer->m->data_len += n;
		data += n;
		len -= n;
	}
}
/* NOLINTEND(clang-analyzer-core.NullDereference) */

/* Empty mbufs for `len` bytes. */
static struct rte_mbuf *
alloc_chain(const struct ethdev *dev, uint32_t len)
{
	struct rte_mbuf *mbufs[CHAIN_MAX];
	uint32_t n = (len + dev->room - 1) / dev->room;

	if (rte_pktmbuf_alloc_bulk(dev->pool, mbufs, n) != 0)
		return NULL;
	for (uint32_t i = 0; i + 1 < n; i++)
		mbufs[i]->next = mbufs[i + 1];
	mbufs[0]->nb_segs = n;
	mbufs[0]->pkt_len = len;
	return mbufs[0];
}

static struct rte_mbuf *
copy_frame(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	const struct frame *frame = &burst->frames[i];
	struct writer writer = { .m = alloc_chain(dev, frame->len), .room = dev->room };
	struct rte_mbuf *first = writer.m;
	uint32_t skip;
	const uint8_t *head = burst_head(burst, i, &skip);

	if (first == NULL)
		return NULL;
	write_bytes(&writer, head, skip);
	for (uint32_t s = 0; s < frame->n_segments; s++) {
		const struct frame_segment *segment = &frame->segments[s];
		uint32_t cut = RTE_MIN(skip, segment->len);

		write_bytes(&writer, segment->data + cut, segment->len - cut);
		skip -= cut;
	}
	return first;
}

/* References to what comes `skip` bytes after the beginning of `m`, as a chain behind `first`. */
static bool
attach_rest(const struct ethdev *dev, struct rte_mbuf *first, struct rte_mbuf *m, uint32_t skip)
{
	struct rte_mbuf *last = first;

	for (; m != NULL; m = m->next) {
		uint16_t cut = RTE_MIN(skip, m->data_len);
		struct rte_mbuf *part;

		skip -= cut;
		if (cut == m->data_len)
			continue;
		part = rte_pktmbuf_alloc(dev->pool);
		if (part == NULL)
			return false;
		rte_pktmbuf_attach(part, m);
		part->data_off += cut;
		part->data_len -= cut;
		part->next = NULL;
		last->next = part;
		last = part;
		first->nb_segs++;
		first->pkt_len += part->data_len;
	}
	return true;
}

/* First bytes of its own, the rest by reference. */
static struct rte_mbuf *
refer_behind_head(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(dev->pool);
	struct writer writer = { .m = first, .room = dev->room };
	uint32_t len;
	const uint8_t *head = burst_head(burst, i, &len);

	if (first == NULL)
		return NULL;
	write_bytes(&writer, head, len);
	first->pkt_len = len;
	if (attach_rest(dev, first, burst->mbufs[i], len))
		return first;
	rte_pktmbuf_free(first);
	return NULL;
}

/* Nothing of the mbuf has to be changed, and the device can send it. */
static bool
can_share(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	const struct rte_mbuf *m = burst->mbufs[i];

	return !burst_has_offload(burst, i) && (m->nb_segs == 1 || dev->chains) &&
			(m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) == 0;
}

struct rte_mbuf *
ethdev_mbuf_make(const struct ethdev *dev, const struct burst *burst, uint32_t i)
{
	struct rte_mbuf *m;

	if (burst->mbufs != NULL && can_share(dev, burst, i)) {
		rte_pktmbuf_refcnt_update(burst->mbufs[i], 1);
		return burst->mbufs[i];
	}
	if (burst->mbufs != NULL && dev->chains)
		m = refer_behind_head(dev, burst, i);
	else
		m = copy_frame(dev, burst, i);
	if (m != NULL && burst_has_offload(burst, i))
		set_flags(dev, burst, i, m);
	return m;
}
