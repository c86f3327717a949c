/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frontend has agreed on with a port, its memory and its rings: the objects SESSION, REGION and VRING
 * of docs/control-protocol.md. Control thread.
 */
#ifndef VSWITCH_REPORT_SESSION_H
#define VSWITCH_REPORT_SESSION_H

#include <jansson.h>

#include "report.h"

struct port;

extern const struct report_object report_session_object;

/* A new object; JSON null where the port has no session; NULL when memory ran out. */
json_t *report_session(const struct port *port);

#endif
