/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the kernel's description of an interface (rtnetlink(7), IFLA_ attributes). Called for replies
 * on the handle's thread, and for events on the control loop.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <net/if.h>

#include <linux/if.h> /* after net/if.h, which lacks IFF_LOWER_UP */
#include <linux/if_link.h>
#include <linux/if_tun.h>

#include "netif_talk.h"

/* The number in an attribute; 0 if it has an unknown size. */
static uint32_t
number(const struct nlattr *attr)
{
	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attr);
	case sizeof(uint32_t):
		return mnl_attr_get_u32(attr);
	default:
		return 0;
	}
}

static void
read_text(const struct nlattr *attr, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)mnl_attr_get_payload_len(attr), mnl_attr_get_str(attr));
}

static void
read_tun_attribute(const struct nlattr *attr, struct netif_tun *out)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_TUN_OWNER:
		out->has_owner = true;
		out->owner = number(attr);
		break;
	case IFLA_TUN_GROUP:
		out->has_group = true;
		out->group = number(attr);
		break;
	case IFLA_TUN_TYPE:
		out->tap = number(attr) == IFF_TAP;
		break;
	case IFLA_TUN_PI:
		out->packet_info = number(attr) != 0;
		break;
	case IFLA_TUN_VNET_HDR:
		out->vnet_hdr = number(attr) != 0;
		break;
	case IFLA_TUN_PERSIST:
		out->persist = number(attr) != 0;
		break;
	case IFLA_TUN_MULTI_QUEUE:
		out->multi_queue = number(attr) != 0;
		break;
	case IFLA_TUN_NUM_QUEUES:
		out->queues = number(attr);
		break;
	}
}

/* Reads the kind and its own attributes. The kernel sends the kind first. */
static void
read_kind(const struct nlattr *info, struct netif_link *out)
{
	const struct nlattr *attr, *data;

	mnl_attr_for_each_nested (attr, info) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			read_text(attr, out->kind, sizeof(out->kind));
		if (mnl_attr_get_type(attr) != IFLA_INFO_DATA || strcmp(out->kind, "tun") != 0)
			continue;
		out->is_tun = true;
		mnl_attr_for_each_nested (data, attr)
			read_tun_attribute(data, &out->tun);
	}
}

/* Newer kernels may send more counters, older ones fewer. */
static void
read_counters(const struct nlattr *attr, struct netif_link *out)
{
	struct rtnl_link_stats64 counters = { 0 };
	size_t size = mnl_attr_get_payload_len(attr);

	memcpy(&counters, mnl_attr_get_payload(attr),
			size < sizeof(counters) ? size : sizeof(counters));
	out->rx_dropped = counters.rx_dropped;
	out->tx_dropped = counters.tx_dropped;
}

static void
read_attribute(const struct nlattr *attr, struct netif_link *out)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		read_text(attr, out->name, sizeof(out->name));
		break;
	case IFLA_MTU:
		out->mtu = number(attr);
		break;
	case IFLA_MIN_MTU:
		out->min_mtu = number(attr);
		break;
	case IFLA_MAX_MTU:
		out->max_mtu = number(attr);
		break;
	case IFLA_ADDRESS:
		out->has_mac = mnl_attr_get_payload_len(attr) == sizeof(out->mac);
		if (out->has_mac)
			memcpy(out->mac, mnl_attr_get_payload(attr), sizeof(out->mac));
		break;
	case IFLA_STATS64:
		read_counters(attr, out);
		break;
	case IFLA_LINKINFO:
		read_kind(attr, out);
		break;
	}
}

int
netif_link_read(const struct nlmsghdr *message, struct netif_link *out)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	/* other families describe a part only: AF_BRIDGE's DELLINK, that a port leaves a bridge */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
		return -EBADMSG;
	*out = (struct netif_link){
		.index = (uint32_t)info->ifi_index,
		.up = (info->ifi_flags & IFF_UP) != 0,
		.carrier = (info->ifi_flags & IFF_LOWER_UP) != 0,
		.running = (info->ifi_flags & IFF_RUNNING) != 0,
	};
	mnl_attr_for_each (attr, message, sizeof(*info))
		read_attribute(attr, out);
	return 0;
}
