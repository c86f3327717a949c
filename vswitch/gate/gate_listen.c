/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The public socket of a port: makes it with its mode, owner and group set before anybody can
 * connect, accepts at a bounded rate, and removes it. Control thread, by the gate.
 */
#include "gate_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fd_budget.h"
#include "base/log.h"
#include "system/socket_file.h"

/* Sessions a second that frontends which connect and leave in a loop may cost. */
#define ACCEPTS_PER_SECOND 200

/* After accept4() failed, until the next attempt. */
#define PAUSE_MS 50

#define BACKLOG 16

#define NS_PER_S 1000000000ull

LIST_HEAD(gate_list, gate);

static struct gate_list listening = LIST_HEAD_INITIALIZER(listening);

/* Writes what failed, on which path, why, and what to do; returns `error`. */
static int __attribute__((format(printf, 5, 6)))
cannot_listen(const char *path, int error, char *err, size_t err_size, const char *fmt, ...)
{
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(err, err_size, "cannot listen on %s: %s", path, why);
	return error;
}

static const struct gate *
find_listening(const struct stat *st)
{
	const struct gate *gate;

	for (gate = LIST_FIRST(&listening); gate != NULL; gate = LIST_NEXT(gate, listener.link)) {
		if (gate->listener.dev == st->st_dev && gate->listener.ino == st->st_ino)
			return gate;
	}
	return NULL;
}

static void
fill_address(struct sockaddr_un *addr, const char *path)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
}

/* Whether a program serves the socket file: 0 when none does, else -errno with a message. */
static int
probe(struct gate *gate, char *err, size_t err_size)
{
	const char *path = gate->path;
	struct socket_peer peer;
	struct sockaddr_un addr;
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cannot_listen(path, -errno, err, err_size, "%s", strerror(errno));
	fill_address(&addr, path);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0) {
		socket_peer_read(fd, &peer);
		ret = cannot_listen(path, -EADDRINUSE, err, err_size,
				"a program (pid %d, %s) already "
				"does; choose another name or stop it",
				(int)peer.pid, peer.program);
	} else if (errno == ECONNREFUSED) {
		ret = 0;
	} else if (errno == EAGAIN || errno == EPROTOTYPE) {
		ret = cannot_listen(path, -EADDRINUSE, err, err_size,
				"a program already does; "
				"choose another name or stop it");
	} else {
		ret = cannot_listen(path, -errno, err, err_size,
				"cannot tell whether a program "
				"already does (%s); choose another name or remove it",
				strerror(errno));
	}
	/* by the reaper, because its server may have sent descriptors already */
	fd_reaper_close(fd, gate->unclosed);
	return ret;
}

/* Removes a dead program's socket from the gate's path; fails if anything else is there. */
static int
clear_path(struct gate *gate, char *err, size_t err_size)
{
	const char *path = gate->path;
	const struct gate *other;
	struct stat st;
	int ret;

	if (lstat(path, &st) != 0)
		return 0; /* bind() will say more */
	if (!S_ISSOCK(st.st_mode))
		return cannot_listen(path, -EEXIST, err, err_size,
				"a file that is not a socket is there; "
				"choose another name or remove it");
	other = find_listening(&st);
	if (other != NULL)
		return cannot_listen(path, -EADDRINUSE, err, err_size,
				"port %s already does; "
				"choose another name or delete it",
				other->name);
	ret = probe(gate, err, err_size);
	if (ret != 0)
		return ret;
	if (unlink(path) != 0)
		return cannot_listen(path, -errno, err, err_size,
				"a dead program's socket is there "
				"and cannot be removed (%s); remove it",
				strerror(errno));
	log_info("removed %s: nobody served it any more", path);
	return 0;
}

/* Opens (O_PATH) the socket file that was made here. -ESTALE when another file is at its path. */
static int
open_own(const struct gate *gate)
{
	struct stat st;
	int fd = open(gate->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && st.st_dev == gate->listener.dev &&
			st.st_ino == gate->listener.ino)
		return fd;
	close(fd);
	return -ESTALE;
}

int
gate_listen_set_access(struct gate *gate, mode_t mode, uid_t owner, gid_t group, char *err,
		size_t err_size)
{
	int fd, ret;

	fd = open_own(gate);
	if (fd < 0) {
		snprintf(err, err_size,
				"cannot change the access to %s: it is no longer the socket of "
				"this port (%s); delete the port and add it again",
				gate->path, strerror(-fd));
		return fd;
	}
	ret = socket_file_set_access(fd, mode, owner, group);
	close(fd);
	if (ret == -EPERM)
		snprintf(err, err_size,
				"cannot change the access to %s: %s; only root may give it to "
				"another owner or to a group that the switch is not in",
				gate->path, strerror(-ret));
	else if (ret == -ENOENT)
		snprintf(err, err_size,
				"cannot change the access to %s: it has no name in /proc/self/fd; is "
				"/proc mounted?",
				gate->path);
	else if (ret != 0)
		snprintf(err, err_size, "cannot change the access to %s: %s", gate->path,
				strerror(-ret));
	return ret;
}

static void
pause_accepting(struct gate *gate, uint32_t ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L };

	event_del(&gate->listener.readable);
	event_add(&gate->listener.pause, &tv);
}

static void
on_pause_over(evutil_socket_t unused, short what, void *arg)
{
	struct gate *gate = arg;

	(void)unused;
	(void)what;
	event_add(&gate->listener.readable, NULL);
}

