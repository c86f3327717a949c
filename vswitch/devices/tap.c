/* SPDX-License-Identifier: BSD-3-Clause */
/* See tap.h. */
#include "tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "text/text.h"

#define DEVICE "/dev/net/tun"

/* Whoever attaches with other features changes those of the interface; so all ask for these. */
#define FEATURES (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE)

static int
open_failed(char *err, size_t err_size)
{
	int why = errno;
	struct stat status;

	if (why == ENOENT || why == ENODEV || why == ENXIO)
		return text_fail(err, err_size, -why,
				"%s: %s: the kernel's module tun is not loaded, or this container "
				"was not given the device; `modprobe tun`, or start the container "
				"with --device %s",
				DEVICE, strerror(why), DEVICE);
	if ((why == EACCES || why == EPERM) && stat(DEVICE, &status) == 0)
		return text_fail(err, err_size, -why,
				"%s: user %u may not read and write it (mode %04o, owner %u:%u); "
				"`setfacl -m u:%u:rw %s`, or `chmod 0666 %s`, as root",
				DEVICE, geteuid(), status.st_mode & 07777, status.st_uid,
				status.st_gid, geteuid(), DEVICE, DEVICE);
	return text_fail(err, err_size, -why, "%s: cannot be opened: %s", DEVICE, strerror(why));
}

/* What the administrator should have typed. */
static int
refuse_existing(const char *name, const char *what, char *err, size_t err_size)
{
	return text_fail(err, err_size, -EBUSY,
			"interface %s %s; choose another --ifname, or make it anew: `ip link del "
			"%s; ip tuntap add dev %s mode tap multi_queue vnet_hdr user %u`",
			name, what, name, name, geteuid());
}

int
tap_check(struct netif *n, const char *name, char *err, size_t err_size)
{
	struct netif_link link;
	int ret = netif_find(n, name, &link, err, err_size);

	if (ret < 0)
		return ret == -ENODEV ? 0 : ret;
	if (!link.is_tun || !link.tun.tap)
		return text_fail(err, err_size, -EEXIST,
				"interface %s exists already and is no TAP (its kind is %s); "
				"choose another --ifname",
				name, link.kind[0] != '\0' ? link.kind : "hardware or loopback");
	if (!link.tun.multi_queue)
		return refuse_existing(
				name, "is a TAP that was made without multi_queue", err, err_size);
	if (link.tun.queues > 0)
		return text_fail(err, err_size, -EBUSY,
				"interface %s is a TAP that a program uses already; choose another "
				"--ifname, or stop that program",
				name);
	return 1;
}

static int
attach_failed(const char *name, int why, bool exists, char *err, size_t err_size)
{
	if (why == EPERM && exists)
		return refuse_existing(
				name, "is a TAP that was made for another user", err, err_size);
	if (why == EPERM)
		return text_fail(err, err_size, -why,
				"interface %s cannot be made without CAP_NET_ADMIN; have root "
				"`ip tuntap add dev %s mode tap multi_queue vnet_hdr user %u`, or "
				"start vswitchd with that capability",
				name, name, geteuid());
	return text_fail(err, err_size, -why, "interface %s: the kernel makes no TAP of it: %s",
			name, strerror(why));
}

/* What holds for the whole interface; repeated for each queue, which does no harm. */
static int
set_header(int fd)
{
	const int header_len = TAP_HEADER_LEN, little_endian = 1, buffer = INT_MAX;

	if (ioctl(fd, TUNSETVNETHDRSZ, &header_len) < 0 ||
			ioctl(fd, TUNSETVNETLE, &little_endian) < 0 ||
			ioctl(fd, TUNSETSNDBUF, &buffer) < 0)
		return -errno;
	return 0;
}

