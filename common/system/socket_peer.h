/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which process is at the other end of a UNIX socket, as the kernel saw it when it connected or began to
 * listen. Any thread.
 */
#ifndef COMMON_SOCKET_PEER_H
#define COMMON_SOCKET_PEER_H

#include <sys/types.h>

struct socket_peer {
	pid_t pid;	  /* 0: unknown */
	uid_t uid;	  /* (uid_t)-1: unknown */
	char program[32]; /* /proc/PID/comm, without what cannot be printed; "?": unknown */
};

/* Reads /proc for the program's name. */
void socket_peer_read(int fd, struct socket_peer *peer);

/* The process alone; 0: unknown. */
pid_t socket_peer_pid(int fd);

#endif
