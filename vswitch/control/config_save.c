/* SPDX-License-Identifier: BSD-3-Clause */
/* See config_save.h. */
#include "config_save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "text/text.h"
#include "system/write_all.h"

/* Links that are followed from one to the next, as by the kernel. */
#define LINKS_MAX 40

/* What to do about it. */
static const char *
advice(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return "make room and try again";
	case EACCES:
	case EPERM:
	case EROFS:
		return "let the switch's user write in its directory, or name another file";
	default:
		return "correct that, or name another file";
	}
}

static int
fail(const char *path, int error, char *err, size_t err_size)
{
	return text_fail(err, err_size, -error,
			"cannot write %s: %s; the old file is as it was; %s", path, strerror(error),
			advice(error));
}

/* Whose file it was stays whose it is, where this process may say so. */
static int
keep_attributes(int fd, const struct stat *old)
{
	if (fchown(fd, old->st_uid, old->st_gid) != 0 && errno != EPERM)
		return -errno;
	return fchmod(fd, old->st_mode & 07777) == 0 ? 0 : -errno;
}

static int
sync_file_system(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK), ret = 0;

	if (fd < 0)
		return -errno;
	if (syncfs(fd) != 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * Makes the directory remember the new name. One that may be written in, but not be read, cannot be
 * opened for that: then the whole file system is synced.
 */
static int
sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd, ret = 0;

	if (copy == NULL)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0 && errno == EACCES)
		return sync_file_system(path);
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

/* What there is at `path` that is no file, or NULL. */
static const char *
other_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "no file";
	}
}

/* What a link in `path` says, as a path of its own; new. NULL with errno. */
static char *
read_link(const char *path)
{
	char target[PATH_MAX], *copy, *whole = NULL;
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return NULL;
	target[len] = '\0';
	if (target[0] == '/')
		return strdup(target);
	copy = strdup(path);
	if (copy == NULL || asprintf(&whole, "%s/%s", dirname(copy), target) < 0)
		whole = NULL;
	free(copy);
	return whole;
}

/* A link of /proc is no path but something that is open: its text need not be a file's name. */
static bool
is_in_proc(const char *path)
{
	char *copy = strdup(path);
	struct statfs fs;
	bool in_proc = copy != NULL && statfs(dirname(copy), &fs) == 0 &&
			fs.f_type == PROC_SUPER_MAGIC;

	free(copy);
	return in_proc;
}

/* Follows links to the end, where there may be nothing yet. 0 and a new *target, or -errno and NULL. */
static int
follow_links(const char *path, char **target)
{
	char *here = strdup(path), *next;
	struct stat st;
	int i, ret = -ELOOP;

	*target = NULL;
	for (i = 0; i < LINKS_MAX && here != NULL; i++) {
		if (lstat(here, &st) != 0 || !S_ISLNK(st.st_mode)) {
			*target = here;
			return 0;
		}
		if (is_in_proc(here)) {
			ret = -EBADF;
			break;
		}
		next = read_link(here);
		free(here);
		here = next;
	}
	if (here == NULL)
		ret = errno != 0 ? -errno : -ENOMEM;
	free(here);
	return ret;
}

/* Refuses what cannot be replaced by a file. 0 or -errno with words. */
static int
check_place(const char *path, bool there, const struct stat *old, char *err, size_t err_size)
{
	const char *kind = there ? other_kind(old->st_mode) : NULL;

	if (kind == NULL)
		return 0;
	return text_fail(err, err_size, S_ISDIR(old->st_mode) ? -EISDIR : -EEXIST,
			"cannot write %s: it is %s; nothing was changed; name a file", path, kind);
}

/* `target` is where `path` leads, and no symbolic link. 0 or -errno. */
static int
replace(const char *target, const struct stat *old, const char *text, size_t len)
{
	char *temporary = NULL;
	int ret;

	if (asprintf(&temporary, "%s.%d.tmp", target, (int)getpid()) < 0)
		return -ENOMEM;
	ret = write_new(temporary, old, text, len);
	if (ret == 0 && rename(temporary, target) != 0) {
		ret = -errno;
		(void)unlink(temporary);
	}
	free(temporary);
	return ret;
}

static int
write_target(const char *path, const char *target, const char *text, size_t len, char *err,
		size_t err_size)
{
	struct stat old;
	bool there = stat(target, &old) == 0;
	int ret = check_place(path, there, &old, err, err_size);

	if (ret != 0)
		return ret;
	ret = replace(target, there ? &old : NULL, text, len);
	if (ret == -EBUSY)
		return text_fail(err, err_size, ret,
				"cannot write %s: it is mounted there by itself, and cannot be "
				"replaced; the old file is as it was; mount its directory instead, "
				"or name another file",
				path);
	if (ret != 0)
		return fail(path, -ret, err, err_size);
	ret = sync_directory(target);
	if (ret != 0)
		return text_fail(err, err_size, ret,
				"%s is the new one, but may be lost when the host goes down: its "
				"directory cannot be synced: %s; save it again when that is mended",
				path, strerror(-ret));
	return 0;
}

int
config_save_write(const char *path, const char *text, size_t len, char *err, size_t err_size)
{
	char *target;
	int ret = follow_links(path, &target);

	if (ret == -EBADF)
		return text_fail(err, err_size, ret,
				"cannot write %s: it leads to what a process has open, and not to "
				"a file's name; nothing was changed; name the file itself",
				path);
	if (target == NULL)
		return fail(path, -ret, err, err_size);
	ret = write_target(path, target, text, len, err, err_size);
	free(target);
	return ret;
}
