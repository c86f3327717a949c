/* SPDX-License-Identifier: BSD-3-Clause */
/* See socket_peer.h. */
#include "socket_peer.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A program chooses its own name, so characters that cannot be printed become '?'. */
static void
read_program(pid_t pid, char *program, size_t size)
{
	char path[32];
	ssize_t len, i;
	int fd;

	snprintf(program, size, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, program, size - 1);
	close(fd);
	if (len <= 0) {
		snprintf(program, size, "?");
		return;
	}
	if (program[len - 1] == '\n')
		len--;
	program[len] = '\0';
	for (i = 0; i < len; i++) {
		if (!isprint((unsigned char)program[i]))
			program[i] = '?';
	}
}

static bool
read_credentials(int fd, struct ucred *cred)
{
	socklen_t len = sizeof(*cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len) == 0;
}

void
socket_peer_read(int fd, struct socket_peer *peer)
{
	struct ucred cred;

	memset(peer, 0, sizeof(*peer));
	peer->uid = (uid_t)-1;
	snprintf(peer->program, sizeof(peer->program), "?");
	if (!read_credentials(fd, &cred))
		return;
	peer->pid = cred.pid;
	peer->uid = cred.uid;
	if (cred.pid > 0)
		read_program(cred.pid, peer->program, sizeof(peer->program));
}

pid_t
socket_peer_pid(int fd)
{
	struct ucred cred;

	return read_credentials(fd, &cred) ? cred.pid : 0;
}
