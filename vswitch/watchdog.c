/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks after the workers: a frontend's call descriptor can block the worker that writes to it.
 *
 * Runs on the control thread, every 5 ms while a worker is awake and for a second after; a worker
 * that leaves its sleep starts it again. It counts ticks without progress, not time, so that
 * stopping and continuing the whole process does not look like a hang. A worker that makes none
 * for two ticks gets a signal, which ends a blocked write with EINTR (no SA_RESTART), so a hostile
 * port costs its worker about 10 ms once; harmless when the worker was only not scheduled. One
 * that stays stuck is named in the log and, after 10 seconds, ends the process for its supervisor
 * to start anew: a switch with a dead worker is worse than a restart.
 */
#include "worker_thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"

#define TICK_US 5000
#define TICKS_SIGNAL 2
#define TICKS_LOG (1000000 / TICK_US)
#define TICKS_ABORT (10 * TICKS_LOG)
#define TICKS_LINGER (1000000 / TICK_US)

static struct {
	struct worker *const *workers;
	uint32_t n;
	const char *(*port_name)(uint16_t id);
	uint64_t turns[WORKERS_MAX];
	uint32_t stuck[WORKERS_MAX]; /* ticks without a turn */
	uint32_t quiet;		     /* ticks with all workers asleep */
	struct event *timer;
	struct event *bell;
	int bell_fd;
	bool resting; /* the timer does not run; workers ring the bell */
} dog = { .bell_fd = -1 };

static const char *
name_of_port(uint16_t id)
{
	const char *name = id == FDB_NO_PORT ? NULL : dog.port_name(id);

	return name != NULL ? name : "between ports";
}

static void
look_at(uint32_t i)
{
	struct worker *worker = dog.workers[i];
	uint64_t turn = __atomic_load_n(&worker->turn, __ATOMIC_RELAXED);
	uint16_t at = __atomic_load_n(&worker->at_port, __ATOMIC_RELAXED);

	if (turn != dog.turns[i] || __atomic_load_n(&worker->sleeping, __ATOMIC_RELAXED)) {
		dog.turns[i] = turn;
		dog.stuck[i] = 0;
		return;
	}
	dog.stuck[i]++;
	if (dog.stuck[i] >= TICKS_SIGNAL)
		pthread_kill(worker->thread, WORKER_SIGNAL);
	if (dog.stuck[i] % TICKS_LOG == 0)
		log_error("worker %u: held up for %u s at port %s", i, dog.stuck[i] / TICKS_LOG,
				name_of_port(at));
	if (dog.stuck[i] >= TICKS_ABORT) {
		log_error("worker %u: does not come back; ending so that the switch is restarted",
				i);
		abort();
	}
}

static bool
all_asleep(void)
{
	for (uint32_t i = 0; i < dog.n; i++)
		if (!__atomic_load_n(&dog.workers[i]->sleeping, __ATOMIC_RELAXED))
			return false;
	return true;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (uint32_t i = 0; i < dog.n; i++)
		look_at(i);
	dog.quiet = all_asleep() ? dog.quiet + 1 : 0;
	if (dog.quiet < TICKS_LINGER)
		return;
	event_del(dog.timer);
	/* A worker that wakes up from here on rings; one that woke just before is seen below. */
	__atomic_store_n(&dog.resting, true, __ATOMIC_SEQ_CST);
	if (!all_asleep())
		watchdog_awake();
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tick = { .tv_usec = TICK_US };
	uint64_t count;

	(void)what;
	(void)arg;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	dog.quiet = 0;
	evtimer_add(dog.timer, &tick);
}

void
watchdog_awake(void)
{
	const uint64_t one = 1;

	if (!__atomic_load_n(&dog.resting, __ATOMIC_SEQ_CST) ||
			!__atomic_exchange_n(&dog.resting, false, __ATOMIC_SEQ_CST))
		return;
	if (write(dog.bell_fd, &one, sizeof(one)) < 0)
		return;
}

static void
on_worker_signal(int number)
{
	(void)number;
}

int
watchdog_start(struct event_base *base, struct worker *const *workers, uint32_t n,
		const char *(*port_name)(uint16_t id))
{
	struct sigaction action = { .sa_handler = on_worker_signal };

	dog.workers = workers;
	dog.n = n;
	dog.port_name = port_name;
	dog.resting = true;
	dog.bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dog.bell_fd < 0 || sigaction(WORKER_SIGNAL, &action, NULL) < 0)
		return -errno;
	dog.timer = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	dog.bell = event_new(base, dog.bell_fd, EV_READ | EV_PERSIST, on_bell, NULL);
	if (dog.timer == NULL || dog.bell == NULL || event_add(dog.bell, NULL) < 0)
		return -ENOMEM;
	return 0;
}

void
watchdog_stop(void)
{
	if (dog.timer != NULL)
		event_free(dog.timer);
	if (dog.bell != NULL)
		event_free(dog.bell);
	dog.timer = NULL;
	dog.bell = NULL;
	if (dog.bell_fd >= 0)
		close(dog.bell_fd);
	dog.bell_fd = -1;
}
