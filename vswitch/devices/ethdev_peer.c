/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_peer.h. */
#include "ethdev_peer.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "ethdev_args.h"
#include "system/socket_file.h"
#include "text/text.h"

#define PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)

static bool
is_driver(const char *name, const char *driver)
{
	return strncmp(name, driver, strlen(driver)) == 0;
}

/* memif's default is the client. */
static bool
memif_listens(const char *devargs)
{
	char role[16];

	return ethdev_args_value(devargs, "role", role, sizeof(role)) &&
			(strstr(role, "server") != NULL || strstr(role, "master") != NULL);
}

static bool
memif_has_file(const char *devargs)
{
	char abstract[8];

	return ethdev_args_value(devargs, "socket-abstract", abstract, sizeof(abstract)) &&
			strcmp(abstract, "no") == 0;
}

/* Unless it is known that nobody is. */
static bool
is_bound(const char *path)
{
	return socket_file_probe(path) != -ECONNREFUSED;
}

static int
check_peer(const char *driver, const char *path, char *err, size_t err_size)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && is_bound(path))
		return 0;
	return text_fail(err, err_size, -ENOENT,
			"%s: nobody listens on %s; start the other side first", driver, path);
}

/* The driver would fail at the directory and keep the device's name. */
static int
check_directory(const char *path, char *err, size_t err_size)
{
	char copy[PATH_SIZE];

	snprintf(copy, sizeof(copy), "%s", path);
	if (access(dirname(copy), W_OK | X_OK) == 0)
		return 0;
	return text_fail(err, err_size, -errno,
			"no socket can be made at %s: %s; make its directory, or name another one",
			path, strerror(errno));
}

/* The driver lets several of its devices share a socket. */
static bool
is_ours(const char *path)
{
	struct rte_eth_dev_info info;
	char other[PATH_SIZE];
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		const struct rte_devargs *devargs;

		if (rte_eth_dev_info_get(id, &info) != 0 || info.device == NULL)
			continue;
		devargs = rte_dev_devargs(info.device);
		if (devargs != NULL && is_driver(devargs->name, "net_memif") &&
				ethdev_args_value(devargs->args, "socket", other, sizeof(other)) &&
				strcmp(path, other) == 0)
			return true;
	}
	return false;
}

static int
check_place(const char *path, char *err, size_t err_size)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return check_directory(path, err, err_size);
	if (!S_ISSOCK(st.st_mode))
		return text_fail(err, err_size, -EEXIST,
				"%s is no socket; remove it, or name another path", path);
	if (is_bound(path))
		return is_ours(path)
				? 0
				: text_fail(err, err_size, -EADDRINUSE,
						  "another program listens on %s already; end it, or name another path",
						  path);
	if (unlink(path) != 0)
		return text_fail(err, err_size, -errno,
				"%s was left behind by a program that has ended, and cannot be "
				"removed: %s; remove it",
				path, strerror(errno));
	return 0;
}

int
ethdev_peer_check(const char *driver, const char *devargs, char *err, size_t err_size)
{
	char path[PATH_SIZE];

	if (is_driver(driver, "net_virtio_user") &&
			ethdev_args_value(devargs, "path", path, sizeof(path)) &&
			strncmp(path, "/dev/", strlen("/dev/")) != 0)
		return check_peer(driver, path, err, err_size);
	if (!is_driver(driver, "net_memif") || !memif_has_file(devargs) ||
			!ethdev_args_value(devargs, "socket", path, sizeof(path)))
		return 0;
	return memif_listens(devargs) ? check_place(path, err, err_size)
				      : check_peer(driver, path, err, err_size);
}

bool
ethdev_peer_is_called(const char *driver, const char *devargs)
{
	if (is_driver(driver, "net_memif"))
		return !memif_listens(devargs);
	return is_driver(driver, "net_virtio_user") && strstr(devargs, ",path=/dev/") == NULL;
}
