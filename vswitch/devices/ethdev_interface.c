/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_interface.h. */
#include "ethdev_interface.h"

#include <errno.h>
#include <string.h>

#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket to ask by, and the interface's name in a request. -errno; -ENODEV: it is gone. */
static int
open_request(unsigned int index, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), why;

	if (fd < 0)
		return -errno;
	*request = (struct ifreq){ .ifr_ifindex = (int)index };
	if (ioctl(fd, SIOCGIFNAME, request) == 0)
		return fd;
	why = errno;
	close(fd);
	return why == ENXIO ? -ENODEV : -why;
}

static int
ask(int fd, unsigned long what, struct ifreq *request)
{
	return ioctl(fd, what, request) == 0 ? 0 : -errno;
}

int
ethdev_interface_look(unsigned int index, struct netif_link *found)
{
	struct netif *n;
	int ret = netif_open(-1, &n, NULL, 0);

	if (ret < 0)
		return ret;
	ret = netif_get(n, index, found, NULL, 0);
	netif_close(n);
	return ret;
}

int
ethdev_interface_set_mtu(unsigned int index, uint32_t mtu)
{
	struct ifreq request;
	int fd = open_request(index, &request), ret;

	if (fd < 0)
		return fd;
	request.ifr_mtu = (int)mtu;
	ret = ask(fd, SIOCSIFMTU, &request);
	close(fd);
	return ret;
}

int
ethdev_interface_set_mac(unsigned int index, const uint8_t mac[6])
{
	struct ifreq request;
	int fd = open_request(index, &request), ret;

	if (fd < 0)
		return fd;
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, mac, 6);
	ret = ask(fd, SIOCSIFHWADDR, &request);
	close(fd);
	return ret;
}

int
ethdev_interface_set_flag(unsigned int index, short flag, bool on)
{
	struct ifreq request;
	int fd = open_request(index, &request), ret;

	if (fd < 0)
		return fd;
	ret = ask(fd, SIOCGIFFLAGS, &request);
	if (ret == 0 && ((request.ifr_flags & flag) != 0) != on) {
		request.ifr_flags = (short)(on ? request.ifr_flags | flag
					       : request.ifr_flags & ~flag);
		ret = ask(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
	return ret;
}
