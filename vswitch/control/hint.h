/* SPDX-License-Identifier: BSD-3-Clause */
/* What to try with a port that has just been added. Control thread; called by rpc_port.c. */
#ifndef VSWITCH_HINT_H
#define VSWITCH_HINT_H

#include <stddef.h>

#include "ports/port.h"

#define PORT_HINT_MAX (2 * PORT_PATH_MAX + 384)

/* Writes a command as "try: COMMAND". */
void hint_for_port(const struct port *port, char *text, size_t size);

#endif
