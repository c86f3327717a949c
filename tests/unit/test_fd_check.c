/* SPDX-License-Identifier: BSD-3-Clause */
/* What kind of descriptor it is, of each kind that there is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "gate/fd_check.h"

#define SIZE 12288

static struct vhost_fd facts;

/* Checks `fd` and closes it. */
static void
expect_kind(int fd, enum vhost_fd_kind kind)
{
	assert_true(fd >= 0);
	fd_check(fd, &facts);
	assert_int_equal(facts.kind, kind);
	close(fd);
}

static int
make_memory(unsigned int flags)
{
	int fd = memfd_create("memory", flags);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	return fd;
}

static void
test_memory(void **state)
{
	struct stat st;
	int fd = make_memory(0);

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	expect_kind(fd, VHOST_FD_MEMORY);
	assert_true(facts.writable);
	assert_int_equal(facts.size, SIZE);
	assert_int_equal(facts.ino, st.st_ino);
	assert_int_equal(facts.dev, st.st_dev);
	expect_kind(open("/dev/shm", O_TMPFILE | O_RDWR, 0600), VHOST_FD_MEMORY);
}

static void
test_memory_that_cannot_be_written(void **state)
{
	static const int seals[] = { F_SEAL_WRITE, 0x0010 /* F_SEAL_FUTURE_WRITE */ };
	char path[32];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 2; i++) {
		fd = make_memory(MFD_ALLOW_SEALING);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		fd_check(fd, &facts);
		assert_true(facts.writable);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
		expect_kind(fd, VHOST_FD_MEMORY);
		assert_false(facts.writable);
	}
	fd = make_memory(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	expect_kind(open(path, O_RDONLY), VHOST_FD_MEMORY);
	assert_false(facts.writable);
	close(fd);
}

static void
test_eventfd(void **state)
{
	(void)state;
	expect_kind(eventfd(0, 0), VHOST_FD_EVENTFD);
	expect_kind(eventfd(5, EFD_NONBLOCK | EFD_SEMAPHORE), VHOST_FD_EVENTFD);
}

static void
test_others(void **state)
{
	char name[] = "anon_inode:[eventfd]";
	int pair[2];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	expect_kind(pair[0], VHOST_FD_OTHER);
	expect_kind(pair[1], VHOST_FD_OTHER);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	expect_kind(pair[0], VHOST_FD_OTHER);
	expect_kind(pair[1], VHOST_FD_OTHER);
	expect_kind(open("/dev/null", O_RDWR), VHOST_FD_OTHER);
	expect_kind(open("/dev/zero", O_RDWR), VHOST_FD_OTHER);
	expect_kind(open("/proc/self/exe", O_RDONLY), VHOST_FD_OTHER);
	expect_kind(open("/dev/shm", O_RDONLY | O_DIRECTORY), VHOST_FD_OTHER);
	expect_kind(epoll_create1(0), VHOST_FD_OTHER);
	expect_kind(timerfd_create(CLOCK_MONOTONIC, 0), VHOST_FD_OTHER);
	/* a file may be called like an eventfd, but not be at such a path */
	expect_kind(memfd_create(name, 0), VHOST_FD_MEMORY);
}

static void
test_map(void **state)
{
	int fd = make_memory(0);

	(void)state;
	assert_int_equal(fd_check_map(fd, SIZE), 0);
	assert_int_equal(fd_check_map(fd, 1), 0);
	close(fd);
	fd = make_memory(MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(fd_check_map(fd, SIZE), -EPERM);
	close(fd);
	/* more huge pages than any machine has */
	fd = memfd_create("huge", MFD_HUGETLB);
	if (fd >= 0) {
		assert_int_equal(fd_check_map(fd, 1ull << 46), -ENOMEM);
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_that_cannot_be_written),
		cmocka_unit_test(test_eventfd),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
