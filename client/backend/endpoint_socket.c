/* SPDX-License-Identifier: BSD-3-Clause */
/* See endpoint_socket.h. */
#include "endpoint_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/clock.h"
#include "system/paths.h"
#include "system/socket_file.h"
#include "process/stop.h"
#include "text/text.h"

#define LOOK_AGAIN_MS 20
#define CONNECTION_FDS 1024 /* the driver's descriptors are among the first of the process */

static void
directory_of(const char *path, char directory[PATHS_SIZE])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(directory, PATHS_SIZE, ".");
	else
		snprintf(directory, PATHS_SIZE, "%.*s", (int)(slash - path + 1), path);
}

bool
endpoint_socket_is_of_switch(const char *path)
{
	char directory[PATHS_SIZE], control[PATHS_SIZE];
	struct stat st;

	directory_of(path, directory);
	return paths_control(NULL, directory, control, NULL, 0) == 0 && stat(control, &st) == 0 &&
			S_ISSOCK(st.st_mode);
}

static const char *
file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool
leads_to(int fd, const char *path)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof(addr) - 1; /* so that the path is terminated */

	return getpeername(fd, (struct sockaddr *)&addr, &len) == 0 && addr.sun_family == AF_UNIX &&
			strcmp(file_name(addr.sun_path), file_name(path)) == 0;
}

bool
endpoint_socket_is_connected(const char *path)
{
	ssize_t len;
	char byte;

	for (int fd = 0; fd < CONNECTION_FDS; fd++) {
		if (!leads_to(fd, path))
			continue;
		len = recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
		if (len > 0 || (len < 0 && errno == EAGAIN))
			return true;
	}
	return false;
}

int
endpoint_socket_probe(const char *path)
{
	struct stat st;
	int ret = socket_file_probe(path);

	if (ret == -ECONNREFUSED && stat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return ret;
}

static int
explain(const char *path, int error, char *err, size_t err_size)
{
	switch (error) {
	case -ENOENT:
		return text_fail(err, err_size, error,
				"there is no socket %s; %s, or give --wait SECONDS", path,
				endpoint_socket_is_of_switch(path)
						? "add the port to the switch (vswitchctl add-port)"
						: "start the backend that makes it");
	case -EACCES:
	case -EPERM:
		return text_fail(err, err_size, error,
				"no permission to connect to %s; run as its owner, or let %s", path,
				endpoint_socket_is_of_switch(path)
						? "the switch give it another --mode, --owner or "
						  "--group"
						: "its owner give it another mode");
	case -ECONNREFUSED:
		return text_fail(err, err_size, error,
				"nobody listens on %s: the program that made it is gone; start it "
				"again",
				path);
	case -ENOTSOCK:
		return text_fail(err, err_size, error,
				"%s is not a socket; give the path of a port's socket", path);
	default:
		return text_fail(err, err_size, error, "cannot connect to %s: %s", path,
				strerror(-error));
	}
}

int
endpoint_socket_wait(const char *path, double seconds, char *err, size_t err_size)
{
	uint64_t end = clock_now() + clock_from_seconds(seconds);
	struct pollfd wake = { .fd = stop_fd(), .events = POLLIN };
	int ret = endpoint_socket_probe(path);

	while (ret != 0 && clock_now() < end) {
		poll(&wake, 1, LOOK_AGAIN_MS);
		if (stop_requested())
			return text_fail(err, err_size, -EINTR, "interrupted while waiting for %s",
					path);
		ret = endpoint_socket_probe(path);
	}
	return ret == 0 ? 0 : explain(path, ret, err, err_size);
}

/* Whether a socket could be made in the path's directory: 0 or -errno. */
static int
check_directory(const char *path)
{
	char directory[PATHS_SIZE];

	directory_of(path, directory);
	return access(directory, W_OK | X_OK) == 0 ? 0 : -errno;
}

int
endpoint_socket_clear(const char *path, char *err, size_t err_size)
{
	int ret = endpoint_socket_probe(path);

	switch (ret) {
	case -ENOENT:
		ret = check_directory(path);
		if (ret == 0)
			return 0;
		return text_fail(err, err_size, ret,
				"cannot serve %s: its directory: %s; choose another, or make it",
				path, strerror(-ret));
	case 0:
		return text_fail(err, err_size, -EADDRINUSE,
				"cannot serve %s: a program already does; choose another path or stop "
				"it",
				path);
	case -ENOTSOCK:
		return text_fail(err, err_size, -EEXIST,
				"cannot serve %s: a file that is not a socket is there; choose another "
				"path",
				path);
	case -ECONNREFUSED:
		if (unlink(path) == 0)
			return 0;
		ret = -errno;
		break;
	}
	return text_fail(err, err_size, ret, "cannot serve %s: %s; choose another path", path,
			strerror(-ret));
}
