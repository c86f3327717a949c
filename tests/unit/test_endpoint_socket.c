/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks client/backend/endpoint_socket.c: whether the connection that a client made is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/endpoint_socket.h"

struct connection {
	char directory[64];
	struct sockaddr_un addr;
	int listening, ours, theirs;
};

static void
make(struct connection *c)
{
	snprintf(c->directory, sizeof(c->directory), "/tmp/vsw-socket-XXXXXX");
	assert_non_null(mkdtemp(c->directory));
	c->addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(c->addr.sun_path, sizeof(c->addr.sun_path), "%s/p0.sock", c->directory);
	c->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->ours = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(c->listening, (struct sockaddr *)&c->addr, sizeof(c->addr)), 0);
	assert_int_equal(listen(c->listening, 1), 0);
	assert_int_equal(connect(c->ours, (struct sockaddr *)&c->addr, sizeof(c->addr)), 0);
	c->theirs = accept(c->listening, NULL, NULL);
	assert_true(c->theirs >= 0);
}

static void
unmake(struct connection *c)
{
	close(c->ours);
	close(c->listening);
	unlink(c->addr.sun_path);
	rmdir(c->directory);
}

static void
test_connection_that_is_there(void **state)
{
	struct connection c;

	(void)state;
	make(&c);
	assert_true(endpoint_socket_is_connected(c.addr.sun_path));
	/* A container may have the file in a directory of another name. */
	assert_true(endpoint_socket_is_connected("/run/p0.sock"));
	assert_false(endpoint_socket_is_connected("/run/p1.sock"));
	/* What has come and was not read yet ends nothing. */
	assert_int_equal(send(c.theirs, "x", 1, 0), 1);
	assert_true(endpoint_socket_is_connected(c.addr.sun_path));
	close(c.theirs);
	unmake(&c);
}

static void
test_connection_that_has_ended(void **state)
{
	struct connection c;

	(void)state;
	make(&c);
	close(c.theirs);
	assert_false(endpoint_socket_is_connected(c.addr.sun_path));
	unmake(&c);
	assert_false(endpoint_socket_is_connected(c.addr.sun_path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection_that_is_there),
		cmocka_unit_test(test_connection_that_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
