/* SPDX-License-Identifier: BSD-3-Clause */
/* See watchdog.h. */
#include "watchdog.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "datapath/account.h"
#include "rings/caller.h"
#include "base/bell.h"
#include "base/thread.h"
#include "watchdog_log.h"
#include "worker_thread.h"

#define TICK_NS 5000000
#define TICKS_A_SECOND (1000000000 / TICK_NS)
#define TICKS_INTERRUPT 2
#define TICKS_ABORT (30 * TICKS_A_SECOND)
#define LAST_WORDS_MS 1000
/* All asleep for so long: then it looks only now and then, until a worker rings the bell. */
#define TICKS_LINGER TICKS_A_SECOND
#define RESTING_LOOK_MS 5000

#define WATCHED_MAX 32

/* A worker, and where it was at the last look. */
struct look {
	struct worker *worker;
	uint64_t turn;
	uint16_t port;
	uint32_t still; /* looks without progress */
};

static struct {
	pthread_t thread;
	bool runs;
	int bell_fd;
	bool stop;		       /* atomic */
	bool resting;		       /* atomic; workers ring the bell */
	uint32_t n_workers, n_watched; /* atomic: what is below is there */
	struct look looks[WORKERS_MAX];
	struct watched *watched[WATCHED_MAX];
	uint32_t quiet; /* looks with all workers asleep */
} dog = { .bell_fd = -1, .resting = true };

/* The state letter of a thread, as /proc has it; '?' when it cannot be read. */
static char
state_of(pid_t tid)
{
	char path[48], text[256], *end;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return '?';
	text[len] = '\0';
	end = strrchr(text, ')'); /* the thread's name may hold anything */
	return end != NULL && end[1] == ' ' ? end[2] : '?';
}

static void
tell(const struct look *look, char state)
{
	char name[SHARED_NAME_SIZE] = "between ports";

	if (look->port < PORTS_MAX)
		account_name(look->port, name);
	watchdog_log(LOG_LEVEL_ERROR, "worker %u: stands still for %u s at port %s (%s)",
			look->worker->index, look->still / TICKS_A_SECOND, name,
			state == 'D' ? "it waits inside the kernel"
					: state == 'R'
					? "it is ready, and has no CPU or does not come to an end"
					: "a system call does not end");
}

static void
stands_still(struct look *look)
{
	bool tells = look->still % TICKS_A_SECOND == 0;
	/* before the interruption, after which the thread is ready for a moment */
	char state = tells ? state_of(__atomic_load_n(&look->worker->tid, __ATOMIC_ACQUIRE)) : '?';

	if (look->still >= TICKS_INTERRUPT)
		pthread_kill(look->worker->thread, THREAD_INTERRUPT);
	if (!tells)
		return;
	tell(look, state);
	/* Ready or in the kernel's hands, it may stand there for reasons that are not the port's. */
	if (state == 'S' && look->port < PORTS_MAX)
		account_held(look->port);
	if (look->still >= TICKS_ABORT && state != 'D') {
		watchdog_log(LOG_LEVEL_ERROR,
				"worker %u: ending, so that the switch is started anew",
				look->worker->index);
		watchdog_log_wait(LAST_WORDS_MS);
		abort();
	}
}

static void
look_at_worker(struct look *look)
{
	const struct worker *worker = look->worker;
	uint64_t turn = __atomic_load_n(&worker->turn, __ATOMIC_RELAXED);
	uint16_t port = __atomic_load_n(&worker->delivery.at_port, __ATOMIC_RELAXED);

	if (turn == look->turn && port == look->port &&
			!__atomic_load_n(&worker->sleeping, __ATOMIC_RELAXED)) {
		look->still++;
		stands_still(look);
		return;
	}
	look->turn = turn;
	look->port = port;
	look->still = 0;
}

/* A call can block the caller as it can a worker. */
static void
look_at_caller(uint64_t now)
{
	uint64_t since = __atomic_load_n(&caller_watched()->since, __ATOMIC_ACQUIRE);

	if (since != 0 && now > since + (uint64_t)TICKS_INTERRUPT * TICK_NS)
		caller_interrupt(THREAD_INTERRUPT);
}

