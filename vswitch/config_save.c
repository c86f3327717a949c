/* SPDX-License-Identifier: BSD-3-Clause */
/* See config_save.h. */
#include "config_save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static int
fail(const char *path, int error, char *err, size_t err_size)
{
	return text_fail(err, err_size, -error,
			"cannot write %s: %s; the old file is as it was; %s", path, strerror(error),
			error == ENOSPC || error == EDQUOT ? "make room and try again"
					: error == EACCES || error == EPERM || error == EROFS
					? "let the switch's user write in its directory, or name another file"
					: "correct that, or name another file");
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Whose file it was stays whose it is, where this process may say so. */
static int
keep_attributes(int fd, const struct stat *old)
{
	if (fchown(fd, old->st_uid, old->st_gid) != 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, old->st_mode & 07777) == 0 ? 0 : -errno;
}

/* Makes the directory remember the new name. */
static int
sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, ret = 0;

	if (copy == NULL)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	/* some file systems cannot sync a directory, and need not */
	if (fsync(fd) != 0 && errno != EINVAL)
		ret = -errno;
	close(fd);
	return ret;
}

static int
write_new(const char *temporary, const struct stat *old, const char *text, size_t len)
{
	int fd, ret;

	(void)unlink(temporary); /* of a switch that ended halfway */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = old != NULL ? keep_attributes(fd, old) : 0;
	if (ret == 0)
		ret = write_all(fd, text, len);
	if (ret == 0 && fsync(fd) != 0)
		ret = -errno;
	if (close(fd) != 0 && ret == 0)
		ret = -errno;
	if (ret != 0)
		(void)unlink(temporary);
	return ret;
}

/* `target` is no symbolic link. */
static int
replace(const char *target, const char *text, size_t len)
{
	struct stat old;
	bool there = stat(target, &old) == 0;
	char *temporary = NULL;
	int ret;

	if (there && !S_ISREG(old.st_mode))
		return S_ISDIR(old.st_mode) ? -EISDIR : -EEXIST;
	if (asprintf(&temporary, "%s.%d.tmp", target, (int)getpid()) < 0)
		return -ENOMEM;
	ret = write_new(temporary, there ? &old : NULL, text, len);
	if (ret == 0 && rename(temporary, target) != 0) {
		ret = -errno;
		(void)unlink(temporary);
	}
	free(temporary);
	return ret == 0 ? sync_directory(target) : ret;
}

int
config_save_write(const char *path, const char *text, size_t len, char *err, size_t err_size)
{
	char *target = realpath(path, NULL);
	int ret;

	if (target == NULL && errno != ENOENT)
		return fail(path, errno, err, err_size);
	ret = replace(target != NULL ? target : path, text, len);
	free(target);
	return ret == 0 ? 0 : fail(path, -ret, err, err_size);
}
