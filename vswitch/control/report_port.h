/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port as the control protocol shows it: the objects PORT, STATS, DEVICE, SESSION and the like of
 * docs/control-protocol.md, as tables of their members (report.h). Control thread. Each function
 * returns a new object, or NULL when memory ran out.
 */
#ifndef VSWITCH_REPORT_PORT_H
#define VSWITCH_REPORT_PORT_H

#include <jansson.h>

#include "report.h"

struct fdb;
struct socket_peer;
struct port;
struct port_option;

extern const struct report_object report_port_port;
extern const struct report_object report_port_added; /* PORT, and a hint */
extern const struct report_object report_port_shown; /* PORT, and its session */
extern const struct report_object report_port_counters;
extern const struct report_object report_port_frontend;

json_t *report_port(const struct port *port, const struct fdb *fdb);

/* The same as another object that tells of a port: the second or the third of those above. */
json_t *
report_port_as(const struct report_object *object, const struct port *port, const struct fdb *fdb);

json_t *report_port_stats(const struct port *port);

json_t *report_port_peer(const struct socket_peer *peer);

/* The value of an option of this port; JSON null where ports of its kind have no such option. */
json_t *report_port_option(const struct port *port, const struct port_option *option);

#endif
