/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about counters: stats.get, stats.clear. */
#include "rpc_handlers.h"

#include <stddef.h>

#include "drop_reason.h"
#include "port.h"
#include "port_report.h"
#include "rpc.h"
#include "rpc_lookup.h"
#include "rpc_params.h"

/* Calls `use` for the port that the request names, or for all. False: answered, no such port. */
static bool
for_ports(struct rpc_call *call, const json_t *params, void (*use)(struct port *port, json_t *list),
		json_t *list)
{
	const char *name = rpc_params_text(params, "name", NULL);
	struct port *port;

	if (name != NULL) {
		port = rpc_lookup_port(call, name);
		if (port != NULL)
			use(port, list);
		return port != NULL;
	}
	for (port = port_first(); port != NULL; port = port_next(port))
		use(port, list);
	return true;
}

static void
read_port(struct port *port, json_t *ports)
{
	json_object_set_new(ports, port_name(port), port_report_stats(port));
}

static void
clear_port(struct port *port, json_t *names)
{
	port_clear_stats(port);
	json_array_append_new(names, json_string(port_name(port)));
}

static json_t *
report_reasons(void)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < DROP_REASONS; i++)
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s}", "name", drop_reasons[i].name,
						"meaning", drop_reasons[i].meaning, "remedy",
						drop_reasons[i].remedy));
	return list;
}

void
rpc_stats_get(struct rpc_call *call, const json_t *params)
{
	json_t *ports = json_object();

	if (for_ports(call, params, read_port, ports))
		rpc_reply(call,
				json_pack("{s:o, s:o}", "ports", ports, "reasons",
						report_reasons()));
	else
		json_decref(ports);
}

void
rpc_stats_clear(struct rpc_call *call, const json_t *params)
{
	json_t *names = json_array();

	if (for_ports(call, params, clear_port, names))
		rpc_reply(call, json_pack("{s:o}", "cleared", names));
	else
		json_decref(names);
}
