/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device opens has one user; see ethdev_port.h. DPDK compares the names of devices only, and two
 * of them on one interface, or at both ends of one socket, send each frame round for ever.
 */
#include "ethdev_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>

#include "devices/ethdev_args.h"
#include "text/text.h"

#define VALUE_MAX PORT_PATH_MAX

/* Arguments whose value is a file of one user. */
static const char *const files[] = { "path", "socket", "tx_pcap" };

/* The same text, or the same file. */
static bool
same_file(const char *a, const char *b)
{
	struct stat first, second;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
			first.st_ino == second.st_ino;
}

/* Whether both have this argument, which is a file, and it is the same one. */
static bool
share_file(const char *devargs, const char *other, const char *key)
{
	char a[VALUE_MAX], b[VALUE_MAX];

	return ethdev_args_value(devargs, key, a, sizeof(a)) &&
			ethdev_args_value(other, key, b, sizeof(b)) && same_file(a, b);
}

/* memif connects interfaces of one number, 0 by default, over a socket of many. */
static bool
share_number(const char *devargs, const char *other)
{
	char a[VALUE_MAX], b[VALUE_MAX];

	if (!ethdev_args_value(devargs, "id", a, sizeof(a)))
		snprintf(a, sizeof(a), "0");
	if (!ethdev_args_value(other, "id", b, sizeof(b)))
		snprintf(b, sizeof(b), "0");
	return strcmp(a, b) == 0;
}

/* The file that both open; NULL: there is none. */
static const char *
shared_file(const char *devargs, const char *other)
{
	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!share_file(devargs, other, files[i]))
			continue;
		if (strcmp(files[i], "socket") != 0 || share_number(devargs, other))
			return files[i];
	}
	return NULL;
}

bool
ethdev_port_interface(const struct port *base, char ifname[IFNAMSIZ])
{
	const struct ethdev_port *port = ethdev_port(base);
	struct port_device device = { 0 };

	ifname[0] = '\0';
	(void)ethdev_args_value(base->settings.devargs, "iface", ifname, IFNAMSIZ);
	if (!base->starting && !base->awaits && !port->status.gone) {
		ethdev_info(&port->dev, &port->status, &device);
		snprintf(ifname, IFNAMSIZ, "%s", device.ifname);
	}
	return ifname[0] != '\0';
}

/* A device that is the frontend of a port of this switch brings back each frame that is flooded. */
static int
refuse_loop(const struct port *port, const struct port *other, char *err, size_t err_size)
{
	char path[VALUE_MAX];

	if (other->path[0] == '\0' ||
			!ethdev_args_value(port->settings.devargs, "path", path, sizeof(path)) ||
			!same_file(path, other->path))
		return 0;
	return text_fail(err, err_size, -EINVAL,
			"add-port %s: path=%s is the socket of port %s of this switch, and frames would "
			"go round for ever; give that of a port of another switch",
			port->name, path, other->name);
}

static int
refuse_file(const struct port *port, const struct port *other, char *err, size_t err_size)
{
	char value[VALUE_MAX];
	const char *key;

	if (other->ops != port->ops)
		return 0;
	key = shared_file(port->settings.devargs, other->settings.devargs);
	if (key == NULL)
		return 0;
	(void)ethdev_args_value(port->settings.devargs, key, value, sizeof(value));
	return text_fail(err, err_size, -EEXIST,
			"add-port %s: port %s has %s=%s already; delete that port first, or name "
			"another",
			port->name, other->name, key, value);
}

int
ethdev_port_refuse_second(const struct port *port, char *err, size_t err_size)
{
	char ifname[IFNAMSIZ];
	const struct port *other;
	int ret = 0;

	if (ethdev_args_value(port->settings.devargs, "iface", ifname, sizeof(ifname)))
		ret = port_refuse_interface(port, ifname, err, err_size);
	for (other = port_table_first(); ret == 0 && other != NULL;
			other = TAILQ_NEXT(other, link)) {
		if (other == port)
			continue;
		ret = refuse_loop(port, other, err, err_size);
		if (ret == 0)
			ret = refuse_file(port, other, err, err_size);
	}
	return ret;
}
