/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of the control protocol, one function each, named as the method with '_' for '.'.
 * rpc_table.c lists them; what they take and answer stands there. Control thread.
 */
#ifndef VSWITCH_RPC_HANDLERS_H
#define VSWITCH_RPC_HANDLERS_H

#include <jansson.h>

struct rpc_call;

void rpc_switch_status(struct rpc_call *call, const json_t *params);
void rpc_switch_set(struct rpc_call *call, const json_t *params);
void rpc_port_add(struct rpc_call *call, const json_t *params);
void rpc_port_delete(struct rpc_call *call, const json_t *params);
void rpc_port_set(struct rpc_call *call, const json_t *params);
void rpc_port_list(struct rpc_call *call, const json_t *params);
void rpc_port_show(struct rpc_call *call, const json_t *params);
void rpc_stats_get(struct rpc_call *call, const json_t *params);
void rpc_stats_clear(struct rpc_call *call, const json_t *params);
void rpc_fdb_list(struct rpc_call *call, const json_t *params);
void rpc_fdb_add(struct rpc_call *call, const json_t *params);
void rpc_fdb_delete(struct rpc_call *call, const json_t *params);
void rpc_fdb_flush(struct rpc_call *call, const json_t *params);
void rpc_event_subscribe(struct rpc_call *call, const json_t *params);
void rpc_config_save(struct rpc_call *call, const json_t *params);
void rpc_log_set(struct rpc_call *call, const json_t *params);
void rpc_discover(struct rpc_call *call, const json_t *params);

#endif
