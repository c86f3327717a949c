/* SPDX-License-Identifier: BSD-3-Clause */
/* See thread.h. */
#include "thread.h"

#include <errno.h>
#include <time.h>

#include "thread_role.h"

#ifdef THREAD_ROLES
_Thread_local unsigned int thread_role;
#endif

static void
on_interrupt(int number)
{
	(void)number;
}

int
thread_init(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	return sigaction(THREAD_INTERRUPT, &action, NULL) < 0 ? -errno : 0;
}

int
thread_start(pthread_t *thread, const char *name, void *(*run)(void *arg), void *arg)
{
	sigset_t mask, before;
	int ret;

	sigfillset(&mask);
	sigdelset(&mask, THREAD_INTERRUPT);
	sigdelset(&mask, SIGBUS);
	sigdelset(&mask, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &mask, &before);
	ret = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret == 0)
		pthread_setname_np(*thread, name);
	return -ret;
}

bool
thread_join_within(pthread_t thread, uint32_t limit_ms)
{
	const struct timespec nap = { .tv_nsec = 1000000 };

	for (uint32_t ms = 0; pthread_tryjoin_np(thread, NULL) != 0; ms++) {
		if (ms == limit_ms) {
			pthread_detach(thread);
			return false;
		}
		nanosleep(&nap, NULL);
	}
	return true;
}

int
thread_start_detached(size_t stack_size, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, stack_size);
	ret = pthread_create(&thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return -ret;
}
