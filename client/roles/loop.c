/* SPDX-License-Identifier: BSD-3-Clause */
/* See loop.h. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "process/clock.h"
#include "process/stop.h"

#define FOLLOW_NS (CLOCK_SECOND / 10)

struct loop {
	struct client *c;
	const struct loop_role *role;
	void *self;
	struct report *report;
	uint64_t end;		/* of --time */
	uint64_t next_progress; /* UINT64_MAX: no terminal */
	uint64_t next_follow;	/* the latest time to check the kernel's interface again */
	uint64_t gone_since;	/* with --server: when the backend went away; 0: it is there */
};

static unsigned int
receive(struct loop *l)
{
	struct rte_mbuf *frames[DEVICE_BURST];
	unsigned int total = 0, count;
	size_t i;

	for (i = 0; i < l->c->device_count; i++) {
		count = device_receive(&l->c->devices[i], frames, DEVICE_BURST);
		if (count == 0)
			continue;
		l->role->frames(l->self, &l->c->devices[i], frames, count, clock_now());
		total += count;
	}
	return total;
}

static void
wait_until(struct loop *l, uint64_t until)
{
	struct pollfd fds[2 + SETTINGS_PATHS_MAX] = { { .fd = stop_fd(), .events = POLLIN },
		{ .fd = l->c->has_exception ? exception_fd(&l->c->exception) : -1,
				.events = POLLIN } };
	struct device *devices = l->c->devices;
	uint64_t now = clock_now(), left = until > now ? until - now : 0;
	struct timespec limit = { .tv_sec = (time_t)(left / CLOCK_SECOND),
		.tv_nsec = (long)(left % CLOCK_SECOND) };
	size_t i;

	for (i = 0; i < l->c->device_count; i++)
		fds[2 + i] = (struct pollfd){ .fd = devices[i].call_fd, .events = POLLIN };
	if (ppoll(fds, 2 + l->c->device_count, until == LOOP_NEVER ? NULL : &limit, NULL) > 0) {
		for (i = 0; i < l->c->device_count; i++)
			if ((fds[2 + i].revents & POLLERR) != 0 && devices[i].frames_in_call_fd)
				devices[i].lost = true;
		if (fds[1].revents != 0)
			l->next_follow = 0;
	}
	stop_drain();
}

/*
 * Sleeps at once instead of polling for more frames. Where CPUs are shared, a thread that slept soon gets a
 * CPU when a call wakes it. A thread that yielded gets one late, when its ring has run over.
 *
 * The rings are checked between arming and sleeping: frames before the arming raised no call, frames after
 * it do.
 */
static void
sleep_until(struct loop *l, uint64_t until)
{
	size_t i;

	for (i = 0; i < l->c->device_count; i++)
		device_arm(&l->c->devices[i]);
	if (receive(l) == 0)
		wait_until(l, until);
	for (i = 0; i < l->c->device_count; i++)
		device_disarm(&l->c->devices[i]);
}

