/* SPDX-License-Identifier: BSD-3-Clause */
/* See thread_time.h. */
#include "thread_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tsc.h"

/* thread_time_gap() takes a new sample when the last one is older than this. */
#define FRESH_US 5000

/* The kernel makes a page faster than this unless it must free memory first. */
#define PAGE_US 20

/* The least time between two ticks of the watchdog. */
#define TICK_US 5000

/* Times are TSC cycles since the thread began. */
struct sample {
	uint64_t tsc;
	uint64_t cpu;	 /* on a CPU */
	uint64_t queue;	 /* ready, but without a CPU */
	uint64_t sleeps; /* voluntary context switches */
	uint64_t tick;	 /* the watchdog's ticks */
};

static uint64_t cycles_per_us = 1;
static uint64_t ticks; /* atomic; writer: the watchdog */

/* A sample, and what happened from then to the next one. */
struct since {
	struct sample sample;
	uint64_t gaps;	 /* cycles reported by thread_time_gap() */
	uint64_t sleeps; /* voluntary sleeps, reported likewise */
	uint64_t pages;	 /* cycles in which the host freed memory for pages */
};

static __thread struct {
	struct since last;
	struct since before; /* the sample with which the last judged stretch was compared */
	uint64_t judged;     /* when that stretch began */
	uint64_t queue;	     /* sample.queue as last read */
	int fd;		     /* /proc/thread-self/schedstat, plus 1; 0: not open */
	bool has_no_queue;   /* the kernel does not provide it */
} own;

void
thread_time_init(uint64_t tsc_hz)
{
	cycles_per_us = tsc_hz / 1000000 > 0 ? tsc_hz / 1000000 : 1;
}

static uint64_t
cycles_of(const struct timeval *time)
{
	return ((uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec) * cycles_per_us;
}

/* The file has "CPU QUEUE SLICES", in nanoseconds. CPU is not used, because it is a tick late. */
static bool
read_queue(uint64_t *queue)
{
	char text[80], *rest;
	ssize_t len;

	if (own.has_no_queue)
		return false;
	if (own.fd == 0)
		own.fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC) + 1;
	len = own.fd > 0 ? pread(own.fd - 1, text, sizeof(text) - 1, 0) : 0;
	if (len <= 0) {
		own.has_no_queue = true;
		return false;
	}
	text[len] = '\0';
	(void)strtoull(text, &rest, 10);
	*queue = own.queue = strtoull(rest, NULL, 10) * cycles_per_us / 1000;
	return true;
}

/* Keeps errno, because callers may still need that of their own system call. */
static bool
take(struct sample *sample)
{
	struct rusage usage;
	int saved = errno;
	bool taken = read_queue(&sample->queue) && getrusage(RUSAGE_THREAD, &usage) == 0;

	errno = saved;
	if (!taken)
		return false;
	sample->tsc = tsc_read();
	sample->cpu = cycles_of(&usage.ru_utime) + cycles_of(&usage.ru_stime);
	sample->sleeps = (uint64_t)usage.ru_nvcsw;
	sample->tick = __atomic_load_n(&ticks, __ATOMIC_RELAXED);
	return true;
}

static uint64_t
less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

void
thread_time_tick(void)
{
	__atomic_add_fetch(&ticks, 1, __ATOMIC_RELAXED);
}

/*
 * Whether the thread slept in the kernel during the time in which it neither worked nor was ready. It did
 * not when all its sleeps were voluntary (then a hypervisor took the CPU away), or when the
 * watchdog stood still as well (then the whole process was stopped).
 */
static bool
has_slept(const struct since *since, const struct sample *now, uint64_t waited)
{
	uint64_t due = waited / (TICK_US * cycles_per_us);

	return now->sleeps - since->sample.sleeps > since->sleeps &&
			now->tick - since->sample.tick >= due / 4;
}

void
thread_time_anew(void)
{
	(void)take(&own.last.sample);
	own.last.gaps = 0;
	own.last.sleeps = 0;
	own.last.pages = 0;
}

void
thread_time_gap(uint64_t start, uint64_t end, bool slept)
{
	own.last.gaps += end - start;
	own.last.sleeps += slept;
	if (end - own.last.sample.tsc >= FRESH_US * cycles_per_us)
		thread_time_anew();
}

void
thread_time_page(uint64_t cycles)
{
	uint64_t queue, before = own.queue;
	int saved = errno;

	if (own.fd == 0 || cycles <= PAGE_US * cycles_per_us)
		return; /* this thread is never judged, or the page came at once */
	if (read_queue(&queue))
		own.last.pages += less(cycles, queue - before);
	errno = saved;
}

/*
 * Chooses the sample with which a stretch is compared: the last one, if the stretch began after the last
 * judged stretch did. Otherwise the stretch contains that one (a call while frames were placed) and
 * began before the last sample, with which all of it would pass for work; so the sample before is used.
 * A stretch that begins where the last judged one ended gets the last sample, too, though that was taken
 * a little later: what the other one waited is not its own.
 */
static const struct since *
choose_since(uint64_t start)
{
	if (start > own.judged || own.before.sample.tsc == 0) {
		own.before = own.last;
	} else {
		own.before.gaps += own.last.gaps;
		own.before.sleeps += own.last.sleeps;
		own.before.pages += own.last.pages;
	}
	own.judged = start;
	return &own.before;
}

bool
thread_time_judge(uint64_t start, uint64_t end, struct thread_time *time)
{
	uint64_t span = end - start, away;
	const struct since *since;
	struct sample now;

	*time = (struct thread_time){ 0 };
	if (own.last.sample.tsc == 0 || !take(&now))
		return false;
	since = choose_since(start);
	away = less(less(now.tsc - since->sample.tsc, since->gaps), now.cpu - since->sample.cpu);
	time->worked = less(span, away);
	time->waited = less(away < span ? away : span, now.queue - since->sample.queue);
	if (!has_slept(since, &now, time->waited))
		time->waited = 0;
	time->worked = less(time->worked, since->pages);
	time->waited = less(time->waited, since->pages);
	own.last = (struct since){ .sample = now };
	return true;
}

void
thread_time_end(void)
{
	if (own.fd > 0)
		close(own.fd - 1);
	own.fd = 0;
}
