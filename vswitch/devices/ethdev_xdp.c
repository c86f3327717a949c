/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_xdp.h. */
#include "ethdev_xdp.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mutex.h"

#define ALL_MAX 1024
#define BPF "anon_inode:bpf-"

/* Sockets, maps and programs have numbers of their own. */
#define ID_OF_MAP (1ull << 62)
#define ID_OF_PROGRAM (1ull << 63)

/* What the process has of them. */
struct all {
	uint32_t n;
	struct ethdev_xdp_fd fds[ALL_MAX];
};

static struct mutex lock = MUTEX_INIT;
static struct all before GUARDED_BY(lock), now GUARDED_BY(lock);

/* 0: it is no such socket. */
static uint64_t
id_of_socket(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || domain != AF_XDP)
		return 0;
	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* 0: it is neither a program nor a map. */
static uint64_t
id_of_bpf(int fd)
{
	char path[48], text[128];
	uint64_t id = 0;
	ssize_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, text, sizeof(text));
	if (len < (ssize_t)strlen(BPF) || strncmp(text, BPF, strlen(BPF)) != 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file != NULL && id == 0 && fgets(text, sizeof(text), file) != NULL) {
		if (strncmp(text, "map_id:", 7) == 0)
			id = ID_OF_MAP | strtoul(text + 7, NULL, 10);
		else if (strncmp(text, "prog_id:", 8) == 0)
			id = ID_OF_PROGRAM | strtoul(text + 8, NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return id;
}

static uint64_t
id_of(int fd)
{
	uint64_t id = id_of_socket(fd);

	return id != 0 ? id : id_of_bpf(fd);
}

static void
find_all(struct all *found)
{
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;

	found->n = 0;
	if (list == NULL)
		return;
	while (found->n < ALL_MAX && (entry = readdir(list)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		uint64_t id = entry->d_name[0] != '.' ? id_of(fd) : 0;

		if (id == 0)
			continue;
		found->fds[found->n].fd = fd;
		found->fds[found->n++].id = id;
	}
	closedir(list);
}

static bool
was_there(const struct ethdev_xdp_fd *fd) REQUIRES(lock)
{
	for (uint32_t i = 0; i < before.n; i++)
		if (before.fds[i].fd == fd->fd && before.fds[i].id == fd->id)
			return true;
	return false;
}

void
ethdev_xdp_begin(void) ACQUIRES(lock)
{
	mutex_lock(&lock);
	find_all(&before);
}

void
ethdev_xdp_end(struct ethdev_xdp *own) RELEASES(lock)
{
	find_all(&now);
	for (uint32_t i = 0; i < now.n && own->n < ETHDEV_XDP_MAX; i++)
		if (!was_there(&now.fds[i]))
			own->fds[own->n++] = now.fds[i];
	mutex_unlock(&lock);
}

void
ethdev_xdp_close(struct ethdev_xdp *own)
{
	for (uint32_t i = 0; i < own->n; i++)
		if (id_of(own->fds[i].fd) == own->fds[i].id)
			close(own->fds[i].fd);
	own->n = 0;
}