/* Counts a connection. Once this second has had its share, accepting pauses until the next second. */
static void
limit_rate(struct gate *gate)
{
	struct gate_listener *listener = &gate->listener;
	uint64_t now = clock_ns();

	if (now - listener->second_start >= NS_PER_S) {
		listener->second_start = now;
		listener->accepted = 0;
	}
	if (++listener->accepted >= ACCEPTS_PER_SECOND)
		pause_accepting(gate,
				(uint32_t)((listener->second_start + NS_PER_S - now) / 1000000) +
						1);
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct gate *gate = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), error;

	(void)what;
	if (fd >= 0) {
		gate->listener.trouble = 0;
		limit_rate(gate);
		gate->arrived(gate, fd);
		return;
	}
	error = errno;
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED) {
		gate->listener.trouble = 0; /* the kernel found a descriptor before it failed */
		return;
	}
	/* the socket stays readable: without a pause the loop would spin */
	if (gate->listener.trouble == 0)
		log_from(&gate->log, LOG_LEVEL_ERROR, "cannot accept a frontend: %s; still trying",
				strerror(error));
	gate->listener.trouble = error;
	pause_accepting(gate, PAUSE_MS);
}

/* What helps when accept4() fails. */
static const char *
remedy_of(int error)
{
	switch (error) {
	case EMFILE:
		return "raise the switch's limit of open files (LimitNOFILE=, ulimit -n)";
	case ENFILE:
		return "raise the host's limit of open files (sysctl fs.file-max), or end programs";
	default:
		return "free memory of the host";
	}
}

bool
gate_listen_trouble(const struct gate *gate, char *text, size_t size)
{
	int error = gate->listener.trouble;

	if (error == 0)
		return false;
	snprintf(text, size, "cannot accept a frontend on %s: %s; %s", gate->path, strerror(error),
			remedy_of(error));
	return true;
}

/* Notes which file bind() has made. 0 or -errno. */
static int
identify(struct gate *gate)
{
	struct stat st;
	int ret = 0, fd = socket_file_open(gate->path);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) != 0)
		ret = -errno;
	close(fd);
	if (ret != 0)
		return ret;
	gate->listener.dev = st.st_dev;
	gate->listener.ino = st.st_ino;
	return 0;
}

/*
 * bind() makes the file with the mode that the socket has, so the mode is set first. Nobody can
 * connect before listen().
 */
static int
open_socket(struct gate *gate, const struct gate_config *config, char *err, size_t err_size)
{
	struct sockaddr_un addr;
	int ret;

	fill_address(&addr, gate->path);
	if (fchmod(gate->listener.fd, config->mode & 0777) != 0)
		return cannot_listen(gate->path, -errno, err, err_size, "%s", strerror(errno));
	if (bind(gate->listener.fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		return cannot_listen(gate->path, -errno, err, err_size, "%s; %s", strerror(errno),
				errno == ENOENT ? "make its directory first"
						: "choose another path");
	ret = identify(gate);
	if (ret != 0)
		return cannot_listen(gate->path, ret, err, err_size,
				"somebody put another file in its place (%s); choose a directory "
				"in which only the switch may write",
				strerror(-ret));
	ret = gate_listen_set_access(
			gate, config->mode, config->owner, config->group, err, err_size);
	if (ret == 0 && listen(gate->listener.fd, BACKLOG) != 0)
		ret = cannot_listen(gate->path, -errno, err, err_size, "%s", strerror(errno));
	if (ret != 0)
		unlink(gate->path);
	return ret;
}

static int
reserve(struct gate *gate, char *err, size_t err_size)
{
	char why[GATE_TEXT_MAX];

	if (fd_budget_take(FD_BUDGET_LISTENER, why, sizeof(why)))
		return 0;
	return cannot_listen(gate->path, -EMFILE, err, err_size, "%s", why);
}

int
gate_listen_start(struct gate *gate, const struct gate_config *config, char *err, size_t err_size)
{
	struct gate_listener *listener = &gate->listener;
	int ret;

	ret = reserve(gate, err, err_size);
	if (ret != 0)
		return ret;
	ret = clear_path(gate, err, err_size);
	if (ret != 0)
		goto give_budget;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0) {
		ret = cannot_listen(gate->path, -errno, err, err_size, "%s", strerror(errno));
		goto give_budget;
	}
	ret = open_socket(gate, config, err, err_size);
	if (ret != 0)
		goto close_socket;
	event_assign(&listener->readable, gate->base, listener->fd, EV_READ | EV_PERSIST, on_accept,
			gate);
	event_assign(&listener->pause, gate->base, -1, 0, on_pause_over, gate);
	event_add(&listener->readable, NULL);
	LIST_INSERT_HEAD(&listening, gate, listener.link);
	return 0;

close_socket:
	close(listener->fd);
	listener->fd = -1;
give_budget:
	fd_budget_give(FD_BUDGET_LISTENER);
	return ret;
}

void
gate_listen_stop(struct gate *gate)
{
	struct gate_listener *listener = &gate->listener;
	int fd;

	if (listener->fd < 0)
		return;
	LIST_REMOVE(gate, listener.link);
	event_del(&listener->readable);
	event_del(&listener->pause);
	fd = open_own(gate);
	if (fd >= 0) {
		unlink(gate->path);
		close(fd);
	}
	/* by the reaper, because connections that were never accepted may hold descriptors */
	gate_drop(gate, listener->fd);
	listener->fd = -1;
	fd_budget_give(FD_BUDGET_LISTENER);
}
