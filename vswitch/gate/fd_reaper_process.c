/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reaper process. A stranger decides how long the last close of his socket lasts: SO_LINGER says
 * how long close() waits for unsent data, up to years. The kernel spares only an exiting task this
 * wait. So a child receives each batch of descriptors and exits with all of them open. The same exit
 * releases what the descriptors hold: a UNIX socket holds unread messages, these hold descriptors,
 * and so on.
 *
 * It is a process, forked before the switch has threads or descriptors, because of the table of
 * descriptors. A thread of the switch shares the switch's table and cannot exit with a part of it. A
 * thread with a copy of the table (unshare(CLONE_FILES)) would hold every file of the switch while one
 * close in it hangs: no frontend would see the end of its connection, and no listening socket would
 * be free. A child of this process has the descriptors of its one message, the socket on which it
 * came, and nothing else.
 *
 * A child must not exit before the switch has closed its own copies, because those closes would be
 * the last. So the switch sends a batch, closes its copies, and then releases the batch by an eventfd.
 * Meanwhile the message in the socket keeps the files open.
 *
 * The child shares memory with this process, which stands still until the child begins to exit
 * (CLONE_VFORK). So the child can say in `taken` which batch it has, and a batch costs no copy of page
 * tables. A child that waitpid() returns has closed everything.
 *
 * SO_LINGER is not switched off first, because setsockopt() waits for the socket's lock. A stranger
 * keeps that lock as long as he likes by sending on the socket from memory that he withholds.
 */
#include "fd_reaper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A close that never ends leaves its child behind. With so many children the next batches wait. */
#define CHILDREN_MAX 4096

/* Until the next attempt when clone() failed or a report could not be sent. */
#define RETRY_MS 100

/* Attempts at a write of which no way to fail is known. */
#define GO_TRIES 3

/* The descriptors that the process keeps: its end of the socket, and the eventfd. */
#define SOCKET 0
#define GO 1

union control {
	char buffer[CMSG_SPACE(FD_REAPER_BATCH_MAX * sizeof(int))];
	struct cmsghdr align;
};

static struct {
	pid_t pid;   /* 0: it has ended, and the report to the switch is pending */
	uint32_t id; /* of its batch; 0: it had none */
} children[CHILDREN_MAX];
static uint32_t n_children;
static volatile uint32_t taken; /* written by the child */
static char stack[65536] __attribute__((aligned(64)));

/* Runs in the child. */
static int
take_and_exit(void *unused)
{
	union control control;
	uint32_t id = 0;
	struct iovec iov = { .iov_base = &id, .iov_len = sizeof(id) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};

	(void)unused;
	if (recvmsg(SOCKET, &hdr, MSG_DONTWAIT) == (ssize_t)sizeof(id))
		taken = id;
	return 0;
}

/* False when clone() fails. */
static bool
start_child(void)
{
	eventfd_t count;
	pid_t pid;

	taken = 0;
	pid = clone(take_and_exit, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	if (pid < 0)
		return false;
	(void)eventfd_read(GO, &count);
	children[n_children].pid = pid;
	children[n_children].id = taken;
	n_children++;
	return true;
}

static void
note_end(pid_t pid)
{
	uint32_t i;

	for (i = 0; i < n_children && children[i].pid != pid; i++)
		;
	if (i < n_children)
		children[i].pid = 0;
}

/*
 * False when a report could not be sent. The report is kept, because a batch that is never reported
 * counts against its port for ever.
 */
static bool
report_ended(void)
{
	uint32_t i = 0, id;

	while (i < n_children) {
		id = children[i].id;
		if (children[i].pid != 0)
			i++;
		else if (id == 0 || send(SOCKET, &id, sizeof(id), MSG_NOSIGNAL) >= 0)
			children[i] = children[--n_children];
		else
			return false;
	}
	return true;
}

static void
bury(int signals)
{
	struct signalfd_siginfo info;
	pid_t pid;

	(void)!read(signals, &info, sizeof(info));
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		note_end(pid);
}

/* Blocks all signals, a terminal's too: only the end of the switch's socket ends the process. */
static int
prepare(int to_switch, int go)
{
	sigset_t all;
	int high;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "vswitchd-reaper");
	/* the eventfd may have the socket's number */
	high = fcntl(go, F_DUPFD, GO + 1);
	if (high < 0 || dup2(to_switch, SOCKET) < 0 || dup2(high, GO) < 0)
		_exit(1);
	closefrom(GO + 1);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	return signalfd(-1, &all, SFD_NONBLOCK);
}

static void __attribute__((noreturn)) serve(int to_switch, int go)
{
	int signals = prepare(to_switch, go);
	struct pollfd pfd[3] = {
		{ .fd = SOCKET },
		{ .fd = GO },
		{ .fd = signals, .events = POLLIN },
	};
	bool starved = false, owes = false;

	for (;;) {
		pfd[1].events = n_children < CHILDREN_MAX && !starved ? POLLIN : 0;
		if (poll(pfd, 3, starved || owes ? RETRY_MS : -1) < 0)
			continue;
		if ((pfd[0].revents & (POLLHUP | POLLERR)) != 0)
			exit(0);
		if (pfd[2].revents != 0)
			bury(signals);
		owes = !report_ended();
		starved = (pfd[1].revents & POLLIN) != 0 && !start_child();
	}
}

int
fd_reaper_process_fork(struct fd_reaper_process *process)
{
	int pair[2], go;
	pid_t pid;

	go = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
	if (go < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		close(go);
		return -errno;
	}
	pid = fork();
	if (pid == 0)
		serve(pair[1], go);
	close(pair[1]);
	*process = (struct fd_reaper_process){ .fd = pair[0], .go = go };
	if (pid > 0)
		return 0;
	fd_reaper_process_leave(process);
	return -EAGAIN;
}

void
fd_reaper_process_leave(struct fd_reaper_process *process)
{
	if (process->fd < 0)
		return;
	close(process->fd);
	close(process->go);
	process->fd = -1;
}

static int
send_copies(int to, uint32_t id, const int *fds, uint32_t n)
{
	union control control = { .buffer = { 0 } };
	struct iovec iov = { .iov_base = &id, .iov_len = sizeof(id) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
	ssize_t sent;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	do
		sent = sendmsg(to, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? -errno : -EAGAIN;
}

int
fd_reaper_process_send(struct fd_reaper_process *process, uint32_t id, const int *fds, uint32_t n)
{
	int ret = process->fd < 0 ? -EPIPE : send_copies(process->fd, id, fds, n);
	uint32_t i;

	if (ret != 0)
		return ret;
	for (i = 0; i < n; i++)
		close(fds[i]);
	/* tried again, because a batch that is not released stays open */
	for (int tries = 0; tries < GO_TRIES && eventfd_write(process->go, 1) < 0; tries++)
		;
	return 0;
}

int64_t
fd_reaper_process_report(const struct fd_reaper_process *process)
{
	uint32_t id;
	ssize_t n = recv(process->fd, &id, sizeof(id), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(id))
		return id;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return -EPIPE;
}
