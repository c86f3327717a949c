/* SPDX-License-Identifier: BSD-3-Clause */
/* See fd_reaper_thread.h. */
#include "fd_reaper_thread.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/mutex.h"
#include "base/thread.h"

/* When so many threads hang, further descriptors wait until one of them goes on. */
#define THREADS_MAX 64

#define STACK_SIZE 65536

struct job {
	STAILQ_ENTRY(job) link;
	void (*done)(void *arg);
	void *arg;
	int fd;
};

STAILQ_HEAD(jobs, job);

static struct mutex lock = MUTEX_INIT;
static struct jobs jobs GUARDED_BY(lock) = STAILQ_HEAD_INITIALIZER(jobs);
static uint32_t n_threads GUARDED_BY(lock);

/* Closes all that is queued, and ends. */
static void *
run(void *unused)
{
	struct job *job;

	mutex_lock(&lock);
	while ((job = STAILQ_FIRST(&jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&jobs, link);
		mutex_unlock(&lock);
		close(job->fd);
		job->done(job->arg);
		free(job);
		mutex_lock(&lock);
	}
	n_threads--;
	mutex_unlock(&lock);
	return unused;
}

void
fd_reaper_thread_close(int fd, void (*done)(void *arg), void *arg)
{
	struct job *job = malloc(sizeof(*job));
	bool more;

	if (job == NULL) {
		close(fd); /* may block, but a leaked descriptor would be lost for ever */
		done(arg);
		return;
	}
	*job = (struct job){ .fd = fd, .done = done, .arg = arg };
	mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&jobs, job, link);
	more = n_threads < THREADS_MAX;
	n_threads += more;
	mutex_unlock(&lock);
	if (more && thread_start_detached(STACK_SIZE, run, NULL) != 0) {
		/* the job stays for the next thread */
		mutex_lock(&lock);
		n_threads--;
		mutex_unlock(&lock);
	}
}
