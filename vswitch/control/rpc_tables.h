/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of the control protocol, a table for each subject. A table stands in the file of its
 * subject (rpc_NAME.c) under the functions of its methods; a new one is named here and in
 * rpc_tables.c. What is in it: rpc.h.
 */
#ifndef VSWITCH_RPC_TABLES_H
#define VSWITCH_RPC_TABLES_H

#include "rpc.h"

extern const struct rpc_table rpc_switch_methods;
extern const struct rpc_table rpc_port_methods;
extern const struct rpc_table rpc_stats_methods;
extern const struct rpc_table rpc_fdb_list_methods;
extern const struct rpc_table rpc_fdb_methods;
extern const struct rpc_table rpc_event_methods;
extern const struct rpc_table rpc_config_methods;
extern const struct rpc_table rpc_log_methods;
extern const struct rpc_table rpc_discover_methods;

/* All of them in the order of the documentation, for rpc_init(); the last is NULL. */
extern const struct rpc_table *const rpc_tables[];

#endif
