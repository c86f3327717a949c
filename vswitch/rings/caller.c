/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See caller.h. Only this thread and the control thread take the lock, and never during a call. Workers
 * only set a ring's flag and ring the bell.
 */
#include "caller.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include <fcntl.h>

#include "base/bell.h"
#include "base/mutex.h"
#include "datapath/account.h"
#include "base/thread.h"
#include "base/tsc.h"
#include "vring.h"

/* Interval at which rings whose call must wait are checked, milliseconds. */
#define LOOK_MS 10
#define STOP_LIMIT_MS 1000

struct caller_ring {
	TAILQ_ENTRY(caller_ring) link;
	int fd;
	uint16_t port;
	uint32_t index;
	struct vring_calls *calls;   /* under lock; not used once `closed` is set */
	struct vring_health *health; /* likewise */
	bool wanted;		     /* atomic: a call is due */
	bool closed;		     /* under lock */
};

static struct {
	struct mutex lock;
	TAILQ_HEAD(ring_list, caller_ring) rings; /* under lock */
	pthread_t thread;
	int bell_fd;
	bool stop; /* atomic */
	struct watched watched;
} caller = {
	.lock = MUTEX_INIT,
	.rings = TAILQ_HEAD_INITIALIZER(caller.rings),
	.bell_fd = -1,
	.watched = { .thread = "the caller thread" },
};

struct watched *
caller_watched(void)
{
	return &caller.watched;
}

void
caller_interrupt(int signal)
{
	if (caller.bell_fd >= 0)
		pthread_kill(caller.thread, signal);
}

void
caller_call(struct caller_ring *ring)
{
	if (!__atomic_exchange_n(&ring->wanted, true, __ATOMIC_ACQ_REL))
		bell_ring(caller.bell_fd);
}

/* Releases the lock during close(), which may take as long as a call. */
static void
retire(struct caller_ring *ring) REQUIRES(caller.lock)
{
	TAILQ_REMOVE(&caller.rings, ring, link);
	mutex_unlock(&caller.lock);
	close(ring->fd);
	free(ring);
	mutex_lock(&caller.lock);
}

struct caller_ring *
caller_open(int call_fd, struct vring_calls *calls, struct vring_health *health, uint32_t index)
{
	struct caller_ring *ring = calloc(1, sizeof(*ring));

	if (ring == NULL)
		return NULL;
	ring->fd = fcntl(call_fd, F_DUPFD_CLOEXEC, 0);
	if (ring->fd < 0) {
		free(ring);
		return NULL;
	}
	ring->port = calls->port;
	ring->index = index;
	ring->calls = calls;
	ring->health = health;
	mutex_lock(&caller.lock);
	TAILQ_INSERT_TAIL(&caller.rings, ring, link);
	mutex_unlock(&caller.lock);
	return ring;
}

/* The thread closes the descriptor, because that may take as long as a call. */
void
caller_close(struct caller_ring *ring)
{
	mutex_lock(&caller.lock);
	ring->closed = true;
	mutex_unlock(&caller.lock);
	bell_ring(caller.bell_fd);
}

/*
 * The next ring that is closed, or whose call is due and allowed now. The ring that was called last is at
 * the end of the list. *waits: some calls that are due must wait.
 */
static struct caller_ring *
next_ring(bool *waits) REQUIRES(caller.lock)
{
	uint64_t now = tsc_read();
	struct caller_ring *ring;

	*waits = false;
	TAILQ_FOREACH (ring, &caller.rings, link) {
		if (ring->closed)
			return ring;
		if (!__atomic_load_n(&ring->wanted, __ATOMIC_ACQUIRE))
			continue;
		if (__atomic_load_n(&ring->calls->not_before, __ATOMIC_RELAXED) <= now)
			return ring;
		*waits = true;
	}
	return NULL;
}

/* Judges how long a call took. The ring is not closed. */
static void
judge(struct caller_ring *ring, const struct thread_time *time, bool blocked) REQUIRES(caller.lock)
{
	struct vring_calls *calls = ring->calls;
	uint64_t now = tsc_read();

	if (blocked)
		vring_health_break(ring->health, VRING_CALL_BLOCKED, ring->index);
	if (time->worked < account_slow) {
		calls->slow_in_a_row = 0;
		return;
	}
	calls->last_slow = now;
	calls->slow_in_a_row++;
	__atomic_store_n(&calls->not_before,
			now + account_slow_call(ring->port, time->worked, calls->slow_in_a_row),
			__ATOMIC_RELAXED);
}

/* Releases the lock during the call. */
static void
call(struct caller_ring *ring) REQUIRES(caller.lock)
{
	const uint64_t one = 1;
	struct thread_time time = { 0 };
	char name[SHARED_NAME_SIZE];
	uint64_t start, end;
	bool blocked;

	TAILQ_REMOVE(&caller.rings, ring, link);
	TAILQ_INSERT_TAIL(&caller.rings, ring, link);
	/* before the write, because a call that is asked for from now on must be made after it */
	__atomic_store_n(&ring->wanted, false, __ATOMIC_SEQ_CST);
	mutex_unlock(&caller.lock);
	account_name(ring->port, name);
	watched_begin(&caller.watched, "calling the frontend of port", name);
	start = tsc_read();
	blocked = write(ring->fd, &one, sizeof(one)) < 0 && errno == EINTR;
	end = tsc_read();
	watched_end(&caller.watched);
	account_add_shared(&accounts[ring->port].calling, end - start);
	if (end - start > account_slow)
		thread_time_judge(start, end, &time);
	mutex_lock(&caller.lock);
	if (!ring->closed)
		judge(ring, &time, blocked);
}

static void
wait_for_bell(int timeout_ms)
{
	uint64_t start = tsc_read();

	bell_await(caller.bell_fd, timeout_ms);
	thread_time_gap(start, tsc_read(), true);
}

static void *
run(void *unused)
{
	struct caller_ring *ring;
	bool waits;

	mutex_lock(&caller.lock);
	while (!__atomic_load_n(&caller.stop, __ATOMIC_RELAXED)) {
		ring = next_ring(&waits);
		if (ring != NULL && ring->closed) {
			retire(ring);
			continue;
		}
		if (ring != NULL) {
			call(ring);
			continue;
		}
		mutex_unlock(&caller.lock);
		wait_for_bell(waits ? LOOK_MS : -1);
		mutex_lock(&caller.lock);
	}
	mutex_unlock(&caller.lock);
	thread_time_end();
	return unused;
}

int
caller_start(void)
{
	int ret;

	caller.bell_fd = bell_open();
	if (caller.bell_fd < 0)
		return caller.bell_fd;
	caller.stop = false;
	ret = thread_start(&caller.thread, "caller", run, NULL);
	if (ret == 0)
		return 0;
	close(caller.bell_fd);
	caller.bell_fd = -1;
	return ret;
}

void
caller_stop(void)
{
	if (caller.bell_fd < 0)
		return;
	__atomic_store_n(&caller.stop, true, __ATOMIC_RELAXED);
	bell_ring(caller.bell_fd);
	if (!thread_join_within(caller.thread, STOP_LIMIT_MS))
		return;
	mutex_lock(&caller.lock);
	while (!TAILQ_EMPTY(&caller.rings))
		retire(TAILQ_FIRST(&caller.rings));
	mutex_unlock(&caller.lock);
	close(caller.bell_fd);
	caller.bell_fd = -1;
}