/* False for a job in the background, whose line would overwrite the prompt and other programs' output. */
static bool
in_foreground(void)
{
	return tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void
show_progress(struct loop *l, uint64_t now)
{
	char line[160] = "";

	if (now < l->next_progress)
		return;
	l->next_progress = now + CLOCK_SECOND;
	if (!in_foreground())
		return;
	l->role->progress(l->self, line, sizeof(line));
	fprintf(stderr, "\r%s\x1b[K", line);
	fflush(stderr);
}

static const struct device *
find_gone(const struct loop *l)
{
	size_t i;

	for (i = 0; i < l->c->device_count; i++)
		if (!device_is_up(&l->c->devices[i]))
			return &l->c->devices[i];
	return NULL;
}

/* Whether to give up. With --server the backend may come back to our socket. */
static bool
backend_lost(struct loop *l, uint64_t now)
{
	const struct device *gone = find_gone(l);
	const struct settings *s = l->c->settings;

	if (gone == NULL) {
		if (l->gone_since != 0)
			fprintf(stderr, "the backend is back\n");
		l->gone_since = 0;
		return false;
	}
	if (s->server && l->gone_since == 0) {
		fprintf(stderr, "the backend of %s is gone; waiting for it to come back\n",
				gone->path);
		l->gone_since = now;
	}
	if (s->server && (s->wait < 0 || now < l->gone_since + clock_from_seconds(s->wait)))
		return false;
	report_error(l->report, "the backend of %s is gone; start it again, then this program",
			gone->path);
	return true;
}

/* Whether to give up. The kernel's interface never comes back with the same index. */
static bool
interface_lost(struct loop *l, uint64_t now)
{
	struct client *c = l->c;

	if (!c->has_exception)
		return false;
	if (now >= l->next_follow) {
		exception_follow(&c->exception);
		l->next_follow = now + FOLLOW_NS;
	}
	if (!c->exception.d->lost)
		return false;
	report_error(l->report,
			"the interface %s is gone: it was deleted, or its namespace ended; start this "
			"program again",
			c->exception.d->path);
	return true;
}

static uint64_t
earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the loop must wake up for its own purposes, not the role's. */
static uint64_t
own_deadline(const struct loop *l)
{
	uint64_t until = earliest(l->end, l->next_progress);
	double wait = l->c->settings->wait;

	if (l->gone_since != 0 && wait >= 0)
		until = earliest(until, l->gone_since + clock_from_seconds(wait));
	return until;
}

/* One turn. False: the run is over, and *end says why. */
static bool
turn(struct loop *l, enum loop_end *end)
{
	unsigned int received = receive(l);
	uint64_t now = clock_now(), next = l->role->tick(l->self, now);

	if (next == LOOP_DONE)
		*end = LOOP_END_DONE;
	else if (stop_requested())
		*end = LOOP_END_SIGNAL;
	else if (backend_lost(l, now) || interface_lost(l, now))
		*end = LOOP_END_BACKEND_GONE;
	else if (now >= l->end)
		*end = LOOP_END_TIME;
	else {
		if (l->next_progress != UINT64_MAX)
			show_progress(l, now);
		if (next == LOOP_YIELD)
			sched_yield();
		else if (received == 0 && next != LOOP_AGAIN && next > now)
			sleep_until(l, earliest(next, own_deadline(l)));
		return true;
	}
	return false;
}

/* Takes the frames that are still in the rings, because they were delivered before the end. */
static void
finish(struct loop *l)
{
	unsigned int left = l->c->settings->queue_size * (unsigned int)l->c->device_count, count;

	do {
		count = receive(l);
		left -= count < left ? count : left;
	} while (count > 0 && left > 0);
}

enum loop_end
loop_run(struct client *c, const struct loop_role *role, void *self, struct report *report)
{
	static const char *const names[] = { "done", "time", "signal", "backend gone" };
	bool terminal = role->progress != NULL && isatty(STDERR_FILENO);
	uint64_t start = clock_now();
	enum loop_end end = LOOP_END_DONE;
	double time = c->settings->time;
	struct loop l = {
		.c = c,
		.role = role,
		.self = self,
		.report = report,
		.end = time > 0 ? start + clock_from_seconds(time) : UINT64_MAX,
		.next_progress = terminal ? start + CLOCK_SECOND : UINT64_MAX,
	};

	while (turn(&l, &end))
		;
	if (end != LOOP_END_DONE)
		finish(&l);
	if (terminal && in_foreground())
		fprintf(stderr, "\r\x1b[K");
	report_text(report, "ended_by", names[end]);
	return end;
}

enum status
loop_status(enum loop_end end, bool good)
{
	if (end == LOOP_END_BACKEND_GONE)
		return STATUS_BACKEND_GONE;
	return good ? STATUS_OK : STATUS_FAILED;
}
