/* SPDX-License-Identifier: BSD-3-Clause */
/* See follow.h. */
#include "follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static sigset_t waiting; /* the signal mask while the command waits */

static void
interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

void
follow_begin(void)
{
	/* SA_RESETHAND: a second signal ends a write that hangs because its reader does not read */
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigprocmask(SIG_BLOCK, NULL, &waiting);
}

bool
follow_interrupted(void)
{
	return interrupted != 0;
}

static void
block_signals(int how)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(how, &signals, NULL);
}

/* Only ppoll() lets signals in, so that none comes between the check of the flag and the wait. */
int
follow_wait(const struct rpc *rpc, double seconds)
{
	struct pollfd pfds[] = { { .fd = rpc->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };
	struct timespec limit = { .tv_sec = (time_t)seconds };

	limit.tv_nsec = (long)((seconds - (double)limit.tv_sec) * 1e9);
	block_signals(SIG_BLOCK);
	if (!interrupted)
		ppoll(pfds, 2, seconds < 0 ? NULL : &limit, &waiting);
	block_signals(SIG_UNBLOCK);
	return !interrupted && (pfds[1].revents & (POLLERR | POLLNVAL)) != 0 ? -EPIPE : 0;
}

void
follow_print_time(FILE *out, double time)
{
	time_t seconds = (time_t)time;
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(out, "%s.%03d", text, (int)((time - (double)seconds) * 1000));
}
