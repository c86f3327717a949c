/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's loop. One thread for each CPU that the switch was given.
 *
 * A turn goes over the poll list: takes a burst from each source, forwards it, delivers it, gives
 * the buffers back, and reports quiescent at the end, so that what the control thread unpublished
 * before is no longer used. A source from which nothing came for QUIET_US asks for a kick and
 * leaves the poll list; when the list is empty the worker goes offline and blocks on the kick
 * descriptors, which are edge-triggered and never read. Silent ports cost nothing, and an idle
 * switch sleeps, by this one mechanism.
 *
 * Kicks name sources by id: what that means is looked up after the worker is online again, in the
 * list that is published then.
 */
#include "worker_thread.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "datapath/account.h"
#include "base/thread_role.h"
#include "base/clock.h"
#include "poll_list.h"
#include "short_turns.h"
#include "switching/observer.h"
#include "base/tsc.h"
#include "watchdog.h"
#include "worker_kicks.h"

/* How long a source is polled after its last frame, microseconds. */
#define QUIET_US 50
/* How long the worker keeps the CPU for itself while nothing comes; then it yields each turn. */
#define YIELD_AFTER_US 5
/* How often a busy worker looks which sleeping sources were kicked. */
#define COLLECT_US 20
/*
 * Sources without a kick descriptor are looked at this often while the worker sleeps, ms: often in
 * the first second after the last frame, then so that it costs less than 1 % of a CPU.
 */
#define TIMED_POLL_MS 1
#define TIMED_POLL_IDLE_MS 20
#define TIMED_IDLE_AFTER_US 1000000

#define EVENTS_MAX 64

/* Sources came, went or have new rings: polls all of them once more. */
static void
refresh_sources(struct worker *worker, uint64_t now)
{
	const struct source_list *list = __atomic_load_n(&worker->sources, __ATOMIC_ACQUIRE);

	worker->seen = list;
	worker->n_active = 0;
	worker->has_timed = false;
	for (uint32_t id = 0; id < list->size; id++) {
		struct source *source = source_list_get(list, id);

		if (source == NULL)
			continue;
		source->active = false;
		worker->has_timed |= __atomic_load_n(&source->timed, __ATOMIC_RELAXED);
		poll_list_add(worker, source, now);
	}
}

/*
 * Returns the time. What a new frontend's first call takes (a descriptor that blocks) is nobody's turn:
 * the source that is polled next is not to answer for it.
 */
static uint64_t
refresh_if_asked(struct worker *worker, uint64_t now)
{
	if (!__atomic_load_n(&worker->refresh, __ATOMIC_RELAXED) ||
			!__atomic_exchange_n(&worker->refresh, false, __ATOMIC_ACQUIRE))
		return now;
	refresh_sources(worker, now);
	thread_time_anew();
	return tsc_read();
}

/* Nothing came. False: the source left the poll list. */
static bool
stay_polled(struct worker *worker, struct source *source, uint64_t now)
{
	fair_share_skip(&worker->fair, source);
	if (worker->poll_always)
		return true;
	if (source->stopped) {
		worker_kicks_stop(worker, source, now);
		return false;
	}
	if (now - source->quiet_since < QUIET_US * worker->cycles_per_us)
		return true;
	if (!source->ops->arm(source)) {
		source->ops->disarm(source);
		source->quiet_since = now;
		return true;
	}
	source->active = false;
	worker_kicks_idle(worker, source, now);
	return false;
}

static void
move_burst(struct worker *worker, struct source *source)
{
	const struct forward_table *table = __atomic_load_n(worker->table, __ATOMIC_ACQUIRE);
	struct delivery *delivery = &worker->delivery;
	struct observer *observer = table->observer;

	if (observer != NULL)
		observer->taken(observer, source, &worker->burst);
	if (worker->burst.n > 0) {
		forward_burst(table, worker->fdb, source->port, clock_seconds(), &worker->burst,
				worker->verdicts);
		if (observer != NULL)
			observer->judged(observer, source, &worker->burst, worker->verdicts);
		deliver_burst(delivery, table, source, &worker->burst, worker->verdicts);
	}
	source->ops->complete(source);
	if (observer != NULL)
		observer->completed(observer, source);
	deliver_charge_source(delivery, source, &worker->burst);
}