/* Speaks of it after 1, 2, 4, 8 ... seconds. */
static void
look_at_watched(struct watched *watched, uint64_t now)
{
	uint64_t since = __atomic_load_n(&watched->since, __ATOMIC_ACQUIRE), s;
	char whom[SHARED_NAME_SIZE];

	if (since == 0 || now < since)
		return;
	if (watched->told != since) {
		watched->told = since;
		watched->told_s = 0;
	}
	s = (now - since) / 1000000000;
	if (s == 0 || s < 2 * watched->told_s)
		return;
	shared_name_get(&watched->whom, whom);
	watched->told_s = s;
	watchdog_log(LOG_LEVEL_WARNING, "%s is held up for %llu s: %s%s%s", watched->thread,
			(unsigned long long)s, __atomic_load_n(&watched->what, __ATOMIC_RELAXED),
			whom[0] != '\0' ? " " : "", whom);
}

static bool
all_asleep(void)
{
	uint32_t n = __atomic_load_n(&dog.n_workers, __ATOMIC_ACQUIRE);

	for (uint32_t i = 0; i < n; i++)
		if (!__atomic_load_n(&dog.looks[i].worker->sleeping, __ATOMIC_RELAXED))
			return false;
	return true;
}

static void
look(void)
{
	uint32_t n = __atomic_load_n(&dog.n_workers, __ATOMIC_ACQUIRE);
	uint64_t now = clock_ns();

	thread_time_tick();
	for (uint32_t i = 0; i < n; i++)
		look_at_worker(&dog.looks[i]);
	look_at_caller(now);
	n = __atomic_load_n(&dog.n_watched, __ATOMIC_ACQUIRE);
	for (uint32_t i = 0; i < n; i++)
		look_at_watched(dog.watched[i], now);
	dog.quiet = all_asleep() ? dog.quiet + 1 : 0;
}

/* Waits for the bell, or for the time of a look that happens whatever the workers do. */
static void
rest(void)
{
	/* A worker that wakes up from here on rings; one that woke just before is seen below. */
	__atomic_store_n(&dog.resting, true, __ATOMIC_SEQ_CST);
	if (!all_asleep())
		watchdog_awake();
	if (bell_await(dog.bell_fd, RESTING_LOOK_MS))
		dog.quiet = 0;
}

static void *
run(void *unused)
{
	const struct timespec tick = { .tv_nsec = TICK_NS };

	while (!__atomic_load_n(&dog.stop, __ATOMIC_RELAXED)) {
		look();
		if (dog.quiet >= TICKS_LINGER)
			rest();
		else
			nanosleep(&tick, NULL);
	}
	return unused;
}

void
watchdog_awake(void)
{
	if (__atomic_load_n(&dog.resting, __ATOMIC_SEQ_CST) &&
			__atomic_exchange_n(&dog.resting, false, __ATOMIC_SEQ_CST))
		bell_ring(dog.bell_fd);
}

void
watchdog_watch_worker(struct worker *worker)
{
	dog.looks[dog.n_workers].worker = worker;
	__atomic_store_n(&dog.n_workers, dog.n_workers + 1, __ATOMIC_RELEASE);
}

void
watchdog_watch(struct watched *watched)
{
	if (dog.n_watched == WATCHED_MAX)
		return;
	dog.watched[dog.n_watched] = watched;
	__atomic_store_n(&dog.n_watched, dog.n_watched + 1, __ATOMIC_RELEASE);
}

int
watchdog_start(void)
{
	int ret = watchdog_log_start();

	if (ret < 0)
		return ret;
	dog.bell_fd = bell_open();
	if (dog.bell_fd < 0)
		return dog.bell_fd;
	ret = thread_start(&dog.thread, "watchdog", run, NULL);
	dog.runs = ret == 0;
	return ret;
}

void
watchdog_stop(void)
{
	if (dog.runs) {
		__atomic_store_n(&dog.stop, true, __ATOMIC_RELAXED);
		bell_ring(dog.bell_fd);
		pthread_join(dog.thread, NULL);
	}
	dog.runs = false;
	dog.n_workers = dog.n_watched = 0;
	if (dog.bell_fd >= 0)
		close(dog.bell_fd);
	dog.bell_fd = -1;
	watchdog_log_stop();
}
