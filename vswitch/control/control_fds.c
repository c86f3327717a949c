/* SPDX-License-Identifier: BSD-3-Clause */
/* See control_fds.h. */
#include "control_fds.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/fd_reaper.h"
#include "gate/fd_receive.h"

/* A connection in which more is unread is closed aside, unread. */
#define DRAIN_SIZE 16384
#define DRAIN_STEPS 32

static struct fd_reaper_account *account;

int
control_fds_start(void)
{
	account = fd_reaper_open_account();
	return account != NULL ? 0 : -ENOMEM;
}

void
control_fds_stop(void)
{
	if (account != NULL)
		fd_reaper_free_account(account);
	account = NULL;
}

void
control_fds_give(void *unused, int fd)
{
	(void)unused;
	fd_reaper_close(fd, account);
}

/* Nothing can come any more. True: nothing is left. */
static bool
drain(int fd)
{
	const struct fd_receiver receiver = { .give = control_fds_give };
	char data[DRAIN_SIZE];
	ssize_t n = 1;
	bool lost;
	int steps;

	for (steps = 0; steps < DRAIN_STEPS && n > 0; steps++)
		n = fd_receive(fd, data, sizeof(data), &receiver, &lost);
	return n == 0;
}

void
control_fds_end(int fd)
{
	shutdown(fd, SHUT_RDWR);
	if (drain(fd))
		close(fd);
	else
		fd_reaper_close(fd, account);
}

void
control_fds_end_listener(int fd)
{
	shutdown(fd, SHUT_RDWR);
	fd_reaper_close(fd, account);
}