/* What a source's trouble means for its next turn. False: there is none, it rests. */
static bool
prepare_turn(const struct worker *worker, struct source *source, uint64_t now, bool *suspect)
{
	short_turns_step(source, now, 1000 * worker->cycles_per_us);
	*suspect = false;
	if (!account_has_trouble(source->port, now))
		return true;
	if (account_rests(source->port, now))
		return false;
	*suspect = worker->private_copy != NULL && account_is_suspect(source->port, now);
	return true;
}

static void
end_turn(struct worker *worker, struct source *source, uint64_t start, uint64_t end)
{
	uint64_t cycles = end - start;

	source->quiet_since = end;
	worker_kicks_useful(source);
	account_add(&worker->busy_cycles, cycles);
	if (worker->delivery.slow)
		short_turns_begin(source, end, 1000 * worker->cycles_per_us);
	cycles -= worker->delivery.excused < cycles ? worker->delivery.excused : cycles;
	account_add(&source->turns, cycles);
	fair_share_serve(&worker->fair, source, cycles);
}

/*
 * A look that found nothing touched the source's memory as well; the next source is not to answer for
 * what that took. Returns the time.
 */
static uint64_t
charge_look(struct worker *worker, struct source *source, uint64_t now)
{
	uint64_t end = tsc_read();

	if (end - now <= account_slow)
		return end;
	worker->burst.n = 0;
	deliver_charge_source(&worker->delivery, source, &worker->burst);
	return worker->delivery.now;
}

/*
 * One source's turn, from *time on, which becomes its end. True when it had frames; false in *stays when it
 * left the poll list.
 */
static bool
poll_source(struct worker *worker, struct source *source, uint64_t *time, bool *stays)
{
	struct delivery *delivery = &worker->delivery;
	uint64_t now = *time;
	bool suspect;

	*stays = true;
	if (fair_share_passes_over(&worker->fair, source))
		return false;
	if (!prepare_turn(worker, source, now, &suspect)) {
		*stays = !worker_kicks_rest(worker, source, now);
		return false;
	}
	delivery_at(delivery, source->port);
	delivery->now = now;
	delivery->slow = false;
	delivery->excused = 0;
	if (source->ops->take(source, &worker->burst) == 0) {
		*stays = stay_polled(worker, source, now);
		*time = charge_look(worker, source, now);
		return false;
	}
	delivery->private_copy = suspect &&
			burst_private_copy(&worker->burst, worker->private_copy);
	if (worker->glancing) {
		worker->glancing = false;
		watchdog_awake();
	}
	move_burst(worker, source);
	end_turn(worker, source, now, delivery->now);
	*time = delivery->now;
	return true;
}

/* Polls every active source once. Returns true when frames moved. */
static bool
poll_sources(struct worker *worker, uint64_t now)
{
	uint32_t kept = 0;
	bool moved = false;

	fair_share_begin_round(&worker->fair);
	for (uint32_t i = 0; i < worker->n_active; i++) {
		struct source *source = worker->active[i];
		bool stays;

		moved |= poll_source(worker, source, &now, &stays);
		if (stays)
			worker->active[kept++] = source;
	}
	worker->n_active = kept;
	fair_share_end_round(&worker->fair);
	delivery_at(&worker->delivery, DELIVERY_NOWHERE);
	return moved;
}

static void
drain_wake_fd(const struct worker *worker)
{
	uint64_t count;

	if (read(worker->wake_fd, &count, sizeof(count)) < 0)
		return;
}

/* Puts the sources that the events name back into the poll list. The worker is online. */
static void
activate_kicked(struct worker *worker, const struct epoll_event *events, int n, uint64_t now)
{
	for (int i = 0; i < n; i++) {
		uint32_t id = events[i].data.u32;
		struct source *source = source_list_get(worker->seen, id);

		if (id == WAKE_EVENT)
			drain_wake_fd(worker);
		else if (source != NULL)
			poll_list_add(worker, source, now);
	}
}

