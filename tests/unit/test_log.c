/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks vswitch/base/log.c and sd_notify.c: lines that reach their reader, or are counted, and never
 * block. Each case of the log runs in a child with its own stderr, since a process opens it once.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/sd_notify.h"

#define FLOOD 20000 /* lines; far more than a pipe or a socket holds */
#define LIMIT_MS 10000
#define LOUD_LINES 5000

/* Runs `talk` in a child whose stderr is `end`; returns its pid. */
static pid_t
start(void (*talk)(int ready, int go), int end, int ready, int go)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	dup2(end, STDERR_FILENO);
	alarm(LIMIT_MS / 1000);
	talk(ready, go);
	_exit(0);
}

static void
wait_for(pid_t child)
{
	int status = -1;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* All that was written until every writer was gone, new. */
static char *
read_all(int fd)
{
	char *text = NULL, *longer;
	size_t len = 0;
	ssize_t n;

	do {
		longer = realloc(text, len + 4097);
		assert_non_null(longer);
		text = longer;
		n = read(fd, text + len, 4096);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[len] = '\0';
	return text;
}

static void
say_some(int ready, int go)
{
	(void)ready;
	(void)go;
	log_info("one %d", 1);
	log_debug("not this");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("this");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("nor this");
	log_error("a\nb\x1b[31mc");
	log_error("%5000s|", "long");
}

static void
test_lines(void **state)
{
	static const char expected[] = "info: one 1\ndebug: this\nerror: a?b?[31mc\nerror:   ";
	int pipe_fds[2];
	pid_t child;
	char *text;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	child = start(say_some, pipe_fds[1], -1, -1);
	close(pipe_fds[1]);
	text = read_all(pipe_fds[0]);
	wait_for(child);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	assert_true(strlen(text) < 4096);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_ptr_equal(strchr(strstr(text, "error:  "), '\n'), text + strlen(text) - 1);
	free(text);
	close(pipe_fds[0]);
}

/* A frontend that talks too much, beside one that does not. */
static void
say_too_much(int ready, int go)
{
	struct log_bucket loud = LOG_BUCKET("port loud");
	static struct log_bucket calm = LOG_BUCKET("port calm");

	(void)ready;
	(void)go;
	for (int i = 0; i < LOUD_LINES; i++)
		log_from(&loud, i == LOUD_LINES - 1 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s",
				"x");
	log_from(&loud, LOG_LEVEL_DEBUG, "not wanted, so not counted either");
	log_from(&calm, LOG_LEVEL_INFO, "heard");
	log_tell_left_out();
	log_info("not told yet");
	usleep(1100000);
	log_tell_left_out();
	log_tell_left_out();
	log_from(&loud, LOG_LEVEL_INFO, "heard again");
	for (int i = 0; i < LOG_BURST; i++)
		log_from(&loud, LOG_LEVEL_INFO, "some more");
	log_bucket_release(&loud);
}

/* A number as log.c writes it, below a million. */
static unsigned int
read_count(const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*end == ',')
		count = count * 1000 + strtoul(end + 1, NULL, 10);
	return (unsigned int)count;
}

static void
test_bucket(void **state)
{
	static const char loud[] = "warning: port loud: x\n", more[] = "error: port loud: and ";
	unsigned int written = 0, left_out;
	const char *at, *told;
	int pipe_fds[2];
	pid_t child;
	char *text;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	child = start(say_too_much, pipe_fds[1], -1, -1);
	close(pipe_fds[1]);
	text = read_all(pipe_fds[0]);
	wait_for(child);
	for (at = text; strncmp(at, loud, sizeof(loud) - 1) == 0; at += sizeof(loud) - 1)
		written++;
	/* a slow machine has another second's line */
	assert_uint_in_range(written, LOG_BURST, LOG_BURST + LIMIT_MS / 1000 * LOG_RATE);
	told = strstr(text, more);
	assert_non_null(told);
	left_out = read_count(told + sizeof(more) - 1);
	assert_int_equal(written + left_out, LOUD_LINES);
	assert_non_null(strstr(told, ",")); /* 4,970 and not 4970 */
	at = strstr(text, "info: port calm: heard\ninfo: not told yet\nerror: port loud: and ");
	assert_non_null(at);
	assert_null(strstr(told + 1, more));
	assert_non_null(strstr(told, " more\ninfo: port loud: heard again\n"));
	assert_non_null(strstr(told, "info: port loud: and "));
	assert_null(strstr(text, "not wanted"));
	free(text);
	close(pipe_fds[0]);
}

/* Ends its flood although nobody reads; says one more line when it may. */
static void
flood(int ready, int go)
{
	char byte = 0;
	int i;

	for (i = 0; i < FLOOD; i++)
		log_info("line %06d of many that nobody reads", i);
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	log_info("the last");
}

static void
check_flood(int reader, int writer)
{
	int ready[2], go[2];
	char data[65536], byte = 0;
	struct pollfd pfd = { .events = POLLIN };
	pid_t child;
	char *text;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child = start(flood, writer, ready[1], go[0]);
	close(writer);
	pfd.fd = ready[0];
	assert_int_equal(poll(&pfd, 1, LIMIT_MS), 1);
	assert_true(read(reader, data, sizeof(data)) > 0);
	assert_memory_equal(data, "info: line 000000 ", 18);
	assert_int_equal(write(go[1], &byte, 1), 1);
	text = read_all(reader);
	wait_for(child);
	assert_non_null(strstr(text, " lines of the log were lost"));
	assert_non_null(strstr(text, "\ninfo: the last\n"));
	free(text);
	close(reader);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

static void
test_full_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	check_flood(fds[0], fds[1]);
}

static void
test_full_socket(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	check_flood(fds[0], fds[1]);
}

/* Whoever shares stderr must not find it non-blocking. */
static void
test_description_is_left_alone(void **state)
{
	int fds[2];
	char *text;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wait_for(start(say_some, fds[1], -1, -1));
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	close(fds[1]);
	text = read_all(fds[0]);
	free(text);
	close(fds[0]);
}

static void
test_level_names(void **state)
{
	enum log_level level;

	(void)state;
	for (level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
		enum log_level found = LOG_LEVEL_ERROR;

		assert_int_equal(log_level_from_name(log_level_name(level), &found), 0);
		assert_int_equal(found, level);
	}
	assert_int_equal(log_level_from_name("debgu", &level), -EINVAL);
}

/* A service manager's socket: at a path, or in the abstract name space. */
static int
listen_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
					 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
							 strlen(name))),
			0);
	return fd;
}

static void
check_notify(const char *name)
{
	int fd = listen_to(name);
	char text[32] = "";

	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(sd_notify_send("READY=1"), 0);
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
	assert_int_equal(sd_notify_send("READY=1"), -ECONNREFUSED);
}

static void
test_notify(void **state)
{
	char dir[] = "/tmp/test_log.XXXXXX", name[64], long_name[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/notify", dir);
	check_notify(name);
	unlink(name);
	rmdir(dir);
	snprintf(name, sizeof(name), "@test_log.%d", (int)getpid());
	check_notify(name);
	snprintf(long_name, sizeof(long_name), "/%0150d", 1);
	setenv("NOTIFY_SOCKET", long_name, 1);
	assert_int_equal(sd_notify_send("READY=1"), -ENAMETOOLONG);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(sd_notify_send("READY=1"), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sd_notify_send("READY=1"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_full_pipe),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_description_is_left_alone),
		cmocka_unit_test(test_level_names),
		cmocka_unit_test(test_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
