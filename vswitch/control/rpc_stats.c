/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about counters: stats.get, stats.clear. */
#include "rpc_tables.h"

#include <stddef.h>

#include "control_context.h"
#include "drops/device_drop.h"
#include "drops/drop_reason.h"
#include "ports/port.h"
#include "port_report.h"
#include "rpc.h"
#include "rpc_lookup.h"
#include "rpc_params.h"
#include "rpc_port_rows.h"

static json_t *
report_stats(const struct port *port, const struct fdb *fdb)
{
	(void)fdb;
	return port_report_stats(port);
}

static json_t *
report_reasons(const struct drop_reason_info *reasons, int count)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < count; i++)
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:s}", "name", reasons[i].name, "meaning",
						reasons[i].meaning, "remedy", reasons[i].remedy));
	return list;
}

static void
get_one(struct rpc_call *call, const char *name)
{
	const struct port *port = rpc_lookup_port(call, name);

	if (port != NULL)
		rpc_reply(call,
				json_pack("{s:o, s:o, s:{s:o}}", "reasons",
						report_reasons(drop_reasons, DROP_REASONS),
						"device_reasons",
						report_reasons(device_drops, DEVICE_DROPS), "ports",
						port_name(port), port_report_stats(port)));
}

static void
get(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);

	if (name != NULL)
		get_one(call, name);
	else
		rpc_reply_rows(call,
				rpc_port_rows(report_stats, rpc_context(call)->fdb,
						json_pack("{s:o, s:o}", "reasons",
								report_reasons(drop_reasons,
										DROP_REASONS),
								"device_reasons",
								report_reasons(device_drops,
										DEVICE_DROPS)),
						"ports", true));
}

static void
clear_port(struct port *port, json_t *names)
{
	port_clear_stats(port);
	json_array_append_new(names, json_string(port_name(port)));
}

static void
clear(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);
	struct port *port = name != NULL ? rpc_lookup_port(call, name) : port_first();
	json_t *names;

	if (name != NULL && port == NULL)
		return;
	names = json_array();
	for (; port != NULL; port = name != NULL ? NULL : port_next(port))
		clear_port(port, names);
	rpc_reply(call, json_pack("{s:o}", "cleared", names));
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "name", .type = RPC_NAME, .help = "only this port; else all" },
};

static const struct rpc_method methods[] = {
	{ .name = "stats.get", .command = "stats", .run = get, RPC_PARAMS(params),
	  .only_tells = true,
	  .summary = "Reads counters, and what each reason for a drop means.",
	  .result = "`ports` (object: STATS by the port's name), `reasons` (array of `name`, "
		    "`meaning`, `remedy`)" },
	{ .name = "stats.clear", .command = "clear-stats", .run = clear,
	  RPC_PARAMS(params),
	  .summary = "Sets counters to zero.",
	  .result = "`cleared` (array of names)" },
};
/* clang-format on */

const struct rpc_table rpc_stats_methods = RPC_TABLE(methods);
