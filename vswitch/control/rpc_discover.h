/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of methods for programs: an OpenRPC document. Pure; control thread, and main when it
 * prints the page.
 */
#ifndef VSWITCH_RPC_DISCOVER_H
#define VSWITCH_RPC_DISCOVER_H

#include "rpc.h"

/* JSON Schema of a parameter with its default, new; NULL: no memory. */
json_t *rpc_discover_schema(const struct rpc_param *param);

#endif
