/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file that bind() has made for a UNIX socket: which it is, who may connect, and whether its maker is
 * still there. Any thread.
 */
#ifndef COMMON_SOCKET_FILE_H
#define COMMON_SOCKET_FILE_H

#include <sys/types.h>

/*
 * Opens, by O_PATH, the file that bind() has just made at `path`. -ESTALE: somebody who may write
 * into its directory has put another one in its place. Ours is a socket of our own with one name; an
 * owner of the directory can neither make such a file nor link one there. Other -errno: open failed.
 */
int socket_file_open(const char *path);

/*
 * Sets mode, owner and group of an O_PATH descriptor's file; (uid_t)-1 and (gid_t)-1 leave them. On
 * the way nobody has more rights than before or after, and a failure, -errno, puts back what was.
 * -ENOENT: /proc is not mounted. -EPERM: another owner, or a group that the process is not in.
 */
int socket_file_set_access(int fd, mode_t mode, uid_t owner, gid_t group);

/*
 * 0: a socket is bound there, and we may connect. -ECONNREFUSED: none is, any more, or the file is no
 * socket. Else -ENOENT, -EACCES, -ENAMETOOLONG, or what the system says. A listener notices nothing,
 * because the question is of a type that it cannot accept.
 */
int socket_file_probe(const char *path);

#endif
