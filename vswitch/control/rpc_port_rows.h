/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long answers with a row for each port. Control thread; called by the methods.
 *
 * The rows are in the order of the ports' names, each port once. One that is there from the
 * beginning to the end of the answer has its row; one that comes or goes meanwhile may have it.
 */
#ifndef VSWITCH_RPC_PORT_ROWS_H
#define VSWITCH_RPC_PORT_ROWS_H

#include "report.h"
#include "rpc_rows.h"

struct fdb;
struct port;

/* What is said of a port, new; NULL: no memory. */
typedef json_t *(*rpc_port_row)(const struct port *port, const struct fdb *fdb);

/*
 * The rows are the whole result, an array, or with `result` the member of it which it says, behind
 * those that are in `rest`, which is taken over. NULL: no memory, `rest` included.
 */
struct rpc_rows *rpc_port_rows(rpc_port_row row, const struct fdb *fdb,
		const struct report_object *result, json_t *rest);

#endif
