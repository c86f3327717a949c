/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/system/standard_fds.c, in a child for each set of descriptors that are closed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "system/standard_fds.h"

#define N_SETS 8

static void
close_set(unsigned int set)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if ((set >> fd & 1) != 0)
			close(fd);
}

/* The exit status of `child(set)`, which runs without the descriptors of the set. */
static int
run_without(unsigned int set, int (*child)(unsigned int set))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		close_set(set);
		_exit(child(set));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool
is_null_device(int fd)
{
	struct stat opened, device;

	return fstat(fd, &opened) == 0 && stat("/dev/null", &device) == 0 &&
			S_ISCHR(opened.st_mode) && opened.st_rdev == device.st_rdev;
}

/* What was closed is /dev/null, for reading and for writing, and the rest is as it was. */
static int
check_filled(unsigned int set)
{
	int fd;
	char byte = 0;

	if (standard_fds_open() != 0)
		return 1;
	for (fd = 0; fd <= STDERR_FILENO; fd++) {
		if ((set >> fd & 1) == 0)
			continue;
		if (!is_null_device(fd) || write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 0)
			return 2;
	}
	return open("/", O_RDONLY) > STDERR_FILENO ? 0 : 3;
}

static void
test_closed_ones_are_filled(void **state)
{
	unsigned int set;

	(void)state;
	for (set = 0; set < N_SETS; set++)
		assert_int_equal(run_without(set, check_filled), 0);
}

/* No descriptor may be opened at all. */
static int
check_failure(unsigned int set)
{
	const struct rlimit none = { 0 };

	(void)set;
	return setrlimit(RLIMIT_NOFILE, &none) == 0 && standard_fds_open() < 0 ? 0 : 1;
}

static void
test_failure_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_without(7, check_failure), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_ones_are_filled),
		cmocka_unit_test(test_failure_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
