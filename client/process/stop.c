/* SPDX-License-Identifier: BSD-3-Clause */
/* See stop.h. */
#include "stop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#define AGAIN_US 50000 /* repeats the signal, for a call that began just after the last one */

static int wake_fd = -1;
/* Written by the handlers, which run in the main thread. */
static volatile sig_atomic_t stopping, guarding, timed_out;

static void
set_timer(double seconds, long again_us)
{
	struct itimerval t = { 0 };

	t.it_value.tv_sec = (time_t)seconds;
	t.it_value.tv_usec = (suseconds_t)((seconds - (double)t.it_value.tv_sec) * 1e6);
	t.it_interval.tv_usec = again_us;
	setitimer(ITIMER_REAL, &t, NULL);
}

static void
on_signal(int number)
{
	int saved = errno;

	(void)number;
	stop_request();
	if (guarding)
		set_timer(AGAIN_US / 1e6, AGAIN_US);
	errno = saved;
}

static void
on_alarm(int number)
{
	(void)number;
	if (guarding && !stopping)
		timed_out = 1;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

int
stop_open(void)
{
	/* without SA_RESTART, because a signal must end calls that block */
	struct sigaction action = { .sa_handler = on_signal };
	size_t i;

	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_fd < 0)
		return -errno;
	for (i = 0; i < SIGNALS; i++) {
		action.sa_handler = signals[i] == SIGALRM ? on_alarm : on_signal;
		sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	/* net_tap asks for a real-time signal for each frame. When too many are pending, the kernel
	 * sends this one instead, which would end the process. */
	signal(SIGIO, SIG_IGN);
	return 0;
}

bool
stop_requested(void)
{
	return stopping != 0;
}

void
stop_request(void)
{
	stopping = 1;
	stop_wake();
}

int
stop_fd(void)
{
	return wake_fd;
}

void
stop_drain(void)
{
	uint64_t count;

	if (read(wake_fd, &count, sizeof(count)) < 0)
		return; /* there was no wake-up */
}

void
stop_wake(void)
{
	uint64_t one = 1;

	if (write(wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full, so it is readable anyway */
}

static void
mask(int how)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < SIGNALS; i++)
		sigaddset(&set, signals[i]);
	pthread_sigmask(how, &set, NULL);
}

void
stop_block(void)
{
	mask(SIG_BLOCK);
}

void
stop_unblock(void)
{
	mask(SIG_UNBLOCK);
}

void
stop_guard(double seconds, bool already)
{
	timed_out = 0;
	guarding = 1;
	if (stopping && already)
		set_timer(AGAIN_US / 1e6, AGAIN_US);
	else if (seconds >= 0)
		set_timer(seconds > 1e-3 ? seconds : 1e-3, AGAIN_US);
}

void
stop_unguard(void)
{
	guarding = 0;
	set_timer(0, 0);
}

bool
stop_timed_out(void)
{
	return timed_out != 0;
}