static void
activate_timed(struct worker *worker, uint64_t now)
{
	for (uint32_t id = 0; id < worker->seen->size; id++) {
		struct source *source = source_list_get(worker->seen, id);

		if (source == NULL || source->active ||
				(!source->muted &&
						!__atomic_load_n(&source->timed, __ATOMIC_RELAXED)))
			continue;
		poll_list_add(worker, source, now);
		source->quiet_since = 0; /* one look, unless a frame is there */
	}
}

static int
sleep_timeout_ms(const struct worker *worker)
{
	uint64_t idle = tsc_read() - worker->last_moved;

	if (!worker->has_timed && !worker->has_muted)
		return -1;
	return idle < TIMED_IDLE_AFTER_US * worker->cycles_per_us ? TIMED_POLL_MS
								  : TIMED_POLL_IDLE_MS;
}

/* No source has anything: blocks until a kick, the control thread, or the timer. */
static void
sleep_until_kicked(struct worker *worker)
{
	struct epoll_event events[EVENTS_MAX];
	int timeout = sleep_timeout_ms(worker);
	uint64_t start = tsc_read(), now;
	int n;

	__atomic_store_n(&worker->sleeping, true, __ATOMIC_RELAXED);
	rte_rcu_qsbr_thread_offline(worker->rcu, worker->index);
	n = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, timeout);
	rte_rcu_qsbr_thread_online(worker->rcu, worker->index);
	__atomic_store_n(&worker->sleeping, false, __ATOMIC_RELAXED);
	worker->glancing = n == 0;
	if (!worker->glancing)
		watchdog_awake();
	now = tsc_read();
	thread_time_gap(start, now, true);
	now = refresh_if_asked(worker, now);
	if (worker->has_muted)
		worker_kicks_unmute(worker, now);
	activate_kicked(worker, events, n, now);
	if (timeout >= 0)
		activate_timed(worker, now);
}

/* There is work, but sleeping sources may have been kicked. */
static void
collect_kicks(struct worker *worker, uint64_t now)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, 0);

	thread_time_gap(now, now, false); /* keeps the sample fresh where the worker never sleeps */
	if (worker->has_muted)
		worker_kicks_unmute(worker, now);
	activate_kicked(worker, events, n, now);
	if (worker->has_timed && now >= worker->next_timed) {
		activate_timed(worker, now);
		worker->next_timed = now + TIMED_POLL_MS * 1000ull * worker->cycles_per_us;
	}
	worker->next_collect = now + COLLECT_US * worker->cycles_per_us;
}

/* Threads may share the CPU: an idle poll loop must not keep it from those that have work. */
static void
wait_a_little(const struct worker *worker, uint64_t now)
{
	if (now - worker->last_moved <= YIELD_AFTER_US * worker->cycles_per_us) {
		rte_pause();
		return;
	}
	now = tsc_read();
	sched_yield();
	thread_time_gap(now, tsc_read(), false);
}

void *
worker_run(void *arg)
{
	struct worker *worker = arg;

	THREAD_IS(THREAD_WORKER);
	/* A number of an lcore, by which mempools keep mbufs at hand for it; without, they are slower. */
	(void)rte_thread_register();
	__atomic_store_n(&worker->tid, gettid(), __ATOMIC_RELEASE);
	thread_time_gap(tsc_read(), tsc_read(), false);
	rte_rcu_qsbr_thread_online(worker->rcu, worker->index);
	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		uint64_t now = tsc_read();

		rte_rcu_qsbr_quiescent(worker->rcu, worker->index);
		__atomic_store_n(&worker->turn, worker->turn + 1, __ATOMIC_RELAXED);
		now = refresh_if_asked(worker, now);
		if (poll_sources(worker, now))
			worker->last_moved = now;
		else if (worker->n_active > 0)
			wait_a_little(worker, now);
		if (worker->n_active == 0)
			sleep_until_kicked(worker);
		else if (now > worker->next_collect)
			collect_kicks(worker, now);
	}
	rte_rcu_qsbr_thread_offline(worker->rcu, worker->index);
	rte_thread_unregister();
	thread_time_end();
	return NULL;
}
