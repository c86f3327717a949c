/* SPDX-License-Identifier: BSD-3-Clause */
/* See paths.h. */
#include "paths.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/text.h"

#define ROOT_DIR "/run/vswitch"
#define CONTROL_NAME "control.sock"

static int
too_long(const char *path, size_t length, char *err, size_t err_size)
{
	return text_fail(err, err_size, -ENAMETOOLONG,
			"the path %s has %zu bytes, and the path of a UNIX socket has at most %d; "
			"use a shorter one, or go through a symbolic link to its directory",
			path, length, PATHS_SOCKET_MAX);
}

int
paths_check_socket(const char *path, char *err, size_t err_size)
{
	size_t length = strlen(path);

	if (length == 0)
		return text_fail(err, err_size, -EINVAL,
				"the path of the socket is empty; give the path of a UNIX socket");
	if (length > PATHS_SOCKET_MAX)
		return too_long(path, length, err, err_size);
	return 0;
}

/* Writes DIR/NAMESUFFIX to path. The message of a failure names the whole path. */
static int
join(char *path, const char *dir, const char *name, const char *suffix, char *err, size_t err_size)
{
	size_t dir_length = strlen(dir);
	const char *slash = dir_length > 0 && dir[dir_length - 1] == '/' ? "" : "/";
	char *whole;
	int ret;

	ret = asprintf(&whole, "%s%s%s%s", dir, slash, name, suffix);
	if (ret < 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	ret = paths_check_socket(whole, err, err_size);
	if (ret == 0)
		snprintf(path, PATHS_SIZE, "%s", whole);
	free(whole);
	return ret;
}

static int
default_dir(char *dir, char *err, size_t err_size)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0) {
		snprintf(dir, PATHS_SIZE, "%s", ROOT_DIR);
		return 0;
	}
	if (run == NULL || run[0] == '\0')
		return text_fail(err, err_size, -EINVAL,
				"no socket directory is known: XDG_RUNTIME_DIR is not set; "
				"say where the sockets are with --socket-dir DIR");
	return join(dir, run, "vswitch", "", err, err_size);
}

int
paths_socket_dir(const char *option, char *dir, char *err, size_t err_size)
{
	int ret;

	if (option == NULL)
		return default_dir(dir, err, err_size);
	ret = paths_check_socket(option, err, err_size);
	if (ret == 0)
		snprintf(dir, PATHS_SIZE, "%s", option);
	return ret;
}

int
paths_client_dir(const char *option, char *dir, char *err, size_t err_size)
{
	int ret = paths_socket_dir(option, dir, err, err_size);
	bool has_own = ret == 0 && access(dir, F_OK) == 0;

	if (option != NULL || has_own || eaccess(ROOT_DIR "/" CONTROL_NAME, W_OK) != 0)
		return ret;
	snprintf(dir, PATHS_SIZE, "%s", ROOT_DIR);
	return 0;
}

int
paths_control(const char *option, const char *dir, char *path, char *err, size_t err_size)
{
	int ret;

	if (option == NULL)
		return join(path, dir, CONTROL_NAME, "", err, err_size);
	ret = paths_check_socket(option, err, err_size);
	if (ret == 0)
		snprintf(path, PATHS_SIZE, "%s", option);
	return ret;
}

int
paths_port(const char *dir, const char *name, char *path, char *err, size_t err_size)
{
	return join(path, dir, name, ".sock", err, err_size);
}
