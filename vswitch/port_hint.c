/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_hint.h. The stations of hints are in 10.0.0.0/16, and the first one answers. */
#include "port_hint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The first port's station answers, the others' ping it; each has an address of its own. */
static void
hint_vhost_user(const struct port *port, char *text, size_t size)
{
	bool connects = port_settings(port)->connect[0] != '\0';
	uint32_t station = port_id(port) + 1u;

	snprintf(text, size, "try: vuser-client %s--path %s --ip 10.0.%u.%u/16 %s",
			connects ? "--server " : "", port_path(port), station / 256, station % 256,
			station == 1 ? "respond" : "ping 10.0.0.1");
}

/* The first host of an IPv4 network, or the second where the first is the interface itself. */
static bool
find_neighbour(const struct port_settings *settings, char text[INET_ADDRSTRLEN])
{
	const struct port_address *ip;
	struct in_addr neighbour;
	uint32_t own, network, i;

	for (i = 0; i < settings->n_ips; i++) {
		ip = &settings->ips[i];
		if (ip->family != AF_INET || ip->prefix_len > 30)
			continue;
		own = ntohl(ip->in.s_addr);
		network = own & ~(UINT32_MAX >> ip->prefix_len);
		neighbour.s_addr = htonl(network + (own == network + 1 ? 2 : 1));
		return inet_ntop(AF_INET, &neighbour, text, INET_ADDRSTRLEN) != NULL;
	}
	return false;
}

static void
hint_kernel(const struct port *port, char *text, size_t size)
{
	const struct port_settings *settings = port_settings(port);
	const char *ifname = settings->ifname[0] != '\0' ? settings->ifname : port_name(port);
	char inside[PORT_PATH_MAX + 32] = "", neighbour[INET_ADDRSTRLEN];

	if (settings->netns[0] == '/')
		snprintf(inside, sizeof(inside), "nsenter --net=%s ", settings->netns);
	else if (settings->netns[0] != '\0')
		snprintf(inside, sizeof(inside), "ip netns exec %s ", settings->netns);
	if (find_neighbour(settings, neighbour))
		snprintf(text, size, "try: %sping %s", inside, neighbour);
	else
		snprintf(text, size, "try: %sip address show dev %s", inside, ifname);
}

void
port_hint(const struct port *port, char *text, size_t size)
{
	if (strcmp(port_type(port), "vhost-user") == 0)
		hint_vhost_user(port, text, size);
	else if (strcmp(port_type(port), "kernel") == 0)
		hint_kernel(port, text, size);
	else
		snprintf(text, size, "try: vswitchctl show-port %s", port_name(port));
}
