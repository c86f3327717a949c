/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/control/config_save.c: a file is the old one or the new one, whole, whatever goes wrong. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/config_save.h"

static char dir[] = "/tmp/test_config_save.XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_config_save.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	char link[64];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	unlink(link);
	unlink(path);
	/* fails, and so does the test, when something was left behind */
	return rmdir(dir);
}

static int
save(const char *name, const char *text, char *err, size_t err_size)
{
	return config_save_write(name, text, strlen(text), err, err_size);
}

static void
holds(const char *name, const char *expected)
{
	char text[64] = "";
	int fd = open(name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(expected));
	assert_string_equal(text, expected);
	close(fd);
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 07777;
}

static void
test_new_file(void **state)
{
	char err[512];

	(void)state;
	umask(022);
	assert_int_equal(save(path, "one", err, sizeof(err)), 0);
	holds(path, "one");
	assert_int_equal(mode_of(path), 0644);
}

static void
test_old_file_keeps_its_mode(void **state)
{
	char err[512];
	int old;

	(void)state;
	assert_int_equal(save(path, "a longer one", err, sizeof(err)), 0);
	assert_int_equal(chmod(path, 0640), 0);
	old = open(path, O_RDONLY);
	assert_int_equal(save(path, "two", err, sizeof(err)), 0);
	holds(path, "two");
	assert_int_equal(mode_of(path), 0640);
	/* whoever reads the old one meanwhile reads all of it */
	assert_int_equal(lseek(old, 0, SEEK_END), 12);
	close(old);
}

static void
test_link_keeps_its_place(void **state)
{
	char err[512], link[64];
	struct stat st;

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(save(path, "one", err, sizeof(err)), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(save(link, "two", err, sizeof(err)), 0);
	holds(path, "two");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void
test_link_to_nothing(void **state)
{
	char err[512], link[64];
	struct stat st;

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(save(link, "one", err, sizeof(err)), 0);
	holds(path, "one");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	unlink(link);
	assert_int_equal(symlink("link", link), 0);
	assert_int_equal(save(link, "two", err, sizeof(err)), -ELOOP);
	unlink(link);
	assert_int_equal(symlink("no/such", link), 0);
	assert_int_equal(save(link, "two", err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, link));
}

/* Its name leads to a file, but stands for what is open. */
static void
test_descriptor(void **state)
{
	char err[512], name[64];
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_true(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	assert_int_equal(save(name, "one", err, sizeof(err)), -EBADF);
	assert_non_null(strstr(err, "name the file itself"));
	holds(path, "");
	close(fd);
}

/* A limit of the process stands in for a full disk: both are a write that fails halfway. */
static void
test_no_room(void **state)
{
	struct rlimit limit = { 8, RLIM_INFINITY };
	char err[512];
	int ret;

	(void)state;
	assert_int_equal(save(path, "old", err, sizeof(err)), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ret = save(path, "a text of more than eight bytes", err, sizeof(err));
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(ret, -EFBIG);
	assert_non_null(strstr(err, path));
	assert_non_null(strstr(err, "the old file is as it was"));
	holds(path, "old");
}

static void
test_no_directory(void **state)
{
	char err[512], name[64];

	(void)state;
	snprintf(name, sizeof(name), "%s/no/such", dir);
	assert_int_equal(save(name, "x", err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, name));
}

/* Only in the test's own directory: a defect here would replace what stands at the path. */
static void
test_no_regular_file(void **state)
{
	char err[512];

	(void)state;
	assert_int_equal(save(dir, "x", err, sizeof(err)), -EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(save(path, "x", err, sizeof(err)), -EEXIST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_file, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_old_file_keeps_its_mode, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_link_keeps_its_place, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_link_to_nothing, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_descriptor, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_no_room, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_no_directory, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_no_regular_file, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
