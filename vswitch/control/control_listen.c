/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_listen.h. */
#include "control_listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "system/socket_peer.h"
#include "system/identity.h"
#include "system/socket_file.h"
#include "text/text.h"

/* A crowd of a thousand that connects at once finds room, and whoever comes behind it. */
#define BACKLOG 2048

static int
refuse_taken(const char *path, const char *who, char *err, size_t err_size)
{
	return text_fail(err, err_size, -EADDRINUSE,
			"cannot listen on %s: a program%s already does; stop it, or choose another "
			"path with --control",
			path, who);
}

static int
refuse_connected(int fd, const char *path, char *err, size_t err_size)
{
	pid_t pid = socket_peer_pid(fd);
	char who[32] = "";

	if (pid > 0)
		snprintf(who, sizeof(who), " (pid %d)", (int)pid);
	return refuse_taken(path, who, err, err_size);
}

/* Whether a program serves the socket file: 0 only when certainly none does. */
static int
probe(const struct sockaddr_un *address, char *err, size_t err_size)
{
	const char *path = address->sun_path;
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return text_fail(
				err, err_size, -errno, "cannot make a socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		ret = refuse_connected(fd, path, err, err_size);
	else if (errno == ECONNREFUSED)
		ret = 0;
	else if (errno == EAGAIN || errno == EPROTOTYPE)
		ret = refuse_taken(path, "", err, err_size);
	else
		ret = text_fail(err, err_size, -errno,
				"cannot listen on %s: cannot tell whether a program already does "
				"(%s); remove it, or choose another path with --control",
				path, strerror(errno));
	close(fd);
	return ret;
}

/* Removes what a dead program left at the path. */
static int
clear_path(const struct sockaddr_un *address, char *err, size_t err_size)
{
	const char *path = address->sun_path;
	struct stat st;
	int ret;

	if (lstat(path, &st) != 0)
		return 0; /* bind() will say more */
	if (!S_ISSOCK(st.st_mode))
		return text_fail(err, err_size, -EEXIST,
				"cannot listen on %s: what is there is not a socket; remove it, or "
				"choose another path with --control",
				path);
	ret = probe(address, err, err_size);
	if (ret == 0 && unlink(path) != 0)
		ret = text_fail(err, err_size, -errno,
				"cannot listen on %s: a dead program's socket is there and cannot "
				"be removed (%s); remove it, or choose another path with --control",
				path, strerror(errno));
	return ret;
}

/* The group may be another than the process's, and the umask may have taken rights from it. */
static int
open_to_group(const char *path, gid_t group)
{
	int ret, fd = socket_file_open(path);

	if (fd < 0)
		return fd;
	ret = socket_file_set_access(fd, 0660, (uid_t)-1, group);
	close(fd);
	return ret;
}

/* The file has the mode of the socket from the start, and nobody can connect before listen(). */
static int
bind_private(int fd, const struct sockaddr_un *address, gid_t group)
{
	int ret = 0;

	if (fchmod(fd, 0600) != 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return -errno;
	if (group != (gid_t)-1)
		ret = open_to_group(address->sun_path, group);
	if (ret == 0 && listen(fd, BACKLOG) != 0)
		ret = -errno;
	if (ret != 0)
		(void)unlink(address->sun_path);
	return ret;
}

int
control_listen_open(const char *path, gid_t group, char *err, size_t err_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ret = clear_path(&address, err, err_size);
	if (ret != 0)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = fd >= 0 ? bind_private(fd, &address, group) : -errno;
	if (ret == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	if (ret == -EPERM && group != (gid_t)-1)
		return text_fail(err, err_size, ret,
				"cannot give %s to group %s: this user is not in it; name one of its "
				"groups with --control-group",
				path, identity_group_name(group));
	return text_fail(err, err_size, ret,
			"cannot listen on %s: %s; choose another path with --control", path,
			strerror(-ret));
}
