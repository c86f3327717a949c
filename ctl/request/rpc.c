/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc.h. */
#include "rpc.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "jsonrpc/jsonrpc.h"
#include "text/text.h"
#include "show/view.h"

/* A reply may be longer than a request: the addresses of a full table take 8 MiB. */
#define REPLY_MAX (64u << 20)
#define READ_SIZE 65536
#define WAIT_STEP_NS 20000000L

double
rpc_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Writes why connect() failed and what to do about it. */
static int
explain_connect(const char *path, int error, char *err, size_t err_size)
{
	struct stat st;
	bool exists = stat(path, &st) == 0;

	if (exists && !S_ISSOCK(st.st_mode))
		return text_fail(err, err_size, -error,
				"no switch answers on %s: it is not a socket; "
				"say where the switch's is with --socket-dir or --control",
				path);
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return text_fail(err, err_size, -error,
				"no switch answers on %s: there is no such socket; "
				"start vswitchd, or say where it is with --socket-dir or --control",
				path);
	case ECONNREFUSED:
		return text_fail(err, err_size, -error,
				"no switch answers on %s: its switch has died, so nobody "
				"listens on it; start vswitchd again",
				path);
	case EACCES:
		if (exists)
			return text_fail(err, err_size, -error,
					"no switch answers on %s: permission denied, "
					"the socket belongs to uid %u and has mode %04o; run this as that user",
					path, st.st_uid, st.st_mode & 07777);
		return text_fail(err, err_size, -error,
				"no switch answers on %s: permission denied on its "
				"directory; run this as the user who started vswitchd",
				path);
	case EAGAIN:
		return text_fail(err, err_size, -error,
				"no switch answers on %s: it accepted no connection "
				"for %d s; see whether vswitchd hangs",
				path, RPC_TIMEOUT_S);
	default:
		return text_fail(err, err_size, -error,
				"no switch answers on %s: %s; see whether vswitchd "
				"runs there",
				path, strerror(error));
	}
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* also bounds connect(), which waits for room in the listener's queue */
	struct timeval limit = { .tv_sec = RPC_TIMEOUT_S };
	int fd, error;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
			connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

/* While a switch is starting, its socket is not there yet, or is one that a dead switch left. */
static bool
may_be_starting(int error)
{
	return error == ENOENT || error == ECONNREFUSED;
}

static int
connect_within(const char *path, double wait)
{
	const struct timespec pause = { .tv_nsec = WAIT_STEP_NS };
	double end = rpc_now() + wait;
	int fd;

	for (;;) {
		fd = connect_to(path);
		if (fd >= 0 || !may_be_starting(-fd) || rpc_now() >= end)
			return fd;
		nanosleep(&pause, NULL);
	}
}

int
rpc_open(struct rpc *rpc, const char *path, double wait, char *err, size_t err_size)
{
	int fd = connect_within(path, wait);

	if (fd < 0)
		return explain_connect(path, -fd, err, err_size);
	*rpc = (struct rpc){ .fd = fd, .path = path };
	lineframe_init(&rpc->in, REPLY_MAX);
	return 0;
}

void
rpc_close(struct rpc *rpc)
{
	close(rpc->fd);
	lineframe_release(&rpc->in);
}

static int
timed_out(const struct rpc *rpc, char *err, size_t err_size)
{
	return text_fail(err, err_size, -ETIMEDOUT,
			"the switch on %s did not answer within %d s: it "
			"hangs or is very busy; see its log, and try again",
			rpc->path, RPC_TIMEOUT_S);
}

static int
send_line(const struct rpc *rpc, const char *line, size_t len, char *err, size_t err_size)
{
	size_t sent = 0;
	ssize_t ret;

	if (len > LINEFRAME_MAX + 1)
		return text_fail(err, err_size, -EMSGSIZE,
				"the request has %zu bytes, and a line of the "
				"control protocol at most %u; send less at once",
				len - 1, LINEFRAME_MAX);
	while (sent < len) {
		ret = send(rpc->fd, line + sent, len - sent, MSG_NOSIGNAL);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 && errno == EAGAIN)
			return timed_out(rpc, err, err_size);
		if (ret < 0)
			return text_fail(err, err_size, -errno,
					"the switch on %s closed the connection while "
					"the request was sent; see its log",
					rpc->path);
		sent += (size_t)ret;
	}
	return 0;
}

