/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of methods for programs: an OpenRPC document. Pure; control thread, and main when it
 * prints the page.
 */
#ifndef VSWITCH_RPC_DISCOVER_H
#define VSWITCH_RPC_DISCOVER_H

#include <stdio.h>

#include "rpc.h"

/* Room for the objects with names that results hold. */
#define RPC_DISCOVER_OBJECTS_MAX 64

/* The document, new; NULL: no memory. */
json_t *rpc_discover_document(void);

/* Prints it. 0, or -EIO when `out` did not take it all. Called by main instead of starting the switch. */
int rpc_discover_print(FILE *out);

/* The objects with names that the results of all methods hold, in their order; how many. */
size_t rpc_discover_objects(const struct report_object *list[RPC_DISCOVER_OBJECTS_MAX]);

/* JSON Schema of a parameter with its default, new; NULL: no memory. */
json_t *rpc_discover_schema(const struct rpc_param *param);

#endif
