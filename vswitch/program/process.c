/* SPDX-License-Identifier: BSD-3-Clause */
/* See process.h. */
#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"

static const int stop_signals[] = { SIGTERM, SIGINT, SIGHUP };

#define N_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

static int stop_fd = -1; /* a signalfd, until process_watch() */
static struct event *watches[N_SIGNALS];
static void (*stop_call)(void *arg);
static void *stop_arg;

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the limit of open descriptors to %llu",
				(unsigned long long)limit.rlim_max);
}

static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool
ends_us(int number)
{
	return number != SIGHUP || !is_ignored(SIGHUP);
}

static void
stop_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < N_SIGNALS; i++)
		if (ends_us(stop_signals[i]))
			sigaddset(set, stop_signals[i]);
}

static void
unblock(void)
{
	sigset_t set;

	stop_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int
process_prepare(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, no child could be waited for */
	signal(SIGXFSZ, SIG_IGN);
	/* Sent in the place of the real-time signals of DPDK's net_tap when too many of those wait. */
	signal(SIGIO, SIG_IGN);
	stop_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise_descriptor_limit();
	stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return stop_fd >= 0 ? 0 : -errno;
}

int
process_stop_fd(void)
{
	return stop_fd;
}

static void
tell_signal(int number)
{
	log_info("%s: leaving",
			number == SIGTERM		   ? "SIGTERM"
					: number == SIGINT ? "SIGINT"
							   : "SIGHUP");
}

void
process_take_stop(void)
{
	struct signalfd_siginfo info;

	if (read(stop_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		tell_signal((int)info.ssi_signo);
	unblock();
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	(void)arg;
	tell_signal(number);
	/* gives the signals their default action back: the next one ends a stop that hangs */
	process_unwatch();
	stop_call(stop_arg);
}

int
process_watch(struct event_base *base, void (*stop)(void *arg), void *arg)
{
	size_t i;

	stop_call = stop;
	stop_arg = arg;
	for (i = 0; i < N_SIGNALS; i++) {
		if (!ends_us(stop_signals[i]))
			continue;
		watches[i] = evsignal_new(base, stop_signals[i], on_signal, NULL);
		if (watches[i] == NULL || event_add(watches[i], NULL) != 0)
			return -ENOMEM;
	}
	unblock();
	close(stop_fd);
	stop_fd = -1;
	return 0;
}

void
process_unwatch(void)
{
	size_t i;

	for (i = 0; i < N_SIGNALS; i++) {
		if (watches[i] != NULL)
			event_free(watches[i]);
		watches[i] = NULL;
	}
}
