/* SPDX-License-Identifier: BSD-3-Clause */
/* See thread.h. */
#include "thread.h"

#include <errno.h>
#include <stddef.h>

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
