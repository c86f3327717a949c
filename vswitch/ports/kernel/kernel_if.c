/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel port's interface: its configuration, all or nothing. Helper thread; see kernel_port.h. */
#include "kernel_port.h"

#include <errno.h>
#include <string.h>

#include "text/text.h"

void
kernel_if_found(const struct netif_link *link, struct kernel_config *config)
{
	*config = (struct kernel_config){ .mtu = link->mtu, .up = link->up };
	memcpy(config->mac, link->mac, sizeof(config->mac));
}

void
kernel_if_addresses(const struct port_settings *settings, struct kernel_config *config)
{
	memcpy(config->addresses, settings->ip.list, sizeof(config->addresses));
	config->n_addresses = settings->ip.n;
}

/*
 * Addresses come last: a lower MTU and an interface that goes down take some of them away. They are
 * asked for even if they stay the same.
 */
static int
apply_once(struct netif *n, uint32_t index, const struct kernel_config *from,
		const struct kernel_config *to, char *err, size_t err_size)
{
	int ret = 0;

	if (from->mtu != to->mtu)
		ret = netif_set_mtu(n, index, to->mtu, err, err_size);
	if (ret == 0 && memcmp(from->mac, to->mac, sizeof(to->mac)) != 0)
		ret = netif_set_mac(n, index, to->mac, err, err_size);
	if (ret == 0 && from->up != to->up)
		ret = netif_set_up(n, index, to->up, err, err_size);
	if (ret == 0 && from->n_addresses + to->n_addresses > 0)
		ret = netif_change_addresses(n, index, from->addresses, from->n_addresses,
				to->addresses, to->n_addresses, err, err_size);
	return ret;
}

int
kernel_if_apply(struct netif *n, uint32_t index, const struct kernel_config *from,
		const struct kernel_config *to, char *err, size_t err_size)
{
	int ret = apply_once(n, index, from, to, err, err_size);

	if (ret < 0)
		apply_once(n, index, to, from, NULL, 0);
	return ret;
}

static int
refuse(const char *option, char *err, size_t err_size)
{
	return text_fail(err, err_size, -EPERM,
			"%s needs CAP_NET_ADMIN, which this vswitchd does not have; set it on the "
			"interface as root and leave %s out, or start vswitchd with that "
			"capability",
			option, option);
}

int
kernel_if_refuse(const struct port_settings *settings, const struct netif_link *link, char *err,
		size_t err_size)
{
	struct port_settings usual;

	port_settings_default(&usual);
	if (settings->ip.n > 0)
		return refuse("ip", err, err_size);
	if (settings->netns[0] != '\0')
		return text_fail(err, err_size, -EPERM,
				"netns needs CAP_NET_ADMIN and CAP_SYS_ADMIN, which this vswitchd does "
				"not have; leave netns out and start vswitchd in that namespace, or "
				"start it with these capabilities");
	if (link == NULL)
		return 0;
	if (settings->mac.given && memcmp(settings->mac.bytes, link->mac, sizeof(link->mac)) != 0)
		return refuse("mac", err, err_size);
	if (settings->mtu != usual.mtu && settings->mtu != link->mtu)
		return refuse("mtu", err, err_size);
	return 0;
}
