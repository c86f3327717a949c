/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about counters: stats.get, stats.clear. */
#include "rpc_handlers.h"

#include <stddef.h>

#include "program/daemon.h"
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

void
rpc_stats_get(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);

	if (name != NULL)
		get_one(call, name);
	else
		rpc_reply_rows(call,
				rpc_port_rows(report_stats, rpc_daemon(call)->fdb,
						json_pack("{s:o, s:o}", "reasons",
								report_reasons(drop_reasons,
										DROP_REASONS),
								"device_reasons",
								report_reasons(device_drops,
										DEVICE_DROPS)),
						"ports", true));
}

static void
clear(struct port *port, json_t *names)
{
	port_clear_stats(port);
	json_array_append_new(names, json_string(port_name(port)));
}

void
rpc_stats_clear(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);
	struct port *port = name != NULL ? rpc_lookup_port(call, name) : port_first();
	json_t *names;

	if (name != NULL && port == NULL)
		return;
	names = json_array();
	for (; port != NULL; port = name != NULL ? NULL : port_next(port))
		clear(port, names);
	rpc_reply(call, json_pack("{s:o}", "cleared", names));
}
