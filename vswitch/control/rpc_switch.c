/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about the switch as a whole: switch.status, switch.set, log.set. */
#include "rpc_handlers.h"

#include <unistd.h>

#include "base/clock.h"
#include "program/daemon.h"
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
report_program(const struct daemon *daemon)
{
	const struct daemon_options *options = &daemon->options;
	json_t *config = options->config != NULL ? jsonrpc_text(options->config) : json_null();

	return json_pack("{s:s, s:i, s:f, s:o, s:o, s:o, s:s, s:s, s:{s:s, s:i}}", "version",
			VSWITCH_VERSION, "pid", (int)getpid(), "uptime_s",
			(double)(clock_ns() - daemon->start_ns) / 1e9, "socket_dir",
			jsonrpc_text(options->socket_dir), "control",
			jsonrpc_text(options->control), "config", config, "log_level",
			log_level_name(log_get_level()), "poll",
			options->poll_always ? "always" : "adaptive", "memory", "kind",
			daemon->memory.huge ? "hugepages" : "ordinary", "mib",
			(int)daemon->memory.mib);
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
				json_pack("{s:i, s:o, s:s, s:f, s:i, s:i}", "id", (int)i, "cpu",
						info.cpu >= 0 ? json_integer(info.cpu)
							      : json_null(),
						"state", info.sleeping ? "sleeping" : "polling",
						"busy_percent", info.busy_percent, "ports",
						(int)info.ports, "queues", (int)info.sources));
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

void
rpc_switch_status(struct rpc_call *call, const json_t *params)
{
	struct daemon *daemon = rpc_daemon(call);
	json_t *status = report_program(daemon);
	int failed = 0;

	(void)params;
	failed |= json_object_set_new(status, "workers", report_workers());
	failed |= json_object_set_new(status, "sessions", json_integer(vhost_lib_sessions()));
	failed |= json_object_set_new(status, "sessions_max", json_integer(SESSIONS_MAX));
	failed |= json_object_set_new(status, "fdb", report_fdb(daemon->fdb));
	if (failed == 0) {
		rpc_reply_rows(call,
				rpc_port_rows(port_report, daemon->fdb, status, "ports", false));
		return;
	}
	json_decref(status);
	rpc_reply_rows(call, NULL);
}

void
rpc_switch_set(struct rpc_call *call, const json_t *params)
{
	struct fdb *fdb = rpc_daemon(call)->fdb;

	fdb_set_ageing(fdb, (uint32_t)rpc_params_integer(params, "ageing-time", fdb_ageing(fdb)));
	rpc_reply(call, json_pack("{s:i}", "ageing-time", (int)fdb_ageing(fdb)));
}

void
rpc_log_set(struct rpc_call *call, const json_t *params)
{
	enum log_level level;

	/* the name is one of the table's */
	if (log_level_from_name(rpc_params_text(params, "level", "info"), &level) == 0)
		log_set_level(level);
	rpc_reply(call, json_pack("{s:s}", "level", log_level_name(log_get_level())));
}
