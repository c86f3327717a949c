/* SPDX-License-Identifier: BSD-3-Clause */
/* See process.h. */
#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "log.h"

static const int stop_signals[] = { SIGTERM, SIGINT, SIGHUP };

#define N_SIGNALS (sizeof(stop_signals) / sizeof(stop_signals[0]))

static struct event *watches[N_SIGNALS];
static void (*stop_call)(void *arg);
static void *stop_arg;

static uint64_t
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the limit of open descriptors to %llu",
				(unsigned long long)limit.rlim_max);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

static void
stop_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < N_SIGNALS; i++)
		sigaddset(set, stop_signals[i]);
}

uint64_t
process_prepare(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Sent in the place of the real-time signals of DPDK's net_tap when too many of those wait. */
	signal(SIGIO, SIG_IGN);
	stop_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return raise_descriptor_limit();
}

static void
on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what;
	(void)arg;
	log_info("%s: leaving",
			number == SIGTERM		   ? "SIGTERM"
					: number == SIGINT ? "SIGINT"
							   : "SIGHUP");
	/* gives the signals their default action back: the next one ends a stop that hangs */
	process_unwatch();
	stop_call(stop_arg);
}

static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int
process_watch(struct event_base *base, void (*stop)(void *arg), void *arg)
{
	sigset_t set;
	size_t i;

	stop_call = stop;
	stop_arg = arg;
	for (i = 0; i < N_SIGNALS; i++) {
		if (stop_signals[i] == SIGHUP && is_ignored(SIGHUP))
			continue;
		watches[i] = evsignal_new(base, stop_signals[i], on_signal, NULL);
		if (watches[i] == NULL || event_add(watches[i], NULL) != 0)
			return -ENOMEM;
	}
	stop_set(&set);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
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
