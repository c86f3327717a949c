/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_bell.h"

#include "bell.h"

static int control_fd = -1;

int
control_bell_open(void)
{
	control_fd = bell_open();
	return control_fd;
}

void
control_bell_ring(void)
{
	bell_ring(control_fd);
}

void
control_bell_hear(void)
{
	bell_hear(control_fd);
}