static int
send_request(struct rpc *rpc, const char *method, json_t *params, char *err, size_t err_size)
{
	json_t *request = jsonrpc_call(++rpc->last_id, method, params);
	size_t len = 0;
	char *line = jsonrpc_line(request, &len);
	int ret;

	json_decref(request);
	if (line == NULL)
		return text_fail(err, err_size, -ENOMEM,
				"out of memory, or '%.64s' is not UTF-8 text", method);
	if (rpc->show_wire)
		fprintf(stderr, "-> %s", line);
	ret = send_line(rpc, line, len, err, err_size);
	free(line);
	return ret;
}

int
rpc_take(struct rpc *rpc, json_t **message, char *err, size_t err_size)
{
	char why[256];
	const char *line;
	size_t len;
	int ret;

	ret = lineframe_next(&rpc->in, &line, &len);
	if (ret == 0)
		return 0;
	if (ret < 0)
		return text_fail(err, err_size, -EBADMSG,
				"the program that answers on %s is not a switch: its line "
				"has no end; see what listens there",
				rpc->path);
	if (rpc->show_wire)
		fprintf(stderr, "<- %.*s\n", (int)len, line);
	if (jsonrpc_parse_json(line, len, message, why, sizeof(why)) != 0)
		return text_fail(err, err_size, -EBADMSG,
				"the program that answers on %s is not a switch: it sent %s; "
				"see what listens there",
				rpc->path, why);
	return 1;
}

int
rpc_read(struct rpc *rpc, char *err, size_t err_size)
{
	char buf[READ_SIZE];
	ssize_t ret = recv(rpc->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (ret < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (ret <= 0)
		return text_fail(err, err_size, ret < 0 ? -errno : -ECONNRESET,
				"the switch on %s closed the "
				"connection: it has ended or cut this client off; see its log",
				rpc->path);
	if (lineframe_append(&rpc->in, buf, (size_t)ret) != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	return 0;
}

/* Waits for the next message, at most until the deadline. 0 and a new *message, or -errno with err. */
static int
receive(struct rpc *rpc, double deadline, json_t **message, char *err, size_t err_size)
{
	struct pollfd pfd = { .fd = rpc->fd, .events = POLLIN };
	double left;
	int ret;

	for (;;) {
		left = deadline - rpc_now();
		if (left <= 0)
			return timed_out(rpc, err, err_size);
		ret = rpc_take(rpc, message, err, err_size);
		if (ret != 0)
			return ret < 0 ? ret : 0;
		poll(&pfd, 1, (int)(left * 1e3) + 1);
		ret = rpc_read(rpc, err, err_size);
		if (ret != 0 && ret != -EAGAIN)
			return ret;
	}
}

/* Fills in *reply, which then owns message; after a failure the caller still does. */
static int
view_reply(const struct rpc *rpc, json_t *message, struct rpc_reply *reply, char *err,
		size_t err_size)
{
	json_t *error = json_object_get(message, "error");
	const json_t *data = json_object_get(error, "data");

	view_clean(error); /* before pointers into it are taken, because cleaning moves a string */
	*reply = (struct rpc_reply){
		.message = message,
		.result = json_object_get(message, "result"),
		.refusal = json_string_value(json_object_get(error, "message")),
		.nearest = json_string_value(json_object_get(data, "nearest")),
	};
	if ((reply->result == NULL) == (reply->refusal == NULL))
		return text_fail(err, err_size, -EBADMSG,
				"the program that answers on %s is not a switch: its reply has "
				"neither a result nor an error; see what listens there",
				rpc->path);
	return 0;
}

int
rpc_call(struct rpc *rpc, const char *method, json_t *params, struct rpc_reply *reply, char *err,
		size_t err_size)
{
	double deadline = rpc_now() + RPC_TIMEOUT_S;
	json_t *message = NULL;
	const json_t *id;
	int ret;

	ret = send_request(rpc, method, params, err, err_size);
	while (ret == 0) {
		ret = receive(rpc, deadline, &message, err, err_size);
		if (ret != 0)
			break;
		/* an error without an id is the reply to a request that the switch could not read */
		id = json_object_get(message, "id");
		if (json_integer_value(id) == rpc->last_id || json_is_null(id)) {
			ret = view_reply(rpc, message, reply, err, err_size);
			if (ret == 0)
				return 0;
		}
		json_decref(message);
	}
	return ret;
}
