/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See helper.h. One thread, two lists under one lock: work to do, in order, and work done, whose
 * completions the control loop takes when an eventfd tells it to.
 */
#include "helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "thread.h"
#include "watched.h"

#define STOP_LIMIT_MS 1000

struct job {
	STAILQ_ENTRY(job) next;
	const char *what;
	char whom[64];
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

STAILQ_HEAD(jobs, job);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;		 /* there is work, or the end */
static struct jobs todo = STAILQ_HEAD_INITIALIZER(todo);	 /* under lock */
static struct jobs finished = STAILQ_HEAD_INITIALIZER(finished); /* under lock */
static bool stopping;						 /* under lock */
static pthread_t thread;
static int done_fd = -1; /* eventfd: the thread writes, the control loop reads */
static struct event *done_event;

/* Runs the completions that wait. Control thread. */
static void
run_finished(void)
{
	struct jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
	struct job *job;

	pthread_mutex_lock(&lock);
	STAILQ_CONCAT(&jobs, &finished);
	pthread_mutex_unlock(&lock);
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
	eventfd_t count;

	(void)what;
	(void)arg;
	(void)eventfd_read(fd, &count);
	run_finished();
}

/* The next job, or NULL at the end. Called and left with the lock held. */
static struct job *
next_job(void)
{
	struct job *job;

	while (STAILQ_EMPTY(&todo) && !stopping)
		pthread_cond_wait(&wake, &lock);
	job = STAILQ_FIRST(&todo);
	if (job != NULL)
		STAILQ_REMOVE_HEAD(&todo, next);
	return job;
}

static void *
helper_main(void *arg)
{
	struct job *job;

	(void)arg;
	pthread_mutex_lock(&lock);
	while ((job = next_job()) != NULL) {
		pthread_mutex_unlock(&lock);
		watched_begin(&watched_helper, job->what, job->whom);
		job->work(job->arg);
		watched_end(&watched_helper);
		pthread_mutex_lock(&lock);
		STAILQ_INSERT_TAIL(&finished, job, next);
		(void)eventfd_write(done_fd, 1);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int
open_done_event(struct event_base *base)
{
	done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (done_fd < 0)
		return -errno;
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

	stopping = false;
	if (ret == 0)
		ret = thread_start(&thread, "helper", helper_main, NULL);
	if (ret != 0)
		close_done_event();
	return ret;
}

int
helper_run(const char *what, const char *whom, void (*work)(void *arg), void (*done)(void *arg),
		void *arg)
{
	struct job *job = malloc(sizeof(*job));

	if (job == NULL)
		return -ENOMEM;
	*job = (struct job){ .what = what, .work = work, .done = done, .arg = arg };
	snprintf(job->whom, sizeof(job->whom), "%s", whom);
	pthread_mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&todo, job, next);
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	return 0;
}

void
helper_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	if (!thread_join_within(thread, STOP_LIMIT_MS)) {
		log_warning("the helper thread is held up (a file system does not answer); left behind");
		event_del(done_event);
		return;
	}
	run_finished();
	close_done_event();
}
