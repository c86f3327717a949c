/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See grace.h.
 *
 * Waits for grace periods (rte_rcu_qsbr) without blocking: a timer of one millisecond checks whether the
 * oldest one has ended.
 */
#include "grace.h"

#include <stdlib.h>
#include <sys/queue.h>

#include <event2/event.h>

#include <rte_rcu_qsbr.h>

#include "thread_role.h"

#define POLL_US 1000

struct wait {
	TAILQ_ENTRY(wait) link;
	uint64_t token;
	void (*done)(void *arg);
	void *arg;
};

static struct {
	struct rte_rcu_qsbr *rcu;
	struct event *timer;
	TAILQ_HEAD(, wait) waits; /* by ascending token */
} grace = { .waits = TAILQ_HEAD_INITIALIZER(grace.waits) };

static void
arm_timer(void)
{
	const struct timeval interval = { .tv_usec = POLL_US };

	evtimer_add(grace.timer, &interval);
}

/* Unlinks the wait first, because `done` may ask for another period. */
static void
end_wait(struct wait *wait)
{
	TAILQ_REMOVE(&grace.waits, wait, link);
	wait->done(wait->arg);
	free(wait);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct wait *wait;

	(void)fd;
	(void)what;
	(void)arg;
	while ((wait = TAILQ_FIRST(&grace.waits)) != NULL) {
		if (rte_rcu_qsbr_check(grace.rcu, wait->token, false) != 1)
			break;
		end_wait(wait);
	}
	if (wait != NULL)
		arm_timer();
}

/* Blocks for at most a turn of the workers. Only for when there is no memory for a struct wait. */
static void
wait_here(uint64_t token)
{
	rte_rcu_qsbr_check(grace.rcu, token, true);
}

void
grace_call(void (*done)(void *arg), void *arg)
{
	uint64_t token = rte_rcu_qsbr_start(grace.rcu);
	struct wait *wait;

	ASSERT_ON(THREAD_CONTROL);
	if (rte_rcu_qsbr_check(grace.rcu, token, false) == 1) {
		done(arg);
		return;
	}
	wait = malloc(sizeof(*wait));
	if (wait == NULL) {
		wait_here(token);
		done(arg);
		return;
	}
	wait->token = token;
	wait->done = done;
	wait->arg = arg;
	TAILQ_INSERT_TAIL(&grace.waits, wait, link);
	if (!evtimer_pending(grace.timer, NULL))
		arm_timer();
}

struct rte_rcu_qsbr *
grace_start(struct event_base *base, uint32_t n)
{
	size_t size = rte_rcu_qsbr_get_memsize(n);

	ASSERT_ON(THREAD_CONTROL);
	grace.rcu = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_CACHE_LINE_ROUNDUP(size));
	grace.timer = evtimer_new(base, on_timer, NULL);
	if (grace.rcu != NULL && grace.timer != NULL && rte_rcu_qsbr_init(grace.rcu, n) == 0)
		return grace.rcu;
	grace_stop();
	return NULL;
}

void
grace_finish(void)
{
	struct wait *wait;

	ASSERT_ON(THREAD_CONTROL);
	while ((wait = TAILQ_FIRST(&grace.waits)) != NULL)
		end_wait(wait);
}

void
grace_stop(void)
{
	ASSERT_ON(THREAD_CONTROL);
	if (grace.timer != NULL)
		event_free(grace.timer);
	free(grace.rcu);
	grace.timer = NULL;
	grace.rcu = NULL;
}
