/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_tables.h. */
#include "rpc_tables.h"

#include <stddef.h>

const struct rpc_table *const rpc_tables[] = {
	&rpc_switch_methods,
	&rpc_port_methods,
	&rpc_stats_methods,
	&rpc_fdb_list_methods,
	&rpc_fdb_methods,
	&rpc_event_methods,
	&rpc_config_methods,
	&rpc_log_methods,
	&rpc_discover_methods,
	NULL,
};
