/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file that bind() makes for a UNIX socket: identifies it, sets who may connect, and finds out whether
 * a program still serves it. Any thread.
 */
#ifndef COMMON_SOCKET_FILE_H
#define COMMON_SOCKET_FILE_H

#include <sys/types.h>

/*
 * Opens (O_PATH) the file that bind() has just made at `path`. -ESTALE: somebody who may write to the
 * directory has put another file in its place. Our file is recognized because it is a socket, belongs to
 * this user and has one name: the directory's owner can neither make such a file nor link one there.
 * Other -errno: open() or fstat() failed.
 */
int socket_file_open(const char *path);

/*
 * Sets mode, owner and group of an O_PATH descriptor's file; (uid_t)-1 and (gid_t)-1: unchanged. Never
 * widens access in between: nobody has more rights than before or after. Restores the old access on
 * failure. 0 or -errno. -ENOENT: /proc is not mounted. -EPERM: another owner, or a group that the process
 * is not in.
 */
int socket_file_set_access(int fd, mode_t mode, uid_t owner, gid_t group);

/*
 * 0: a socket is bound there, and this process may connect. -ECONNREFUSED: no program serves the socket any
 * more, or the file is not a socket. Else -ENOENT, -EACCES, -ENAMETOOLONG, or the system's -errno. A
 * listener does not notice, because a connection of this type cannot be accepted.
 */
int socket_file_probe(const char *path);

#endif
