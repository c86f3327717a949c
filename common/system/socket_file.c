/* SPDX-License-Identifier: BSD-3-Clause */
/* See socket_file.h. */
#include "socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
socket_file_open(const char *path)
{
	struct stat st;
	int ret = 0, fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0)
		ret = -errno;
	else if (!S_ISSOCK(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
		ret = -ESTALE;
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

static int
change_mode(int fd, mode_t mode)
{
	char path[32];

	/* by its name in /proc, because fchmod() refuses an O_PATH descriptor */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode) == 0 ? 0 : -errno;
}

int
socket_file_set_access(int fd, mode_t mode, uid_t owner, gid_t group)
{
	struct stat old;
	int ret;

	if (fstat(fd, &old) != 0)
		return -errno;
	ret = change_mode(fd, old.st_mode & mode & 0777);
	if (ret != 0)
		return ret;
	if (fchownat(fd, "", owner, group, AT_EMPTY_PATH) != 0)
		ret = -errno;
	if (ret == 0)
		ret = change_mode(fd, mode & 0777);
	if (ret != 0) {
		if (fchownat(fd, "", old.st_uid, old.st_gid, AT_EMPTY_PATH) == 0)
			(void)change_mode(fd, old.st_mode & 0777);
	}
	return ret;
}

int
socket_file_probe(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* a stream socket refuses this type, but only after all other checks */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
			errno != EPROTOTYPE)
		ret = -errno;
	close(fd);
	return ret;
}
