/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reaper: what lingers, or holds what lingers, costs nobody its time; accounts; held batches; a
 * report that fails; the loss of the process.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "gate/fd_reaper.h"
#include "base/log.h"

/* A close that waits takes this long; nothing here may come near. */
#define LINGER_S 60
#define LIMIT_NS 20000000000ull

static struct event_base *base;
static struct fd_reaper_account *account;
static int *sends_to_fail; /* shared with the process: so many of the next send() of both fail */

/* The send() of both, instead of libc's. */
ssize_t send_or_fail(int fd, const void *data, size_t size, int flags) __asm__("send");

ssize_t
send_or_fail(int fd, const void *data, size_t size, int flags)
{
	if (__atomic_load_n(sends_to_fail, __ATOMIC_RELAXED) > 0) {
		__atomic_sub_fetch(sends_to_fail, 1, __ATOMIC_RELAXED);
		errno = ENOBUFS;
		return -1;
	}
	return sendto(fd, data, size, flags, NULL, 0);
}

static int
setup(void **state)
{
	(void)state;
	if (fd_reaper_fork() != 0)
		return -1;
	base = event_base_new();
	account = fd_reaper_open_account();
	return base == NULL || account == NULL ? -1 : fd_reaper_start(base);
}

static int
teardown(void **state)
{
	(void)state;
	fd_reaper_free_account(account);
	fd_reaper_stop();
	event_base_free(base);
	/* the process leaves when its socket is closed */
	return wait(NULL) > 0 ? 0 : -1;
}

/* Runs the loop until `done` says so. */
static void
run_until(bool (*done)(void))
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	uint64_t start = clock_ns();

	while (!done()) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		assert_true(clock_ns() - start < LIMIT_NS);
		nanosleep(&ms, NULL);
	}
}

static bool
nothing_pending(void)
{
	return fd_reaper_pending_all() == 0;
}

