/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See config_file.h. A child process opens and reads the file: a FIFO without a writer, or a mount
 * whose server has died, may hold it up for ever, in the kernel's worst case so that not even
 * SIGKILL ends it. The switch then leaves without the child.
 */
#include "config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/write_all.h"

#define FILE_MAX (16u << 20) /* bytes; a thousand ports take less than one */
#define SIZE_FIRST 4096

struct content {
	char *text;
	size_t len, size;
};

static int
make_room(struct content *content)
{
	size_t size = content->size != 0 ? 2 * content->size : SIZE_FIRST;
	char *grown;

	if (content->len < content->size)
		return 0;
	grown = realloc(content->text, size);
	if (grown == NULL)
		return -ENOMEM;
	content->text = grown;
	content->size = size;
	return 0;
}

/* Reads a piece more. 1: there may be more; 0: that was the end; or -errno. */
static int
read_piece(int fd, struct content *content)
{
	int ret = make_room(content);
	ssize_t n;

	if (ret != 0)
		return ret;
	n = read(fd, content->text + content->len, content->size - content->len);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	content->len += (size_t)n;
	if (content->len > FILE_MAX)
		return -EFBIG;
	return n > 0;
}

/* ---- The child ---- */

static int
pass_on(const char *path, int to_parent)
{
	struct content content = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), ret = 1;

	if (fd < 0)
		return -errno;
	while (ret > 0)
		ret = read_piece(fd, &content);
	/* closed before the pipe is, because the file's owner may hold up this close too */
	close(fd);
	if (ret == 0)
		ret = write_all(to_parent, content.text, content.len);
	free(content.text);
	return ret;
}

static void __attribute__((noreturn)) run_child(const char *path, int to_parent, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EINTR);
	_exit(-pass_on(path, to_parent));
}

/* ---- The parent ---- */

/* 0 when `fd` is readable, -EINTR when the switch is to end. */
static int
wait_readable(int fd, int stop_fd)
{
	struct pollfd pfd[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	while (poll(pfd, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return pfd[1].revents != 0 ? -EINTR : 0;
}

static int
take_over(int from_child, int stop_fd, struct content *content)
{
	int ret = 1;

	while (ret > 0) {
		ret = wait_readable(from_child, stop_fd);
		if (ret == 0)
			ret = read_piece(from_child, content);
	}
	return ret;
}

/* The child's -errno: it has closed its end of the pipe, and nothing holds it up any more. */
static int
child_result(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	/* -EINTR is a signal of ours */
	return WIFEXITED(status) && WEXITSTATUS(status) != EINTR ? -WEXITSTATUS(status) : -EIO;
}

static int
read_by_child(const char *path, int stop_fd, int pipe_fds[2], struct content *content)
{
	pid_t parent = getpid(), pid = fork();
	int ret;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(path, pipe_fds[1], parent);
	close(pipe_fds[1]);
	pipe_fds[1] = -1;
	ret = take_over(pipe_fds[0], stop_fd, content);
	if (ret == 0)
		return child_result(pid);
	kill(pid, SIGKILL);
	return ret;
}

int
config_file_read(const char *path, int stop_fd, char **text, size_t *len)
{
	struct content content = { 0 };
	int pipe_fds[2], ret;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	ret = read_by_child(path, stop_fd, pipe_fds, &content);
	close(pipe_fds[0]);
	if (pipe_fds[1] >= 0)
		close(pipe_fds[1]);
	if (ret != 0) {
		free(content.text);
		return ret;
	}
	*text = content.text;
	*len = content.len;
	return 0;
}
