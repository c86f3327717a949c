/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which process is at the other end of a UNIX socket, as the kernel recorded it when that process connected
 * or began to listen. Any thread.
 */
#ifndef COMMON_SOCKET_PEER_H
#define COMMON_SOCKET_PEER_H

#include <sys/types.h>

struct socket_peer {
	pid_t pid; /* 0: unknown */
	uid_t uid; /* (uid_t)-1: unknown */
	char program[32]; /* /proc/PID/comm, with '?' for characters that cannot be printed; "?": unknown */
};

/* Fills in *peer; reads the program's name in /proc. */
void socket_peer_read(int fd, struct socket_peer *peer);

/* Only the process id; 0: unknown. */
pid_t socket_peer_pid(int fd);

#endif
