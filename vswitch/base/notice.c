/* SPDX-License-Identifier: BSD-3-Clause */
#include "notice.h"

#include "bell.h"

static int notice_fd = -1;

int
notice_create(void)
{
	notice_fd = bell_open();
	return notice_fd;
}

void
notice_post(void)
{
	bell_ring(notice_fd);
}

void
notice_clear(void)
{
	bell_hear(notice_fd);
}
