/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See rundir.h. The lock is a record lock of fcntl(2), which ends with its process whatever way
 * that goes, and which names the holder's pid to whoever is refused.
 */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text/text.h"

#define LOCK_NAME "lock"
/* Whoever leaves at this moment takes the lock's file, or its directory, with him. */
#define LOCK_TRIES 10

/* Of the directory that was just made: a link or another's directory in its place is left alone. */
static int
open_to_others(const char *path)
{
	struct stat st;
	int ret = 0, fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || (st.st_uid == geteuid() && fchmod(fd, 0711) != 0))
		ret = -errno;
	else if (st.st_uid != geteuid())
		ret = -EPERM;
	close(fd);
	return ret;
}

static int
make_dir(struct rundir *rundir, char *err, size_t err_size)
{
	struct stat st;

	if (mkdir(rundir->dir, 0711) == 0) {
		rundir->made_dir = true;
		/* the umask may have kept other users' frontends out */
		errno = -open_to_others(rundir->dir);
		if (errno == 0)
			return 0;
	} else if (errno == EEXIST && stat(rundir->dir, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return text_fail(err, err_size, -errno,
			"cannot make the socket directory %s: %s; choose another with --socket-dir",
			rundir->dir, strerror(errno));
}

/* Nobody else may have prepared the private directory, or may look into it. */
static int
make_private_dir(struct rundir *rundir, char *err, size_t err_size)
{
	const char *path = rundir->private_dir;
	struct stat st;

	if (mkdir(path, 0700) == 0)
		rundir->made_private_dir = true;
	else if (errno != EEXIST)
		return text_fail(err, err_size, -errno,
				"cannot make %s: %s; choose a directory of your own with --socket-dir",
				path, strerror(errno));
	if (lstat(path, &st) != 0)
		return -errno; /* went away just now; the caller tries again */
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return 0;
	return text_fail(err, err_size, -EPERM,
			"%s is not a directory of mode 0700 that belongs to uid %u; remove it, "
			"or choose another directory with --socket-dir",
			path, geteuid());
}

static int
refuse_second(const struct rundir *rundir, int fd, char *err, size_t err_size)
{
	struct flock holder = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char who[64] = "";

	if (fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK && holder.l_pid > 0)
		snprintf(who, sizeof(who), " (pid %d)", holder.l_pid);
	return text_fail(err, err_size, -EBUSY,
			"the socket directory %s is in use: another vswitchd%s runs there; "
			"stop it, or choose another directory with --socket-dir",
			rundir->dir, who);
}

/* True when `path` still names the file that `fd` has open. */
static bool
is_same_file(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
			opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* 0 with the lock, -ENOENT: try again, another -errno with words. */
static int
try_lock(struct rundir *rundir, char *err, size_t err_size)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATHS_SIZE + sizeof(LOCK_NAME)];
	int fd, ret = 0;

	ret = make_private_dir(rundir, err, err_size);
	if (ret != 0)
		return ret;
	snprintf(path, sizeof(path), "%s/" LOCK_NAME, rundir->private_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return text_fail(err, err_size, -errno,
				"cannot open %s: %s; choose another directory with --socket-dir",
				path, strerror(errno));
	if (fcntl(fd, F_SETLK, &whole) != 0)
		ret = refuse_second(rundir, fd, err, err_size);
	else if (!is_same_file(fd, path))
		ret = -ENOENT;
	if (ret == 0)
		rundir->lock_fd = fd;
	else
		close(fd);
	return ret;
}

static int
take_lock(struct rundir *rundir, char *err, size_t err_size)
{
	int tries, ret = -ENOENT;

	text_fail(err, err_size, 0, "the socket directory %s is being removed; start again",
			rundir->dir);
	for (tries = 0; tries < LOCK_TRIES && ret == -ENOENT; tries++)
		ret = try_lock(rundir, err, err_size);
	return ret;
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	/* the lock goes last, with the directory */
	if (where->level > 0 && !(where->level == 1 && strcmp(path + where->base, LOCK_NAME) == 0))
		(void)remove(path);
	return 0;
}

static void
clear_private_dir(const struct rundir *rundir)
{
	(void)nftw(rundir->private_dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* The longest of the paths decides whether `dir` is short enough. */
static int
name_paths(struct rundir *rundir, const char *dir, char *err, size_t err_size)
{
	char longest[2 * PATHS_SIZE];
	int len, ret;

	len = snprintf(longest, sizeof(longest), "%s/private/vhost.sock", dir);
	ret = paths_check_socket(longest, err, err_size);
	if (ret != 0)
		return ret;
	memcpy(rundir->vhost_path, longest, (size_t)len + 1);
	memcpy(rundir->private_dir, longest, (size_t)len + 1);
	*strrchr(rundir->private_dir, '/') = '\0';
	memcpy(rundir->dir, dir, strlen(dir) + 1);
	return 0;
}

/* Removes what a start made that failed, unless another switch has begun to use it. */
static void
undo(const struct rundir *rundir)
{
	if (rundir->made_private_dir)
		(void)rmdir(rundir->private_dir);
	if (rundir->made_dir)
		(void)rmdir(rundir->dir);
}

int
rundir_open(struct rundir *rundir, const char *dir, char *err, size_t err_size)
{
	int ret;

	*rundir = (struct rundir){ .lock_fd = -1 };
	ret = name_paths(rundir, dir, err, err_size);
	if (ret == 0)
		ret = make_dir(rundir, err, err_size);
	if (ret == 0)
		ret = take_lock(rundir, err, err_size);
	if (ret == 0)
		clear_private_dir(rundir);
	else
		undo(rundir);
	return ret;
}

void
rundir_close(struct rundir *rundir)
{
	char path[PATHS_SIZE + sizeof(LOCK_NAME)];

	clear_private_dir(rundir);
	snprintf(path, sizeof(path), "%s/" LOCK_NAME, rundir->private_dir);
	(void)unlink(path);
	(void)rmdir(rundir->private_dir);
	if (rundir->made_dir)
		(void)rmdir(rundir->dir);
	close(rundir->lock_fd);
	rundir->lock_fd = -1;
}
