/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_turns.h. */
#include "control_turns.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include <event2/event.h>

#include "base/clock.h"

static TAILQ_HEAD(, control_turn) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct event *timer;
static struct event_base *loop;
static bool in_turn;
static uint64_t least_ns; /* what the one that had the last turn had used before it */

/* A timer that is due at once is called after the events that the loop finds ready next. */
static void
schedule(uint64_t pause_ns)
{
	const struct timeval pause = { .tv_usec = (suseconds_t)(pause_ns / 1000 % 1000000),
		.tv_sec = (time_t)(pause_ns / 1000000000) };

	/* the loop's time is that of its last wait; a turn may have been long */
	(void)event_base_update_cache_time(loop);
	if (timer != NULL && !event_pending(timer, EV_TIMEOUT, NULL))
		(void)event_add(timer, &pause);
}

/* Who has used least; each fourth time who has waited longest. */
static struct control_turn *
choose(void)
{
	static unsigned int n;
	struct control_turn *best = TAILQ_FIRST(&waiting);
	struct control_turn *turn;

	if (++n % 4 == 0)
		return best;
	TAILQ_FOREACH (turn, &waiting, link)
		if (turn->used_ns < best->used_ns)
			best = turn;
	return best;
}

static void
enter(struct control_turn *turn)
{
	turn->waiting = true;
	TAILQ_INSERT_TAIL(&waiting, turn, link);
}

/* Of this thread: what others take of its CPU meanwhile is nobody's fault here. */
static uint64_t
own_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct control_turn *turn = choose();
	uint64_t start = own_ns(), took;
	bool more;

	(void)fd;
	(void)what;
	(void)arg;
	if (turn == NULL)
		return;
	control_turns_leave(turn);
	least_ns = turn->used_ns;
	in_turn = true;
	more = turn->take(turn, clock_ns() + CONTROL_TURN_NS);
	in_turn = false;
	took = own_ns() - start;
	turn->used_ns += took;
	if (more && !turn->waiting)
		enter(turn);
	if (!TAILQ_EMPTY(&waiting))
		schedule(took > CONTROL_TURN_NS ? took - CONTROL_TURN_NS : 0);
}

int
control_turns_start(struct event_base *base)
{
	loop = base;
	timer = event_new(base, -1, 0, on_timer, NULL);
	return timer != NULL ? 0 : -ENOMEM;
}

void
control_turns_stop(void)
{
	if (timer != NULL)
		event_free(timer);
	timer = NULL;
}

void
control_turns_want(struct control_turn *turn)
{
	if (turn->waiting)
		return;
	/* time without work is not saved up */
	if (turn->used_ns < least_ns)
		turn->used_ns = least_ns;
	enter(turn);
	if (!in_turn)
		schedule(0);
}

void
control_turns_leave(struct control_turn *turn)
{
	if (!turn->waiting)
		return;
	turn->waiting = false;
	TAILQ_REMOVE(&waiting, turn, link);
}
