/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See hint.h. The stations of hints are in the network of the first kernel port that has one,
 * else in 10.0.0.0/16. The first frontend answers, the others ping it; a port that is named like a
 * virtual machine gets the options of QEMU's command line.
 */
#include "hint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* An IPv4 network, in the host's byte order. */
struct network {
	uint32_t address;
	uint8_t prefix_len;
};

static uint32_t
host_mask(uint8_t prefix_len)
{
	return UINT32_MAX >> prefix_len;
}

static uint32_t
ipv4_of(const struct prefix *prefix)
{
	uint32_t address;

	memcpy(&address, prefix->address, sizeof(address));
	return ntohl(address);
}

/* The first network of an interface's addresses that has room for a neighbour. */
static bool
network_of(const struct port *port, struct network *network)
{
	const struct port_settings *settings = port_settings(port);
	const struct prefix *ip;
	uint32_t i;

	for (i = 0; i < settings->ip.n; i++) {
		ip = &settings->ip.list[i];
		if (ip->family != AF_INET || ip->len > 30)
			continue;
		network->address = ipv4_of(ip) & ~host_mask(ip->len);
		network->prefix_len = ip->len;
		return true;
	}
	return false;
}

/* How many addresses from `first` to `last` interfaces of the switch have. */
static uint32_t
count_taken(uint32_t first, uint32_t last)
{
	const struct port_settings *settings;
	const struct port *port;
	uint32_t address, taken = 0, i;

	for (port = port_first(); port != NULL; port = port_next(port)) {
		settings = port_settings(port);
		for (i = 0; i < settings->ip.n; i++) {
			address = ipv4_of(&settings->ip.list[i]);
			if (settings->ip.list[i].family == AF_INET && address >= first &&
					address <= last)
				taken++;
		}
	}
	return taken;
}

/* The station of this rank, from 1: of the hosts that no interface is; false: no such host. */
static bool
find_station(const struct network *network, uint32_t rank, char text[INET_ADDRSTRLEN])
{
	uint32_t last = network->address + host_mask(network->prefix_len) - 1;
	uint32_t before, host = network->address;
	struct in_addr station;

	do {
		before = host;
		host = network->address + rank + count_taken(network->address + 1, before);
	} while (host != before && host <= last);
	station.s_addr = htonl(host);
	return host <= last && inet_ntop(AF_INET, &station, text, INET_ADDRSTRLEN) != NULL;
}

/* The rank of a frontend among those of lower or the same id. */
static uint32_t
rank_of(const struct port *port)
{
	const struct port *other;
	uint32_t rank = 1;

	for (other = port_first(); other != NULL; other = port_next(other))
		rank += strcmp(port_type(other), "vhost-user") == 0 &&
				port_id(other) < port_id(port);
	return rank;
}

/* The network of the oldest kernel port that has room for `rank` stations. */
static struct network
choose_network(uint32_t rank)
{
	struct network chosen = { .address = 10u << 24, .prefix_len = 16 }, network;
	const struct port *port;
	uint32_t id = PORTS_MAX;
	char text[INET_ADDRSTRLEN];

	for (port = port_first(); port != NULL; port = port_next(port)) {
		if (port_id(port) >= id || !network_of(port, &network) ||
				!find_station(&network, rank, text))
			continue;
		chosen = network;
		id = port_id(port);
	}
	return chosen;
}

/* Whether the port is called as ports of virtual machines are. */
static bool
is_named_like_guest(const struct port *port)
{
	static const char *const starts[] = { "vm", "guest", "kvm", "qemu" };
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncasecmp(port_name(port), starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/*
 * What QEMU needs for this port; the guest's own disk and the like come in place of the dots. Each
 * has an address of its own, since QEMU gives one and the same to the first card of every guest.
 */
static void
hint_guest(const struct port *port, char *text, size_t size)
{
	bool serves = port_settings(port)->connect[0] == '\0';

	snprintf(text, size,
			"try: qemu-system-x86_64 -accel kvm -m 512"
			" -machine q35,memory-backend=mem"
			" -object memory-backend-memfd,id=mem,size=512M,share=on"
			" -chardev socket,id=c0,path=%s,%s -netdev vhost-user,id=n0,chardev=c0"
			" -device virtio-net-pci,netdev=n0,mac=52:54:00:00:%02x:%02x ...",
			port_path(port), serves ? QEMU_RECONNECT : "server=on,wait=off",
			port_id(port) >> 8 & 0xff, port_id(port) & 0xff);
}

static void
hint_vhost_user(const struct port *port, char *text, size_t size)
{
	const char *server = port_settings(port)->connect[0] != '\0' ? "--server " : "";
	uint32_t rank = rank_of(port);
	struct network network = choose_network(rank);
	char own[INET_ADDRSTRLEN] = "", first[INET_ADDRSTRLEN] = "";

	find_station(&network, rank, own);
	find_station(&network, 1, first);
	snprintf(text, size, "try: vuser-client %s--path %s --ip %s/%u %s%s", server,
			port_path(port), own, network.prefix_len, rank == 1 ? "respond" : "ping ",
			rank == 1 ? "" : first);
}

static void
hint_kernel(const struct port *port, char *text, size_t size)
{
	const struct port_settings *settings = port_settings(port);
	const char *ifname = settings->ifname[0] != '\0' ? settings->ifname : port_name(port);
	char inside[PORT_PATH_MAX + 32] = "", neighbour[INET_ADDRSTRLEN];
	struct network network;

	if (settings->netns[0] == '/')
		snprintf(inside, sizeof(inside), "nsenter --net=%s ", settings->netns);
	else if (settings->netns[0] != '\0')
		snprintf(inside, sizeof(inside), "ip netns exec %s ", settings->netns);
	if (network_of(port, &network) && find_station(&network, 1, neighbour))
		snprintf(text, size, "try: %sping %s", inside, neighbour);
	else
		snprintf(text, size, "try: %sip address show dev %s", inside, ifname);
}

void
hint_for_port(const struct port *port, char *text, size_t size)
{
	if (strcmp(port_type(port), "vhost-user") == 0 && is_named_like_guest(port))
		hint_guest(port, text, size);
	else if (strcmp(port_type(port), "vhost-user") == 0)
		hint_vhost_user(port, text, size);
	else if (strcmp(port_type(port), "kernel") == 0)
		hint_kernel(port, text, size);
	else
		snprintf(text, size, "try: vswitchctl show-port %s", port_name(port));
}
