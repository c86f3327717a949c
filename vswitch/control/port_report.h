/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port as the control protocol shows it: the objects PORT, STATS, DEVICE, peer and session of
 * docs/control-protocol.md. Control thread. Each function returns a new object, or NULL when
 * memory ran out.
 */
#ifndef VSWITCH_PORT_REPORT_H
#define VSWITCH_PORT_REPORT_H

#include <jansson.h>

struct fdb;
struct socket_peer;
struct port;
struct port_option;

json_t *port_report(const struct port *port, const struct fdb *fdb);

json_t *port_report_stats(const struct port *port);

json_t *port_report_peer(const struct socket_peer *peer);

/* The value of an option of this port; JSON null where ports of its kind have no such option. */
json_t *port_report_option(const struct port *port, const struct port_option *option);

/* What the frontend has negotiated; JSON null without one. */
json_t *port_report_session(const struct port *port);

#endif
