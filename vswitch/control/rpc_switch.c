/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about the switch as a whole: switch.status, switch.set. */
#include "rpc_tables.h"

#include <unistd.h>

#include "base/clock.h"
#include "control_context.h"
#include "switching/fdb.h"
#include "base/log.h"
#include "ports/port.h"
#include "port_report.h"
#include "rpc.h"
#include "rpc_params.h"
#include "rpc_port_rows.h"
#include "text/text.h"
#include "library/vhost_lib.h"
#include "worker/worker.h"

static json_t *
report_program(const struct control_context *context)
{
	json_t *config = context->config != NULL ? jsonrpc_text(context->config) : json_null();

	return json_pack("{s:s, s:i, s:f, s:o, s:o, s:o, s:s, s:s, s:{s:s, s:i}}", "version",
			VSWITCH_VERSION, "pid", (int)getpid(), "uptime_s",
			(double)(clock_ns() - context->start_ns) / 1e9, "socket_dir",
			jsonrpc_text(context->socket_dir), "control",
			jsonrpc_text(context->control), "config", config, "log_level",
			log_level_name(log_get_level()), "poll",
			context->poll_always ? "always" : "adaptive", "memory", "kind",
			context->hugepages ? "hugepages" : "ordinary", "mib",
			(int)context->memory_mib);
}

static json_t *
report_workers(void)
{
	struct worker_info info;
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < worker_count(); i++) {
		worker_info(i, &info);
		json_array_append_new(list,
				json_pack("{s:i, s:o, s:s, s:f, s:i}", "id", (int)i, "cpu",
						info.cpu >= 0 ? json_integer(info.cpu)
							      : json_null(),
						"state", info.sleeping ? "sleeping" : "polling",
						"busy_percent", info.busy_percent, "ports",
						(int)info.sources));
	}
	return list;
}

/* Stations that move to and fro between two ports. */
static json_t *
report_flaps(struct fdb *fdb)
{
	struct fdb_flap flaps[FDB_FLAPS_MAX];
	uint32_t n = fdb_list_flaps(fdb, clock_seconds(), flaps, FDB_FLAPS_MAX), i;
	json_t *list = json_array();
	const struct port *from, *to;
	char mac[TEXT_MAC_SIZE];

	for (i = 0; i < n; i++) {
		from = port_by_id(flaps[i].move.from);
		to = port_by_id(flaps[i].move.to);
		if (from == NULL || to == NULL)
			continue;
		json_array_append_new(list,
				json_pack("{s:s, s:i, s:[s, s], s:i, s:i}", "mac",
						text_format_mac(flaps[i].move.key.mac, mac), "vlan",
						(int)flaps[i].move.key.vlan, "ports",
						port_name(from), port_name(to), "moves",
						(int)flaps[i].moves, "seconds", FDB_FLAP_SECONDS));
	}
	return list;
}

static json_t *
report_fdb(struct fdb *fdb)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:o}", "entries", (int)fdb_count(fdb), "static",
			(int)fdb_count_static(fdb), "max", FDB_ENTRIES_MAX, "ageing-time",
			(int)fdb_ageing(fdb), "flapping", report_flaps(fdb));
}

static void
status(struct rpc_call *call, const json_t *params)
{
	const struct control_context *context = rpc_context(call);
	json_t *status = report_program(context);
	int failed = 0;

	(void)params;
	failed |= json_object_set_new(status, "workers", report_workers());
	failed |= json_object_set_new(status, "sessions", json_integer(vhost_lib_sessions()));
	failed |= json_object_set_new(status, "sessions_max", json_integer(SESSIONS_MAX));
	failed |= json_object_set_new(status, "fdb", report_fdb(context->fdb));
	if (failed == 0) {
		rpc_reply_rows(call,
				rpc_port_rows(port_report, context->fdb, status, "ports", false));
		return;
	}
	json_decref(status);
	rpc_reply_rows(call, NULL);
}

static void
set(struct rpc_call *call, const json_t *params)
{
	struct fdb *fdb = rpc_context(call)->fdb;

	fdb_set_ageing(fdb, (uint32_t)rpc_params_integer(params, "ageing-time", fdb_ageing(fdb)));
	rpc_reply(call, json_pack("{s:i}", "ageing-time", (int)fdb_ageing(fdb)));
}

/* clang-format off */
static const struct rpc_param set_params[] = {
	{ .name = "ageing-time", .type = RPC_INTEGER, .min = 1, .max = 86400, .required = true,
	  .help = "seconds after which a silent station is forgotten" },
};

static const struct rpc_method methods[] = {
	{ .name = "switch.status", .command = "status", .run = status,
	  .only_tells = true,
	  .summary = "Tells how the switch is, with all its ports.",
	  .result = "`version`, `pid`, `uptime_s`, `socket_dir`, `control`, `config` (path or null), "
		    "`log_level`, `poll` (`adaptive` or `always`), `memory` (`kind`: `hugepages` or "
		    "`ordinary`; `mib`), `workers` (array of `id`, `cpu` or null, `state`: `polling` "
		    "or `sleeping`, `busy_percent`, `ports`), `sessions`, `sessions_max`, `fdb` "
		    "(`entries`, `static`, `max`, `ageing-time`, `flapping`), `ports` (array of PORT). "
		    "`flapping` has the addresses that were learned at two ports by turns, three times "
		    "or more in the last `seconds`: `mac`, `vlan`, `ports` (the last two), `moves`, "
		    "`seconds`; it means a loop, or that two stations have one address" },
	{ .name = "switch.set", .command = "set-switch", .run = set, RPC_PARAMS(set_params),
	  .summary = "Changes settings of the switch as a whole.",
	  .result = "`ageing-time` as it is now" },
};
/* clang-format on */

const struct rpc_table rpc_switch_methods = RPC_TABLE(methods);
