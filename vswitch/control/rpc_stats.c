/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about counters: stats.get, stats.clear. */
#include "rpc_tables.h"

#include <stddef.h>

#include "control_context.h"
#include "drops/device_drop.h"
#include "drops/drop_reason.h"
#include "ports/port.h"
#include "report_port.h"
#include "rpc.h"
#include "rpc_lookup.h"
#include "rpc_params.h"
#include "rpc_port_rows.h"

static json_t *
report_stats(const struct port *port, const struct fdb *fdb)
{
	(void)fdb;
	return report_port_stats(port);
}

/* clang-format off */
static const struct report_field reason_fields[] = {
	{ REPORT_VALUE("name", struct drop_reason_info, name), .meaning = "as in STATS" },
	{ REPORT_VALUE("meaning", struct drop_reason_info, meaning),
	  .meaning = "what happened, and at which port it is counted" },
	{ REPORT_VALUE("remedy", struct drop_reason_info, remedy), .meaning = "what to do about it" },
};
/* clang-format on */

static const struct report_object reason_object = { .name = "REASON",
	REPORT_FIELDS(reason_fields) };

static json_t *
report_reasons(const struct drop_reason_info *reasons, int count)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, report_make(&reason_object, &reasons[i]));
	return list;
}

static json_t *
get_reasons(const void *subject)
{
	(void)subject;
	return report_reasons(drop_reasons, DROP_REASONS);
}

static json_t *
get_device_reasons(const void *subject)
{
	(void)subject;
	return report_reasons(device_drops, DEVICE_DROPS);
}

/* clang-format off */
static const struct report_field stats_fields[] = {
	{ REPORT_GET("reasons", REPORT_OBJECT, get_reasons), .shape = REPORT_LIST,
	  .object = &reason_object, .meaning = "what `drops` of STATS count" },
	{ REPORT_GET("device_reasons", REPORT_OBJECT, get_device_reasons), .shape = REPORT_LIST,
	  .object = &reason_object, .meaning = "what `device_drops` of STATS count" },
	{ REPORT_ROWS("ports", &report_port_counters), .shape = REPORT_MAP,
	  .meaning = "counters, by the port's name" },
};
/* clang-format on */

static const struct report_object stats_object = { REPORT_FIELDS(stats_fields) };

static void
get_one(struct rpc_call *call, const char *name)
{
	const struct port *port = rpc_lookup_port(call, name);
	json_t *stats;

	if (port == NULL)
		return;
	stats = report_make(&stats_object, NULL);
	json_object_set_new(stats, report_rows(&stats_object)->name,
			json_pack("{s:o}", port_name(port), report_port_stats(port)));
	rpc_reply(call, stats);
}

static void
get(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);

	if (name != NULL)
		get_one(call, name);
	else
		rpc_reply_rows(call,
				rpc_port_rows(report_stats, rpc_context(call)->fdb, &stats_object,
						report_make(&stats_object, NULL)));
}

static json_t *
get_names(const void *subject)
{
	return json_incref((json_t *)(uintptr_t)subject);
}

/* clang-format off */
static const struct report_field cleared_fields[] = {
	{ REPORT_GET("cleared", REPORT_TEXT, get_names), .shape = REPORT_LIST,
	  .meaning = "names of ports" },
};
/* clang-format on */

static const struct report_object cleared_object = { REPORT_FIELDS(cleared_fields) };

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
	rpc_reply(call, report_make(&cleared_object, names));
	json_decref(names);
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "name", .type = RPC_NAME, .help = "only this port; else all" },
};

static const struct rpc_method methods[] = {
	{ .name = "stats.get", .command = "stats", .run = get, RPC_PARAMS(params),
	  .only_tells = true,
	  .summary = "Reads counters, and what each reason for a drop means.",
	  RPC_RESULT(&stats_object, "the counters") },
	{ .name = "stats.clear", .command = "clear-stats", .run = clear,
	  RPC_PARAMS(params),
	  .summary = "Sets counters to zero.",
	  RPC_RESULT(&cleared_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_stats_methods = RPC_TABLE(methods);
