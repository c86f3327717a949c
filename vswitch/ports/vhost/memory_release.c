/* SPDX-License-Identifier: BSD-3-Clause */
/* See memory_release.h. */
#include "memory_release.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/bell.h"
#include "base/mutex.h"
#include "gate/fd_budget.h"
#include "base/thread.h"

/* The library unmaps less within some ten milliseconds. */
#define SMALL_BYTES (64ull << 20)

/* In one piece the kernel would keep others from mapping for too long. */
#define PIECE_BYTES (64ull << 20)

/*
 * The library unmaps soon after `done`. Something else may be mapped at the same address at once, which
 * looks as if it had not; then the files are closed after this.
 */
#define UNMAP_LIMIT_MS 1000
#define UNMAP_LOOK_MS 5

/* The library closes its own descriptor of a file right after it has unmapped it. */
#define UNMAP_SLACK_MS 20

#define STACK_SIZE 65536

struct job {
	STAILQ_ENTRY(job) emptied_link;
	STAILQ_ENTRY(job) closed_link;
	struct guest_mem mem;
	int fds[MEMORY_REGIONS_MAX];
	uint32_t n_fds;
	void (*done)(void *arg);
	void *arg;
};

STAILQ_HEAD(jobs, job);

static struct mutex lock = MUTEX_INIT;
static struct jobs emptied GUARDED_BY(lock) = STAILQ_HEAD_INITIALIZER(emptied); /* done() is due */
/* to be freed after that */
static struct jobs closed GUARDED_BY(lock) = STAILQ_HEAD_INITIALIZER(closed);
static struct event bell;
static int bell_fd = -1;

static void
pause_ms(int ms)
{
	const struct timespec pause = { .tv_nsec = ms * 1000000L };

	nanosleep(&pause, NULL);
}

static void
empty_region(const struct guest_region *region)
{
	const uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t at = (uintptr_t)region->host & ~mask;
	const uintptr_t end = ((uintptr_t)region->host + region->size + mask) & ~mask;

	while (at < end) {
		size_t piece = end - at < PIECE_BYTES ? end - at : PIECE_BYTES;

		/* The pages stay in the file. Where the kernel refuses, as for some huge pages, the
		 * library has the work, which is little with such pages. */
		(void)madvise((void *)at, piece, MADV_DONTNEED);
		at += piece;
	}
}

static bool
is_mapped(const struct guest_region *region)
{
	const uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	unsigned char resident;

	return mincore((void *)((uintptr_t)region->host & ~mask), 1, &resident) == 0 ||
			errno != ENOMEM;
}

static void
wait_until_unmapped(const struct guest_mem *mem)
{
	int waited = 0;

	for (uint32_t i = 0; i < mem->n; i++)
		while (is_mapped(&mem->regions[i]) && waited < UNMAP_LIMIT_MS) {
			pause_ms(UNMAP_LOOK_MS);
			waited += UNMAP_LOOK_MS;
		}
	pause_ms(UNMAP_SLACK_MS);
}

static void *
run(void *arg)
{
	struct job *job = arg;

	for (uint32_t i = 0; i < job->mem.n; i++)
		empty_region(&job->mem.regions[i]);
	mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&emptied, job, emptied_link);
	mutex_unlock(&lock);
	bell_ring(bell_fd);
	wait_until_unmapped(&job->mem);
	for (uint32_t i = 0; i < job->n_fds; i++)
		close(job->fds[i]);
	mutex_lock(&lock);
	STAILQ_INSERT_TAIL(&closed, job, closed_link);
	mutex_unlock(&lock);
	bell_ring(bell_fd);
	return NULL;
}

/* A thread puts its job into the first list long before the second. */
static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct jobs to_call = STAILQ_HEAD_INITIALIZER(to_call);
	struct jobs to_free = STAILQ_HEAD_INITIALIZER(to_free);
	struct job *job;

	(void)what;
	(void)arg;
	bell_hear(fd);
	mutex_lock(&lock);
	STAILQ_CONCAT(&to_call, &emptied);
	STAILQ_CONCAT(&to_free, &closed);
	mutex_unlock(&lock);
	while ((job = STAILQ_FIRST(&to_call)) != NULL) {
		STAILQ_REMOVE_HEAD(&to_call, emptied_link);
		job->done(job->arg);
	}
	while ((job = STAILQ_FIRST(&to_free)) != NULL) {
		STAILQ_REMOVE_HEAD(&to_free, closed_link);
		fd_budget_give(job->n_fds);
		free(job);
	}
}

/* Second descriptors of the session's files; without them the last close may be the library's. */
static void
hold_files(struct job *job, const struct session *session)
{
	char why[128];

	if (!fd_budget_take(session->n_regions, why, sizeof(why)))
		return;
	for (uint32_t i = 0; i < session->n_regions; i++) {
		int fd = fcntl(session->regions[i].fd, F_DUPFD_CLOEXEC, 0);

		if (fd >= 0)
			job->fds[job->n_fds++] = fd;
	}
	fd_budget_give(session->n_regions - job->n_fds);
}

static bool
is_small(const struct guest_mem *mem)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < mem->n; i++)
		bytes += mem->regions[i].size;
	return bytes < SMALL_BYTES;
}

bool
memory_release(const struct guest_mem *mem, const struct session *session, void (*done)(void *arg),
		void *arg)
{
	struct job *job;

	if (is_small(mem))
		return false;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return false;
	job->mem = *mem;
	job->done = done;
	job->arg = arg;
	hold_files(job, session);
	if (thread_start_detached(STACK_SIZE, run, job) == 0)
		return true;
	for (uint32_t i = 0; i < job->n_fds; i++)
		close(job->fds[i]); /* not the last: the session has its own */
	fd_budget_give(job->n_fds);
	free(job);
	return false;
}

int
memory_release_init(struct event_base *base)
{
	bell_fd = bell_open();
	if (bell_fd < 0)
		return bell_fd;
	event_assign(&bell, base, bell_fd, EV_READ | EV_PERSIST, on_bell, NULL);
	return event_add(&bell, NULL) < 0 ? -ENOMEM : 0;
}
