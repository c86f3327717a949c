/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See helper.h. Two lists under one lock: work to do, in order, and work done, whose completions the
 * control loop takes when a bell tells it to. A thread takes the first job whose owner no other
 * thread works for.
 */
#include "helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/bell.h"
#include "base/thread_role.h"
#include "base/mutex.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "watchdog.h"
#include "base/watched.h"

#define STOP_LIMIT_MS 1000

struct job {
	STAILQ_ENTRY(job) next;
	const void *owner;
	const char *what;
	char whom[64];
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

STAILQ_HEAD(jobs, job);

static struct mutex lock = MUTEX_INIT;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER; /* there is work, or the end */
static struct jobs todo GUARDED_BY(lock) = STAILQ_HEAD_INITIALIZER(todo);
static struct jobs finished GUARDED_BY(lock) = STAILQ_HEAD_INITIALIZER(finished);
static bool stopping GUARDED_BY(lock);
static struct helper {
	pthread_t thread;
	bool works;	   /* under lock; for ... */
	const void *owner; /* ... this one; under lock */
	struct watched watched;
} helpers[HELPERS_MAX];
static uint32_t n_helpers;		 /* control's */
static uint32_t n_idle GUARDED_BY(lock); /* threads that wait for work */
static int done_fd = -1;		 /* a bell: helpers ring, the control loop hears */
static struct event *done_event;

/* Runs the completions that wait. Control thread. */
static void
run_finished(void)
{
	struct jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
	struct job *job;

	mutex_lock(&lock);
	STAILQ_CONCAT(&jobs, &finished);
	mutex_unlock(&lock);
	while ((job = STAILQ_FIRST(&jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&jobs, next);
		if (job->done != NULL)
			job->done(job->arg);
		free(job);
	}
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)arg;
	bell_hear(fd);
	run_finished();
}

static bool
is_served(const void *owner) REQUIRES(lock)
{
	for (uint32_t i = 0; i < HELPERS_MAX; i++)
		if (helpers[i].works && helpers[i].owner == owner)
			return true;
	return false;
}

/* The first job that may run now; NULL: there is none. */
static struct job *
find_job(void) REQUIRES(lock)
{
	struct job *job;

	STAILQ_FOREACH (job, &todo, next)
		if (!is_served(job->owner))
			return job;
	return NULL;
}

/* The next job, or NULL at the end. */
static struct job *
next_job(struct helper *helper) REQUIRES(lock)
{
	struct job *job;

	while ((job = find_job()) == NULL && !(stopping && STAILQ_EMPTY(&todo))) {
		n_idle++;
		mutex_wait(&lock, &wake);
		n_idle--;
	}
	if (job == NULL)
		return NULL;
	STAILQ_REMOVE(&todo, job, job, next);
	helper->owner = job->owner;
	helper->works = true;
	return job;
}

static void
end_job(struct helper *helper, struct job *job) REQUIRES(lock)
{
	helper->works = false;
	STAILQ_INSERT_TAIL(&finished, job, next);
	bell_ring(done_fd);
	/* The owner's next job may have had to wait; and the end, for that. */
	pthread_cond_broadcast(&wake);
}

static void *
helper_main(void *arg)
{
	struct helper *helper = arg;
	struct job *job;

	THREAD_IS(THREAD_HELPER);
	mutex_lock(&lock);
	while ((job = next_job(helper)) != NULL) {
		mutex_unlock(&lock);
		watched_begin(&helper->watched, job->what, job->whom);
		job->work(job->arg);
		watched_end(&helper->watched);
		mutex_lock(&lock);
		end_job(helper, job);
	}
	mutex_unlock(&lock);
	return NULL;
}

static int
start_thread(void)
{
	struct helper *helper = &helpers[n_helpers];
	int ret = thread_start(&helper->thread, "helper", helper_main, helper);

	if (ret == 0)
		n_helpers++;
	return ret;
}

static int
open_done_event(struct event_base *base)
{
	done_fd = bell_open();
	if (done_fd < 0)
		return done_fd;
	done_event = event_new(base, done_fd, EV_READ | EV_PERSIST, on_done, NULL);
	if (done_event == NULL || event_add(done_event, NULL) != 0)
		return -ENOMEM;
	return 0;
}

static void
close_done_event(void)
{
	if (done_event != NULL)
		event_free(done_event);
	done_event = NULL;
	if (done_fd >= 0)
		close(done_fd);
	done_fd = -1;
}

int
helper_start(struct event_base *base)
{
	int ret = open_done_event(base);

	ASSERT_ON(THREAD_CONTROL);
	mutex_lock(&lock);
	stopping = false;
	mutex_unlock(&lock);
	n_helpers = 0;
	if (ret == 0)
		ret = start_thread();
	if (ret != 0)
		close_done_event();
	return ret;
}

void
helper_watch(void)
{
	ASSERT_ON(THREAD_CONTROL);
	for (uint32_t i = 0; i < HELPERS_MAX; i++) {
		helpers[i].watched.thread = "a helper thread";
		watchdog_watch(&helpers[i].watched);
	}
}

int
helper_run(const void *owner, const char *what, const char *whom, void (*work)(void *arg),
		void (*done)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));
	uint32_t n_waiting = 0;
	struct job *other;
	bool alone;

	ASSERT_ON(THREAD_CONTROL);
	if (job == NULL)
		return -ENOMEM;
	*job = (struct job){ .owner = owner, .what = what, .work = work, .done = done, .arg = arg };
	snprintf(job->whom, sizeof(job->whom), "%s", whom);
	mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&todo, job, next);
	STAILQ_FOREACH (other, &todo, next)
		n_waiting++;
	alone = n_waiting > n_idle && !is_served(owner);
	pthread_cond_signal(&wake);
	mutex_unlock(&lock);
	/* Without another thread it waits for one of those that there are. */
	if (alone && n_helpers < HELPERS_MAX)
		(void)start_thread();
	return 0;
}

void
helper_stop(void)
{
	uint64_t end = clock_ns() + STOP_LIMIT_MS * 1000000ull;
	bool all = true;

	ASSERT_ON(THREAD_CONTROL);
	mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&wake);
	mutex_unlock(&lock);
	for (uint32_t i = 0; i < n_helpers; i++) {
		uint64_t now = clock_ns();
		uint32_t left = now < end ? (uint32_t)((end - now) / 1000000) : 0;

		all &= thread_join_within(helpers[i].thread, left);
	}
	if (!all) {
		log_warning("a helper thread is held up (a file system or a device does not answer); "
			    "left behind");
		event_del(done_event);
		return;
	}
	run_finished();
	close_done_event();
}