static uint32_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* A connected TCP socket with data that its peer does not read; close() waits LINGER_S for it. */
static int
make_lingering(int *peer)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	static const char data[65536];
	socklen_t len = sizeof(addr);
	int listener, near, size = 2048;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	near = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(near, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	assert_int_equal(connect(near, (struct sockaddr *)&addr, sizeof(addr)), 0);
	*peer = accept(listener, NULL, NULL);
	close(listener);
	setsockopt(near, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	while (send(near, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	return near;
}

/* True when the other end of the TCP connection has been closed, data unread. */
static void
expect_closed(int peer)
{
	struct pollfd pfd = { .fd = peer, .events = POLLRDHUP };
	char data[65536];
	uint64_t start = clock_ns();

	while (recv(peer, data, sizeof(data), MSG_DONTWAIT) != 0) {
		poll(&pfd, 1, 10);
		assert_true(clock_ns() - start < LIMIT_NS);
	}
	close(peer);
}

/* Puts a descriptor into a socket's queue; the copy here is closed. */
static void
put_into(int to, int fd)
{
	union {
		char buffer[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	assert_int_equal(sendmsg(to, &hdr, 0), 1);
	close(fd);
}

/* A UNIX socket in which `inner` lies unread. */
static int
wrap(int inner)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	put_into(pair[1], inner);
	close(pair[1]);
	return pair[0];
}

static void
test_lingering(void **state)
{
	uint32_t before = open_descriptors();
	int peers[4], i;

	(void)state;
	for (i = 0; i < 4; i++)
		fd_reaper_close(make_lingering(&peers[i]), account);
	assert_int_equal(fd_reaper_pending(account), 4);
	run_until(nothing_pending);
	for (i = 0; i < 4; i++)
		expect_closed(peers[i]);
	assert_int_equal(open_descriptors(), before);
}

/* Sockets in sockets: unread, and in the backlog of one that listens. */
static void
test_nested(void **state)
{
	struct sockaddr_un {
		sa_family_t family;
		char path[8];
	} addr = { AF_UNIX, "" };
	uint32_t before = open_descriptors();
	int peers[2], listener, client;
	socklen_t len = sizeof(addr);

	(void)state;
	fd_reaper_close(wrap(wrap(wrap(make_lingering(&peers[0])))), account);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	/* the kernel chooses an abstract name of five characters */
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&addr, len), 0);
	put_into(client, make_lingering(&peers[1]));
	close(client);
	fd_reaper_close(listener, account);
	run_until(nothing_pending);
	expect_closed(peers[0]);
	expect_closed(peers[1]);
	assert_int_equal(open_descriptors(), before);
}

/* More than a batch has, of all kinds: the thread's way is for what is no socket. */
static void
test_kinds_and_numbers(void **state)
{
	uint32_t before = open_descriptors();
	int ends[2], i;

	(void)state;
	for (i = 0; i < 300; i++) {
		fd_reaper_close(eventfd(0, 0), account);
		if (i % 30 != 0)
			continue;
		assert_int_equal(pipe(ends), 0);
		fd_reaper_close(ends[0], account);
		fd_reaper_close(ends[1], account);
	}
	run_until(nothing_pending);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(fd_reaper_resisting(account), 0);
}

static bool
one_pending(void)
{
	return fd_reaper_pending_all() == 1;
}

/* What is held stays open and counts, also when its account has ended. */
static void
test_held(void **state)
{
	struct fd_reaper_account *other = fd_reaper_open_account();
	struct fd_reaper_batch *held;
	int fd = eventfd(0, 0);

	(void)state;
	fd_reaper_close(eventfd(0, 0), account);
	fd_reaper_close(fd, other);
	held = fd_reaper_hold(other);
	assert_non_null(held);
	assert_null(fd_reaper_hold(other));
	run_until(one_pending);
	assert_int_equal(fd_reaper_pending(account), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	fd_reaper_free_account(other);
	fd_reaper_send(held);
	run_until(nothing_pending);
	assert_int_equal(eventfd_write(fd, 1), -1);
	fd_reaper_send(NULL);
}

/* The only child of this process. */
static pid_t
fd_reaper_pid(void)
{
	FILE *file = fopen("/proc/thread-self/children", "r");
	char line[64], *end;
	unsigned long pid;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	pid = strtoul(line, &end, 10);
	assert_string_equal(end, " ");
	return (pid_t)pid;
}

static bool
all_resist(void)
{
	return fd_reaper_resisting(account) == 9;
}

/* While it stands still nothing is lost, time shows what resists, and other accounts have their own. */
static void
test_stopped_process(void **state)
{
	struct fd_reaper_account *other = fd_reaper_open_account();
	pid_t pid = fd_reaper_pid();
	int peer, i;

	(void)state;
	kill(pid, SIGSTOP);
	for (i = 0; i < 9; i++)
		fd_reaper_close(eventfd(0, 0), account);
	assert_int_equal(fd_reaper_resisting(account), 0);
	run_until(all_resist);
	fd_reaper_close(make_lingering(&peer), other);
	assert_int_equal(fd_reaper_resisting(other), 0);
	kill(pid, SIGCONT);
	run_until(nothing_pending);
	expect_closed(peer);
	fd_reaper_free_account(other);
}

/* Many batches at once, each on an account of its own. */
static void
test_crowd(void **state)
{
	struct fd_reaper_account *crowd[1000];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		crowd[i] = fd_reaper_open_account();
		fd_reaper_close(eventfd(0, 0), crowd[i]);
		fd_reaper_free_account(crowd[i]);
	}
	run_until(nothing_pending);
}

static uint32_t wanted;

static bool
as_wanted(void)
{
	return open_descriptors() == wanted;
}

static void
test_report_fails(void **state)
{
	(void)state;
	*sends_to_fail = 2;
	fd_reaper_close(eventfd(0, 0), account);
	fd_reaper_close(eventfd(0, 0), account);
	run_until(nothing_pending);
	assert_int_equal(__atomic_load_n(sends_to_fail, __ATOMIC_RELAXED), 0);
}

static void
test_lost_process(void **state)
{
	pid_t pid = fd_reaper_pid();
	uint32_t before;
	int i;

	(void)state;
	log_info("the first line opens what the log needs");
	before = open_descriptors();
	kill(pid, SIGSTOP);
	fd_reaper_close(eventfd(0, 0), account);
	event_base_loop(base, EVLOOP_NONBLOCK);
	kill(pid, SIGKILL);
	run_until(nothing_pending);
	for (i = 0; i < 100; i++)
		fd_reaper_close(eventfd(0, 0), account);
	run_until(nothing_pending);
	/* what led to the process is gone as well; a thread that begins may open a file for a moment */
	wanted = before - 2;
	run_until(as_wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lingering, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds_and_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stopped_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_report_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_process, setup, teardown),
	};

	sends_to_fail = mmap(NULL, sizeof(*sends_to_fail), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sends_to_fail == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
