/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Long answers with a row for each port. Control thread; called by the methods.
 *
 * The rows are in the order of the ports' names, each port once. One that is there from the
 * beginning to the end of the answer has its row; one that comes or goes meanwhile may have it.
 */
#ifndef VSWITCH_RPC_PORT_ROWS_H
#define VSWITCH_RPC_PORT_ROWS_H

#include "rpc_rows.h"

struct fdb;
struct port;

/* What is said of a port, new; NULL: no memory. */
typedef json_t *(*rpc_port_row)(const struct port *port, const struct fdb *fdb);

/*
 * The result is an array of rows, or with `rest`, which is taken over, an object in which they are
 * `key`; `named`: rows stand in an object by their ports' names. NULL: no memory.
 */
struct rpc_rows *
rpc_port_rows(rpc_port_row row, const struct fdb *fdb, json_t *rest, const char *key, bool named);

#endif
