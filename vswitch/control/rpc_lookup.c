/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_lookup.h. */
#include "rpc_lookup.h"

#include "text/nearest.h"
#include "ports/port.h"
#include "rpc.h"

struct port *
rpc_lookup_port(struct rpc_call *call, const char *name)
{
	struct port *port = port_find(name);
	struct nearest near;

	if (port != NULL)
		return port;
	nearest_init(&near, name);
	for (port = port_first(); port != NULL; port = port_next(port))
		nearest_offer(&near, port_name(port));
	if (near.best != NULL)
		rpc_fail(call, JSONRPC_NOT_FOUND, json_pack("{s:s}", "nearest", near.best),
				"there is no port '%.64s'; did you mean %s?", name, near.best);
	else
		rpc_fail(call, JSONRPC_NOT_FOUND, NULL,
				"there is no port '%.64s'; list-ports tells those there are", name);
	return NULL;
}