/* Adds a queue. `name` is completed. 0 or -errno of TUNSETIFF. */
static int
attach(struct tap *tap, int fd, char name[IFNAMSIZ], int flags)
{
	struct ifreq request = { .ifr_flags = (short)(FEATURES | flags) };

	memcpy(request.ifr_name, name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return -errno;
	memcpy(name, request.ifr_name, IFNAMSIZ);
	tap->fds[tap->queues++] = fd;
	return 0;
}

/* The first queue: a new interface, or else one that exists. */
static int
attach_first(struct tap *tap, struct netif *n, int fd, char name[IFNAMSIZ], char *err,
		size_t err_size)
{
	int ret = attach(tap, fd, name, IFF_TUN_EXCL);

	tap->adopted = ret == -EBUSY;
	if (!tap->adopted)
		return ret < 0 ? attach_failed(name, -ret, false, err, err_size) : 0;
	ret = tap_check(n, name, err, err_size);
	if (ret < 0)
		return ret;
	ret = attach(tap, fd, name, 0);
	return ret < 0 ? attach_failed(name, -ret, true, err, err_size) : 0;
}

static int
open_queue(struct tap *tap, struct netif *n, char name[IFNAMSIZ], char *err, size_t err_size)
{
	int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), ret;

	if (fd < 0)
		return open_failed(err, err_size);
	if (tap->queues == 0) {
		ret = attach_first(tap, n, fd, name, err, err_size);
	} else {
		ret = attach(tap, fd, name, 0);
		if (ret < 0)
			attach_failed(name, -ret, true, err, err_size);
	}
	if (ret < 0) {
		close(fd);
		return ret;
	}
	ret = set_header(fd);
	if (ret < 0)
		text_fail(err, err_size, ret, "interface %s: no virtio-net header: %s", name,
				strerror(-ret));
	return ret;
}

int
tap_open(struct tap *tap, struct netif *n, const char *name, uint32_t queues, char *err,
		size_t err_size)
{
	char made[IFNAMSIZ] = { 0 };

	*tap = (struct tap){ 0 };
	snprintf(made, sizeof(made), "%s", name);
	while (tap->queues < queues) {
		int ret = open_queue(tap, n, made, err, err_size);

		if (ret < 0) {
			tap_close(tap);
			return ret;
		}
	}
	return 0;
}

void
tap_close(struct tap *tap)
{
	while (tap->queues > 0)
		close(tap->fds[--tap->queues]);
}

int
tap_name(const struct tap *tap, char name[IFNAMSIZ])
{
	struct ifreq request = { 0 };

	if (ioctl(tap->fds[0], TUNGETIFF, &request) < 0)
		return -errno;
	memcpy(name, request.ifr_name, IFNAMSIZ);
	return 0;
}

int
tap_set_offload(const struct tap *tap, bool on)
{
	unsigned long features = on ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;

	return ioctl(tap->fds[0], TUNSETOFFLOAD, features) < 0 ? -errno : 0;
}

int
tap_set_carrier(const struct tap *tap, bool on)
{
	int carrier = on;

	return ioctl(tap->fds[0], TUNSETCARRIER, &carrier) < 0 ? -errno : 0;
}

/* A descriptor of this process by its number in words; true if it is one of the TAP. */
static bool
is_tap(const char *number, const char *name, int *fd)
{
	char path[PATH_MAX], target[sizeof(DEVICE)];
	struct tap tap = { .queues = 1 };
	char found[IFNAMSIZ];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", number);
	len = readlink(path, target, sizeof(target));
	if (len != (ssize_t)strlen(DEVICE) || memcmp(target, DEVICE, (size_t)len) != 0)
		return false;
	*fd = (int)strtoul(number, NULL, 10);
	tap.fds[0] = *fd;
	return tap_name(&tap, found) == 0 && strcmp(found, name) == 0;
}

int
tap_find(struct tap *tap, const char *name)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int ret = -ENOENT;

	if (directory == NULL)
		return -errno;
	while (ret != 0 && (entry = readdir(directory)) != NULL) {
		int fd;

		if (!is_tap(entry->d_name, name, &fd))
			continue;
		*tap = (struct tap){ .queues = 1, .fds = { fd } };
		ret = 0;
	}
	closedir(directory);
	return ret;
}
