/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is at the other end of a UNIX socket, as the kernel says. Used by the gate on the control
 * thread, of frontends and of programs that hold a socket that we want.
 */
#include "gate_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The program names itself: nothing but printable characters is taken over. */
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

void
gate_peer_read(int fd, struct gate_peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	memset(peer, 0, sizeof(*peer));
	peer->uid = (uid_t)-1;
	snprintf(peer->program, sizeof(peer->program), "?");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return;
	peer->pid = cred.pid;
	peer->uid = cred.uid;
	if (cred.pid > 0)
		read_program(cred.pid, peer->program, sizeof(peer->program));
}
