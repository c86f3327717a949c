/* SPDX-License-Identifier: BSD-3-Clause */
/* What the methods about stations have in common. Control thread. */
#ifndef VSWITCH_RPC_FDB_H
#define VSWITCH_RPC_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "report.h"

struct fdb_entry;
struct rpc_call;

extern const struct report_object rpc_fdb_entry_object;

/* ENTRY of the protocol, new; `port` is "" when the station's port is gone. NULL: no memory. */
json_t *rpc_fdb_entry(const struct fdb_entry *entry, const char *port);

/*
 * The id of the port that the request may name in `port`, else FDB_NO_PORT. False: there is no
 * such port, and the call was answered.
 */
bool rpc_fdb_find_port(struct rpc_call *call, const json_t *params, uint16_t *id);

#endif
