/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/program/rundir.c and cpu_list.c: what the start asks of the system, and takes back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "program/cpu_list.h"
#include "program/rundir.h"

static char parent[] = "/tmp/test_rundir.XXXXXX";
static char dir[64];

static int
make_parent(void **state)
{
	(void)state;
	snprintf(parent, sizeof(parent), "/tmp/test_rundir.XXXXXX");
	if (mkdtemp(parent) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/d", parent);
	return 0;
}

static int
remove_parent(void **state)
{
	(void)state;
	return rmdir(parent);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void
touch(const char *format, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), format, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void
test_comes_and_goes(void **state)
{
	struct rundir rundir;
	char err[512];

	(void)state;
	umask(077);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), 0);
	umask(022);
	assert_int_equal(mode_of(dir), 0711);
	assert_int_equal(mode_of(rundir.private_dir), 0700);
	touch("%s/what-eal-leaves", rundir.private_dir);
	rundir_close(&rundir);
	assert_int_equal(access(dir, F_OK), -1);
}

static void
test_directory_of_others_stays(void **state)
{
	struct rundir rundir;
	char err[512], file[80];

	(void)state;
	assert_int_equal(mkdir(dir, 0750), 0);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), 0);
	rundir_close(&rundir);
	assert_int_equal(mode_of(dir), 0750);
	touch("%s/file", dir);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), 0);
	rundir_close(&rundir);
	assert_int_equal(mode_of(dir), 0750);
	assert_int_equal(access(rundir.private_dir, F_OK), -1);
	snprintf(file, sizeof(file), "%s/file", dir);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Record locks are a process's: the second switch has to be another one. */
static void
test_second_is_refused_by_pid(void **state)
{
	struct rundir rundir, second;
	char err[512], pid[32];
	int status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), 0);
	snprintf(pid, sizeof(pid), "pid %d", (int)getpid());
	child = fork();
	if (child == 0)
		_exit(rundir_open(&second, dir, err, sizeof(err)) == -EBUSY &&
								strstr(err, pid) != NULL &&
								strstr(err, dir) != NULL
						? 0
						: 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(access(rundir.private_dir, F_OK), 0);
	rundir_close(&rundir);
}

static void
test_leftovers_are_cleared(void **state)
{
	struct rundir rundir;
	char err[512], file[128];
	int status = -1;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0)
		_exit(rundir_open(&rundir, dir, err, sizeof(err)) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	snprintf(file, sizeof(file), "%s/private/sub", dir);
	assert_int_equal(mkdir(file, 0700), 0);
	touch("%s/file", file);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), 0);
	assert_int_equal(access(file, F_OK), -1);
	rundir_close(&rundir);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_private_part_must_be_ours(void **state)
{
	struct rundir rundir;
	char err[512], private_dir[80], other[80];

	(void)state;
	snprintf(private_dir, sizeof(private_dir), "%s/private", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(other, sizeof(other), "%s/other", parent);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(symlink(other, private_dir), 0);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), -EPERM);
	assert_int_equal(unlink(private_dir), 0);
	assert_int_equal(rmdir(other), 0);
	assert_int_equal(mkdir(private_dir, 0755), 0);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, private_dir));
	assert_int_equal(rmdir(private_dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_directories_that_cannot_be(void **state)
{
	struct rundir rundir;
	char err[512], path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/no/such", parent);
	assert_int_equal(rundir_open(&rundir, path, err, sizeof(err)), -ENOENT);
	touch("%s", dir);
	assert_int_equal(rundir_open(&rundir, dir, err, sizeof(err)), -ENOTDIR);
	assert_int_equal(unlink(dir), 0);
	snprintf(path, sizeof(path), "%s/%080d", parent, 1);
	assert_int_equal(rundir_open(&rundir, path, err, sizeof(err)), -ENAMETOOLONG);
	assert_non_null(strstr(err, path));
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_cpu_lists(void **state)
{
	static const char *const wrong[] = { "", ",", "1,", "a", "1-", "-1", "3-1", "1 ", "1;2",
		"1,1", "0-1", "9", "99999999999999999999", "2000" };
	cpu_set_t allowed;
	char text[64], err[512];
	int cpus[4];
	size_t i;

	(void)state;
	CPU_ZERO(&allowed);
	for (i = 1; i < 7; i++)
		CPU_SET(i, &allowed);
	assert_int_equal(cpu_list_parse("5,1-3", &allowed, cpus, 4, err, sizeof(err)), 4);
	assert_int_equal(cpus[0], 5);
	assert_int_equal(cpus[3], 3);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (cpu_list_parse(wrong[i], &allowed, cpus, 4, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' was accepted", wrong[i]);
	assert_int_equal(cpu_list_parse("1-5", &allowed, cpus, 4, err, sizeof(err)), -EINVAL);
	assert_int_equal(cpu_list_parse("0", &allowed, cpus, 4, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "1-6"));
	CPU_SET(9, &allowed);
	assert_int_equal(cpu_list_format(&allowed, text, sizeof(text)), 0);
	assert_string_equal(text, "1-6,9");
	assert_int_equal(cpu_list_format(&allowed, text, 5), -ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_and_goes, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(
				test_directory_of_others_stays, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(
				test_second_is_refused_by_pid, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(
				test_leftovers_are_cleared, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(
				test_private_part_must_be_ours, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(
				test_directories_that_cannot_be, make_parent, remove_parent),
		cmocka_unit_test(test_cpu_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
