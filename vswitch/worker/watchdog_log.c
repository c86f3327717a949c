/* SPDX-License-Identifier: BSD-3-Clause */
/* See watchdog_log.h. One writer and one reader of a ring of lines: no lock. */
#include "watchdog_log.h"

#include <errno.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/thread.h"

#define LINES 16
#define LINE_SIZE 256
#define STOP_LIMIT_MS 1000

static struct {
	pthread_t thread;
	bool runs;	/* control thread */
	sem_t due;	/* one for each line, and one for the end */
	uint32_t noted; /* atomic; writer: the watchdog */
	uint32_t told;	/* atomic; writer: the thread */
	struct {
		enum log_level level;
		char text[LINE_SIZE];
	} lines[LINES];
} book;

static void *
run(void *unused)
{
	for (;;) {
		uint32_t told = book.told;

		while (sem_wait(&book.due) != 0)
			;
		if (told == __atomic_load_n(&book.noted, __ATOMIC_ACQUIRE))
			return unused;
		log_write(book.lines[told % LINES].level, "%s", book.lines[told % LINES].text);
		__atomic_store_n(&book.told, told + 1, __ATOMIC_RELEASE);
	}
}

void
watchdog_log(enum log_level level, const char *fmt, ...)
{
	uint32_t noted = book.noted;
	va_list args;

	if (noted - __atomic_load_n(&book.told, __ATOMIC_ACQUIRE) == LINES)
		return;
	book.lines[noted % LINES].level = level;
	va_start(args, fmt);
	vsnprintf(book.lines[noted % LINES].text, LINE_SIZE, fmt, args);
	va_end(args);
	__atomic_store_n(&book.noted, noted + 1, __ATOMIC_RELEASE);
	sem_post(&book.due);
}

void
watchdog_log_wait(uint32_t limit_ms)
{
	const struct timespec nap = { .tv_nsec = 1000000 };

	for (uint32_t ms = 0; ms < limit_ms; ms++) {
		if (__atomic_load_n(&book.told, __ATOMIC_ACQUIRE) == book.noted)
			return;
		nanosleep(&nap, NULL);
	}
}

int
watchdog_log_start(void)
{
	int ret;

	if (sem_init(&book.due, 0, 0) != 0)
		return -errno;
	ret = thread_start(&book.thread, "watchdog-log", run, NULL);
	book.runs = ret == 0;
	return ret;
}

void
watchdog_log_stop(void)
{
	if (!book.runs)
		return;
	book.runs = false;
	sem_post(&book.due);
	(void)thread_join_within(book.thread, STOP_LIMIT_MS);
}
