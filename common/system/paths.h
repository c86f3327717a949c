/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the switch's sockets are: the defaults that vswitchd and its clients must agree on.
 *
 * DIR is the value of --socket-dir, else /run/vswitch for root, else $XDG_RUNTIME_DIR/vswitch. The
 * control socket is DIR/control.sock unless --control names another. Called at start. Failures are
 * -EINVAL or -ENAMETOOLONG, with a sentence in err that says what to do.
 */
#ifndef COMMON_PATHS_H
#define COMMON_PATHS_H

#include <stddef.h>

/* Longest path of a UNIX socket, in bytes without the terminating zero: sun_path holds 108. */
#define PATHS_SOCKET_MAX 107
#define PATHS_SIZE (PATHS_SOCKET_MAX + 1)

/* The socket directory. option: value of --socket-dir, or NULL. dir: PATHS_SIZE bytes. */
int paths_socket_dir(const char *option, char *dir, char *err, size_t err_size);

/*
 * The same for a client of the control socket. But an ordinary user without a switch of his own (without
 * $XDG_RUNTIME_DIR/vswitch) gets /run/vswitch if he may write to its control socket, because the
 * host's switch is then open to his group (--control-group).
 */
int paths_client_dir(const char *option, char *dir, char *err, size_t err_size);

/*
 * The control socket: --control if not NULL, else control.sock in dir. path: PATHS_SIZE bytes.
 */
int paths_control(const char *option, const char *dir, char *path, char *err, size_t err_size);

/* The socket of a port: DIR/NAME.sock. path: PATHS_SIZE bytes. */
int paths_port(const char *dir, const char *name, char *path, char *err, size_t err_size);

/* Refuses a socket path that is empty or longer than PATHS_SOCKET_MAX; err names it. */
int paths_check_socket(const char *path, char *err, size_t err_size);

#endif
