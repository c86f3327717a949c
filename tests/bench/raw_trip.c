/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a question and its answer take between two network namespaces, over whatever joins
 * them. One process, two threads: a socket stays in the namespace that it was made in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "raw_bench.h"
#include "raw_clock.h"

#define WARM_TRIPS 200
#define LOST_AFTER_MS 500
#define LOST_MOST 3
#define LOOK_UP_MS 50 /* how soon the answering thread sees that it is to stop */

struct trip {
	const char *protocol; /* "udp" or "tcp", for messages */
	uint32_t size;
	int asks;
	int answers;
	bool stop; /* written by the thread that asks */
};

static int
fail(const struct trip *trip, const char *what)
{
	fprintf(stderr, "raw-bench: %s: %s: %s\n", trip->protocol, what, strerror(errno));
	return -1;
}

/* Moves this thread into a network namespace. 0, or -1 after a message. */
static int
enter(const struct trip *trip, const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : setns(fd, CLONE_NEWNET);

	if (ret < 0)
		ret = fail(trip, netns);
	if (fd >= 0)
		close(fd);
	return ret;
}

static void
set_limit(int fd, uint32_t ms)
{
	const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* The socket that answers, or that listens; `address` gets its port. Negative after a message. */
static int
open_answering(const struct trip *trip, int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)address, size) == 0 &&
			getsockname(fd, (struct sockaddr *)address, &size) == 0 &&
			(type == SOCK_DGRAM || listen(fd, 1) == 0))
		return fd;
	fail(trip, "the socket that answers");
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
open_asking(const struct trip *trip, int type, const struct sockaddr_in *address)
{
	const int on = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
		if (type == SOCK_STREAM)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return fd;
	}
	fail(trip, "the socket that asks");
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Puts the connection in the place of the socket that listened. 0, or -1 after a message. */
static int
accept_one(struct trip *trip)
{
	const int on = 1;
	int fd = accept4(trip->answers, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return fail(trip, "accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	close(trip->answers);
	trip->answers = fd;
	return 0;
}

static int
open_sockets(struct trip *trip, const char *const *netns, struct sockaddr_in *address)
{
	int type = strcmp(trip->protocol, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;

	if (enter(trip, netns[1]) < 0)
		return -1;
	trip->answers = open_answering(trip, type, address);
	if (trip->answers < 0 || enter(trip, netns[0]) < 0)
		return -1;
	trip->asks = open_asking(trip, type, address);
	if (trip->asks < 0 || (type == SOCK_STREAM && accept_one(trip) < 0))
		return -1;
	set_limit(trip->asks, LOST_AFTER_MS);
	set_limit(trip->answers, LOOK_UP_MS);
	return 0;
}

static void *
answer(void *arg)
{
	struct trip *trip = arg;
	struct sockaddr_in from;
	char data[RAW_FRAME_MAX];

	while (!__atomic_load_n(&trip->stop, __ATOMIC_ACQUIRE)) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(trip->answers, data, sizeof(data), 0, (struct sockaddr *)&from,
				&size);

		if (n > 0)
			sendto(trip->answers, data, (size_t)n, MSG_NOSIGNAL,
					(struct sockaddr *)&from, size);
	}
	return NULL;
}

/* A stream may bring an answer in parts. False: it did not come, or is another one's. */
static bool
take_answer(const struct trip *trip, char *data, uint8_t mark)
{
	uint32_t have = 0;

	while (have < trip->size) {
		ssize_t n = recv(trip->asks, data + have, trip->size - have, 0);

		if (n <= 0)
			return false;
		have += (uint32_t)n;
		if ((uint8_t)data[0] != mark)
			have = 0; /* one that came too late */
	}
	return true;
}

/* Seconds until the answer is there; negative: it did not come. */
static double
ask(const struct trip *trip, char *data, uint8_t mark)
{
	double start = raw_now();

	memset(data, mark, trip->size);
	if (send(trip->asks, data, trip->size, MSG_NOSIGNAL) < 0 || !take_answer(trip, data, mark))
		return -1;
	return raw_now() - start;
}

/* Returns how many of `count` times it has taken; it gives up after LOST_MOST that got lost. */
static uint32_t
ask_all(const struct trip *trip, uint32_t count, double *times)
{
	char data[RAW_FRAME_MAX];
	uint32_t n = 0, lost = 0;

	for (uint32_t i = 0; i < count + WARM_TRIPS && lost < LOST_MOST; i++) {
		double seconds = ask(trip, data, (uint8_t)i);

		if (seconds < 0)
			lost++;
		else if (i >= WARM_TRIPS)
			times[n++] = seconds;
	}
	return n;
}

static int
measure(struct trip *trip, uint32_t count)
{
	double *times = raw_make_times(count);
	pthread_t thread;
	uint32_t n;
	int ret;

	if (times == NULL)
		return -1;
	ret = pthread_create(&thread, NULL, answer, trip);
	if (ret != 0) {
		free(times);
		errno = ret;
		return fail(trip, "the thread that answers");
	}
	n = ask_all(trip, count, times);
	__atomic_store_n(&trip->stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	raw_print_times(times, n, count);
	free(times);
	return 0;
}

int
raw_trip(const char *protocol, uint32_t size, uint32_t count, const char *const *netns,
		const char *address)
{
	struct trip trip = { .protocol = protocol, .size = size, .asks = -1, .answers = -1 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int ret;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		fprintf(stderr, "raw-bench: %s: %s is no IPv4 address; give one of the second namespace, as 10.0.0.2\n",
				protocol, address);
		return -1;
	}
	ret = open_sockets(&trip, netns, &to);
	if (ret == 0)
		ret = measure(&trip, count);
	if (trip.asks >= 0)
		close(trip.asks);
	if (trip.answers >= 0)
		close(trip.answers);
	return ret;
}
