/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/netlink/netns.c against namespaces that iproute2 makes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <net/if.h>

#include <cmocka.h>

#include "netlink/netns.h"
#include "netns_world.h"

#define END_LIMIT_MS 20000 /* for the kernel to end a namespace */

static char err[256];

static int
open_good(const char *name)
{
	int fd = netns_open(name, err, sizeof(err));

	if (fd < 0)
		fail_msg("%s", err);
	return fd;
}

/* netns_open() fails with that code and words that have both texts in them. */
static void
check_refused(const char *name, int code, const char *a, const char *b)
{
	assert_int_equal(netns_open(name, err, sizeof(err)), code);
	if (strstr(err, a) == NULL || strstr(err, b) == NULL)
		fail_msg("neither '%s' nor '%s' may lack in: %s", a, b, err);
}

static void
test_open(void **state)
{
	int by_name, by_path, own, of_self;

	(void)state;
	world_run("ip netns add open1");
	by_name = open_good("open1");
	by_path = open_good("/run/netns/open1");
	own = netns_own(err, sizeof(err));
	of_self = open_good("/proc/self/ns/net");
	assert_true(own >= 0);
	assert_true(netns_same(by_name, by_path));
	assert_true(netns_same(own, of_self));
	assert_false(netns_same(by_name, own));
	assert_int_equal(fcntl(by_name, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(by_name);
	close(by_path);
	close(own);
	close(of_self);
	world_run("ip netns del open1");
}

static void
test_unknown_names(void **state)
{
	(void)state;
	check_refused("lonely", -ENOENT, "there is no named one at all", "ip netns add lonely");
	world_run("ip netns add frontend && ip netns add backend");
	check_refused("frontedn", -ENOENT, "there are: backend, frontend",
			"did you mean frontend?");
	check_refused("812", -ENOENT, "812", "/proc/812/ns/net");
	check_refused("", -EINVAL, "neither a name", "absolute path");
	check_refused("..", -EINVAL, "\"..\"", "absolute path");
	check_refused("a/b", -EINVAL, "a/b", "absolute path");
	world_run("ip netns del frontend && ip netns del backend");
}

static void
test_many_names(void **state)
{
	(void)state;
	world_run("for i in $(seq 100 140); do ip netns add space$i; done");
	check_refused("other", -ENOENT, "space100, space101", ", ...");
	assert_true(strlen(err) < sizeof(err) - 1);
	world_run("for i in $(seq 100 140); do ip netns del space$i; done");
}

static void
test_long_name(void **state)
{
	char name[5000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(netns_open(name, err, sizeof(err)), -ENAMETOOLONG);
}

/* A process that was there and has ended. */
static void
test_process_gone(void **state)
{
	char path[64];
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	check_refused(path, -ENOENT, "has ended", path);
}

/* Opening it would fail in another way. */
static void
make_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void
test_no_namespace(void **state)
{
	(void)state;
	make_socket("/run/socket");
	world_run("mkfifo /run/fifo && touch /run/file /run/netns/left");
	check_refused("/run/nothing", -ENOENT, "no such file", "/proc/PID/ns/net");
	check_refused("/run/fifo", -EINVAL, "not a namespace", "/run/fifo");
	check_refused("/run/socket", -EINVAL, "not a namespace", "/run/socket");
	check_refused("/run/file", -EINVAL, "not a namespace", "/run/file");
	check_refused("/dev/null", -EINVAL, "not a namespace", "/dev/null");
	check_refused("/proc/self/ns/mnt", -EINVAL, "another type", "/proc/self/ns/mnt");
	check_refused("left", -EINVAL, "left over", "ip netns delete left");
	world_run("rm /run/fifo /run/socket /run/file /run/netns/left");
}

static pthread_t worked_in;

/* How many interfaces the thread's namespace has. */
static int
count_interfaces(void *arg)
{
	struct if_nameindex *names = if_nameindex();
	int n = 0;

	*(int *)arg += 1;
	worked_in = pthread_self();
	while (names != NULL && names[n].if_index != 0)
		n++;
	if_freenameindex(names);
	return n;
}

static void
test_run(void **state)
{
	int fd, own, calls = 0, here, there = 0;

	(void)state;
	world_run("ip netns add run1 && ip link add veth0 type veth peer name veth1");
	own = netns_own(err, sizeof(err));
	fd = open_good("run1");
	here = count_interfaces(&calls);
	assert_int_equal(netns_run(fd, count_interfaces, &calls, &there, err, sizeof(err)), 0);
	assert_int_equal(there, 1);
	assert_true(here >= 3);
	assert_false(pthread_equal(worked_in, pthread_self()));
	assert_int_equal(count_interfaces(&calls), here);
	assert_int_equal(netns_run(own, count_interfaces, &calls, &there, err, sizeof(err)), 0);
	assert_int_equal(there, here);
	assert_true(pthread_equal(worked_in, pthread_self()));
	assert_int_equal(calls, 4);
	close(fd);
	close(own);
	world_run("ip link del veth0 && ip netns del run1");
}

static void
run_refused(void *arg)
{
	int calls = 0, result = 7;

	assert_int_equal(
			netns_run(*(int *)arg, count_interfaces, &calls, &result, err, sizeof(err)),
			-EPERM);
	assert_int_equal(calls, 0);
	assert_int_equal(result, 7);
	assert_non_null(strstr(err, "CAP_SYS_ADMIN"));
}

static void
test_run_without_rights(void **state)
{
	int fd;

	(void)state;
	world_run("ip netns add run2");
	fd = open_good("run2");
	world_without(CAP_SYS_ADMIN, run_refused, &fd);
	close(fd);
	world_run("ip netns del run2");
}

static void
test_run_in_no_namespace(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), calls = 0, result;

	(void)state;
	assert_int_equal(netns_run(fd, count_interfaces, &calls, &result, err, sizeof(err)),
			-EINVAL);
	assert_int_equal(calls, 0);
	close(fd);
}

static void
of_tap_refused(void *arg)
{
	assert_int_equal(netns_of_tap(*(int *)arg, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "CAP_NET_ADMIN"));
}

/* Wherever a TAP's interface goes, and when its namespace ends with it. */
static void
test_of_tap(void **state)
{
	int tap = world_open_tap("tap0"), own = netns_own(err, sizeof(err)), fd, there;
	struct pollfd ready = { .fd = tap, .events = POLLIN };

	(void)state;
	fd = netns_of_tap(tap, err, sizeof(err));
	assert_true(netns_same(fd, own));
	close(fd);
	world_without(CAP_NET_ADMIN, of_tap_refused, &tap);
	world_run("ip netns add tap1 && ip link set tap0 netns tap1");
	there = open_good("tap1");
	fd = netns_of_tap(tap, err, sizeof(err));
	assert_true(netns_same(fd, there));
	close(fd);
	close(there);
	world_run("ip netns del tap1");
	assert_int_equal(poll(&ready, 1, END_LIMIT_MS), 1);
	assert_int_equal(ready.revents & POLLERR, POLLERR);
	assert_int_equal(netns_of_tap(tap, err, sizeof(err)), -EBADFD);
	assert_non_null(strstr(err, "has ended"));
	close(tap);
	close(own);
}

static void
test_of_no_tap(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(netns_of_tap(fd, err, sizeof(err)), -ENOTTY);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_process_gone),
		cmocka_unit_test(test_no_namespace),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_run_without_rights),
		cmocka_unit_test(test_run_in_no_namespace),
		cmocka_unit_test(test_of_tap),
		cmocka_unit_test(test_of_no_tap),
	};

	return cmocka_run_group_tests(tests, world_enter, NULL);
}
