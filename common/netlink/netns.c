/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See netns.h. Work within a namespace runs on a thread of its own, because setns() changes the calling
 * thread. A thread that could not go back would do all later work in the wrong namespace.
 */
#include "netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/magic.h>
#include <linux/nsfs.h>

#include "text/nearest.h"
#include "text/text.h"

#define NAMES_DIR "/run/netns"
#define PROCESSES_DIR "/proc/"
#define OWN_PATH "/proc/thread-self/ns/net"
#define NAMES_TEXT_MAX 80 /* a message lists no further names after so many bytes */

/* Opens the file of an O_PATH descriptor. */
static int
reopen(int path_fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* "there are: a, b", as many as fit, and a hint at the name that may have been meant. */
static void
describe_names(const char *name, char *text, size_t size)
{
	struct nearest near;
	struct dirent **names;
	char hint[NAME_MAX + 32];
	int i, n, used = 0;

	n = scandir(NAMES_DIR, &names, is_visible, alphasort);
	if (n <= 0) {
		snprintf(text, size, "there is no named one at all");
		if (n == 0)
			free(names);
		return;
	}
	nearest_init(&near, name);
	for (i = 0; i < n; i++) {
		nearest_offer(&near, names[i]->d_name);
		if (used < NAMES_TEXT_MAX)
			used += snprintf(text + used, size - used, "%s%s",
					i == 0 ? "there are: " : ", ", names[i]->d_name);
		else if (i == n - 1)
			used += snprintf(text + used, size - used, ", ...");
	}
	snprintf(text + used, size - used, "%s", nearest_hint(&near, hint, sizeof(hint)));
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int
no_such_name(const char *name, char *err, size_t err_size)
{
	char known[NAMES_TEXT_MAX + 2 * NAME_MAX + 64];

	if (name[strspn(name, "0123456789")] == '\0')
		return text_fail(err, err_size, -ENOENT,
				"network namespace %s: " NAMES_DIR
				" has no such name; the namespace of process %s has the path "
				"/proc/%s/ns/net",
				name, name, name);
	describe_names(name, known, sizeof(known));
	return text_fail(err, err_size, -ENOENT,
			"network namespace %s: " NAMES_DIR
			" has no such name, %s; `ip netns add %s` makes it",
			name, known, name);
}

int
netns_process_digits(const char *path)
{
	int digits;

	if (strncmp(path, PROCESSES_DIR, strlen(PROCESSES_DIR)) != 0)
		return 0;
	digits = (int)strspn(path + strlen(PROCESSES_DIR), "0123456789");
	return path[strlen(PROCESSES_DIR) + (size_t)digits] == '/' ? digits : 0;
}

static int
no_such_path(const char *path, char *err, size_t err_size)
{
	int digits = netns_process_digits(path);

	if (digits > 0)
		return text_fail(err, err_size, -ENOENT,
				"network namespace %s: process %.*s does not exist, or has ended; "
				"give the path of a process that runs",
				path, digits, path + strlen(PROCESSES_DIR));
	return text_fail(err, err_size, -ENOENT,
			"network namespace %s: there is no such file; give a name in " NAMES_DIR
			", or a path such as /proc/PID/ns/net",
			path);
}

static int
cannot_open(const char *name, int error, char *err, size_t err_size)
{
	if (error == ENOENT || error == ENOTDIR)
		return name[0] == '/' ? no_such_path(name, err, err_size)
				      : no_such_name(name, err, err_size);
	if (error == EACCES || error == EPERM)
		return text_fail(err, err_size, -error,
				"network namespace %s: cannot open it: %s; another user's process "
				"needs CAP_SYS_PTRACE: run as root, or grant it",
				name, strerror(error));
	return text_fail(err, err_size, -error, "network namespace %s: cannot open it: %s; %s",
			name, strerror(error), "give another name or path");
}

/* The file at the path is not a namespace. */
static int
not_a_namespace(const char *name, int path_fd, char *err, size_t err_size)
{
	struct stat st;

	if (name[0] != '/' && fstat(path_fd, &st) == 0 && S_ISREG(st.st_mode))
		return text_fail(err, err_size, -EINVAL,
				"network namespace %s: " NAMES_DIR
				"/%s is an ordinary file, left over from a namespace that is gone; "
				"`ip netns delete %s`, then `ip netns add %s`",
				name, name, name, name);
	return text_fail(err, err_size, -EINVAL,
			"network namespace %s: this is not a namespace; give a name in " NAMES_DIR
			", or a path such as /proc/PID/ns/net",
			name);
}

/* Writes the path of a namespace that is given by its name or absolute path. */
static int
path_of(const char *name, char *path, char *err, size_t err_size)
{
	const char *slash = strchr(name, '/');
	int length;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			(slash != NULL && slash != name))
		return text_fail(err, err_size, -EINVAL,
				"network namespace \"%s\": neither a name in " NAMES_DIR
				" nor an absolute path; give a path such as /proc/PID/ns/net",
				name);
	if (slash == name)
		length = snprintf(path, PATH_MAX, "%s", name);
	else
		length = snprintf(path, PATH_MAX, NAMES_DIR "/%s", name);
	if (length >= PATH_MAX)
		return text_fail(err, err_size, -ENAMETOOLONG,
				"network namespace: the path has %d bytes, and may have %d; use a "
				"shorter one",
				length, PATH_MAX - 1);
	return 0;
}

/* Opens the network namespace of an O_PATH descriptor. */
static int
open_namespace(const char *name, int path_fd, char *err, size_t err_size)
{
	struct statfs fs;
	int fd;

	if (fstatfs(path_fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return not_a_namespace(name, path_fd, err, err_size);
	fd = reopen(path_fd);
	if (fd < 0)
		return cannot_open(name, errno, err, err_size);
	if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return fd;
	close(fd);
	return text_fail(err, err_size, -EINVAL,
			"network namespace %s: this is a namespace of another type; give a network "
			"namespace such as /proc/PID/ns/net",
			name);
}

int
netns_open(const char *name, char *err, size_t err_size)
{
	char path[PATH_MAX];
	int path_fd, ret;

	ret = path_of(name, path, err, err_size);
	if (ret < 0)
		return ret;
	path_fd = open(path, O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return cannot_open(name, errno, err, err_size);
	ret = open_namespace(name, path_fd, err, err_size);
	close(path_fd);
	return ret;
}

int
netns_of_tap(int tap_fd, char *err, size_t err_size)
{
	int fd = ioctl(tap_fd, TUNGETDEVNETNS);

	if (fd >= 0)
		return fd;
	if (errno == EBADFD)
		return text_fail(err, err_size, -EBADFD,
				"the network namespace of the TAP: its interface was deleted, or its "
				"namespace has ended; make it again");
	if (errno == EPERM)
		return text_fail(err, err_size, -EPERM,
				"the network namespace of the TAP: CAP_NET_ADMIN is missing there; "
				"run as root, or grant it");
	return text_fail(err, err_size, -errno,
			"the network namespace of the TAP: cannot ask the kernel for it: %s; either "
			"the namespace is just ending, or the kernel is older than Linux 5.2",
			strerror(errno));
}

int
netns_own(char *err, size_t err_size)
{
	int fd = open(OWN_PATH, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return text_fail(err, err_size, -errno,
			"the network namespace of this program: cannot open " OWN_PATH
			": %s; is /proc mounted?",
			strerror(errno));
}

bool
netns_same(int netns_fd, int other_fd)
{
	struct stat a, b;

	return fstat(netns_fd, &a) == 0 && fstat(other_fd, &b) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino;
}

bool
netns_is_called(int netns_fd, const char *name)
{
	int other = netns_open(name, NULL, 0);
	bool same = other >= 0 && netns_same(netns_fd, other);

	if (other >= 0)
		close(other);
	return same;
}

bool
netns_find_name(int netns_fd, char *name, size_t size)
{
	DIR *list = opendir(NAMES_DIR);
	struct dirent *entry;
	bool found = false;

	if (list == NULL)
		return false;
	while (!found && (entry = readdir(list)) != NULL) {
		found = is_visible(entry) && netns_is_called(netns_fd, entry->d_name);
		if (found)
			snprintf(name, size, "%s", entry->d_name);
	}
	closedir(list);
	return found;
}

struct visit {
	int netns_fd;
	int (*work)(void *arg);
	void *arg;
	int result;
	int error; /* of setns(), because of which work was not called; or 0 */
};

static void *
visit(void *arg)
{
	struct visit *v = arg;

	if (setns(v->netns_fd, CLONE_NEWNET) < 0)
		v->error = errno;
	else
		v->result = v->work(v->arg);
	return NULL;
}

static int
cannot_enter(int error, char *err, size_t err_size)
{
	if (error == EPERM)
		return text_fail(err, err_size, -EPERM,
				"entering another network namespace: CAP_SYS_ADMIN is missing; run as "
				"root, or grant it (setcap cap_sys_admin,cap_net_admin,cap_net_broadcast+ep PROGRAM)");
	return text_fail(err, err_size, -error,
			"entering another network namespace: %s; try again, or name another",
			strerror(error));
}

int
netns_run(int netns_fd, int (*work)(void *arg), void *arg, int *result, char *err, size_t err_size)
{
	struct visit v = { .netns_fd = netns_fd, .work = work, .arg = arg };
	pthread_t thread;
	int own, ret;

	own = netns_own(err, err_size);
	if (own < 0)
		return own;
	ret = netns_same(netns_fd, own) ? 1 : 0;
	close(own);
	if (ret == 1) {
		*result = work(arg);
		return 0;
	}
	ret = pthread_create(&thread, NULL, visit, &v);
	if (ret != 0)
		return cannot_enter(ret, err, err_size);
	pthread_join(thread, NULL);
	if (v.error != 0)
		return cannot_enter(v.error, err, err_size);
	*result = v.result;
	return 0;
}
