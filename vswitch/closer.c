/* SPDX-License-Identifier: BSD-3-Clause */
/* See closer.h. */
#include "closer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

/* When so many threads are held up, further descriptors wait until one comes back. */
#define THREADS_MAX 64

#define STACK_SIZE 65536

struct closer_account {
	uint32_t pending; /* under lock */
	bool orphan;	  /* under lock: freed with the last descriptor */
};

struct job {
	STAILQ_ENTRY(job) link;
	struct closer_account *account;
	int fd;
};

STAILQ_HEAD(jobs, job);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct jobs jobs = STAILQ_HEAD_INITIALIZER(jobs); /* under lock */
static uint32_t n_threads;				 /* under lock */
static uint32_t n_pending;				 /* under lock */

struct closer_account *
closer_open_account(void)
{
	return calloc(1, sizeof(struct closer_account));
}

void
closer_free_account(struct closer_account *account)
{
	bool unused;

	pthread_mutex_lock(&lock);
	unused = account->pending == 0;
	account->orphan = true;
	pthread_mutex_unlock(&lock);
	if (unused)
		free(account);
}

/* Called and left with the lock held. */
static void
finish(struct job *job)
{
	n_pending--;
	if (--job->account->pending == 0 && job->account->orphan)
		free(job->account);
	free(job);
}

/* Closes what there is, and ends. */
static void *
run(void *unused)
{
	struct job *job;

	pthread_mutex_lock(&lock);
	while ((job = STAILQ_FIRST(&jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&jobs, link);
		pthread_mutex_unlock(&lock);
		close(job->fd);
		pthread_mutex_lock(&lock);
		finish(job);
	}
	n_threads--;
	pthread_mutex_unlock(&lock);
	return unused;
}

static bool
start_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	ret = pthread_create(&thread, &attr, run, NULL);
	pthread_attr_destroy(&attr);
	return ret == 0;
}

void
closer_close(int fd, struct closer_account *account)
{
	struct job *job = malloc(sizeof(*job));
	bool more;

	if (job == NULL) {
		close(fd); /* may block, but a leak would be for ever */
		return;
	}
	job->fd = fd;
	job->account = account;
	pthread_mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&jobs, job, link);
	account->pending++;
	n_pending++;
	more = n_threads < THREADS_MAX;
	n_threads += more;
	pthread_mutex_unlock(&lock);
	if (more && !start_thread()) {
		/* the job stays for the next thread */
		pthread_mutex_lock(&lock);
		n_threads--;
		pthread_mutex_unlock(&lock);
	}
}

uint32_t
closer_pending(const struct closer_account *account)
{
	uint32_t n;

	pthread_mutex_lock(&lock);
	n = account->pending;
	pthread_mutex_unlock(&lock);
	return n;
}

uint32_t
closer_pending_all(void)
{
	uint32_t n;

	pthread_mutex_lock(&lock);
	n = n_pending;
	pthread_mutex_unlock(&lock);
	return n;
}
