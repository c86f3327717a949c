/* SPDX-License-Identifier: BSD-3-Clause */
/* See relay.h. */
#include "relay.h"

#include <rte_net.h>

bool
relay_is_verified(const struct rte_mbuf *m)
{
	uint64_t l4 = m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

static uint64_t
send_flags(const struct rte_mbuf *m, uint32_t type)
{
	uint32_t l4 = type & RTE_PTYPE_L4_MASK;
	uint64_t flags = 0;

	if (RTE_ETH_IS_IPV4_HDR(type))
		flags = RTE_MBUF_F_TX_IPV4;
	else if (RTE_ETH_IS_IPV6_HDR(type))
		flags = RTE_MBUF_F_TX_IPV6;
	if (flags == 0)
		return 0;
	if (l4 == RTE_PTYPE_L4_UDP)
		return flags | RTE_MBUF_F_TX_UDP_CKSUM;
	if (l4 != RTE_PTYPE_L4_TCP)
		return 0;
	if ((m->ol_flags & RTE_MBUF_F_RX_LRO) != 0)
		flags |= RTE_MBUF_F_TX_TCP_SEG;
	return flags | RTE_MBUF_F_TX_TCP_CKSUM;
}

bool
relay_prepare(struct rte_mbuf *m)
{
	struct rte_net_hdr_lens lens;
	uint64_t flags;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_NONE) {
		m->ol_flags = 0;
		return true;
	}
	flags = send_flags(m, rte_net_get_ptype(m, &lens, RTE_PTYPE_ALL_MASK));
	m->l2_len = lens.l2_len;
	m->l3_len = lens.l3_len;
	m->l4_len = lens.l4_len;
	m->ol_flags = flags;
	return flags != 0;
}
