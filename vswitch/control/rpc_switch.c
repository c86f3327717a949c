/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about the switch as a whole: switch.status, switch.set. */
#include "rpc_tables.h"

#include <unistd.h>

#include "base/clock.h"
#include "control_context.h"
#include "switching/fdb.h"
#include "base/log.h"
#include "ports/port.h"
#include "report_port.h"
#include "rpc.h"
#include "rpc_params.h"
#include "rpc_port_rows.h"
#include "text/text.h"
#include "library/vhost_lib.h"
#include "worker/worker.h"

/* ---- WORKER ---- */

struct worker_told {
	uint32_t id;
	struct worker_info info;
};

static json_t *
get_cpu(const void *subject)
{
	int cpu = ((const struct worker_told *)subject)->info.cpu;

	return cpu >= 0 ? json_integer(cpu) : json_null();
}

static json_t *
get_worker_state(const void *subject)
{
	bool sleeping = ((const struct worker_told *)subject)->info.sleeping;

	return json_string(sleeping ? "sleeping" : "polling");
}

/* clang-format off */
static const struct report_field worker_fields[] = {
	{ REPORT_VALUE("id", struct worker_told, id), .meaning = "its number" },
	{ REPORT_GET("cpu", REPORT_INTEGER, get_cpu), .nullable = true,
	  .meaning = "the CPU that it is pinned to; null: none" },
	{ REPORT_GET("state", REPORT_TEXT, get_worker_state), .words = "polling|sleeping",
	  .meaning = "what it does now" },
	{ REPORT_VALUE("busy_percent", struct worker_told, info.busy_percent),
	  .meaning = "share of the last second spent in turns that moved frames" },
	{ REPORT_VALUE("ports", struct worker_told, info.ports),
	  .meaning = "ports whose frames it takes" },
	{ REPORT_VALUE("queues", struct worker_told, info.sources),
	  .meaning = "their queues that it serves" },
};
/* clang-format on */

static const struct report_object worker_object = { .name = "WORKER",
	REPORT_FIELDS(worker_fields) };

static json_t *
get_workers(const void *subject)
{
	struct worker_told told;
	json_t *list = json_array();

	(void)subject;
	for (told.id = 0; told.id < worker_count(); told.id++) {
		worker_info(told.id, &told.info);
		json_array_append_new(list, report_make(&worker_object, &told));
	}
	return list;
}

/* ---- TABLE, and the stations that move to and fro between two ports ---- */

struct flap_told {
	char mac[TEXT_MAC_SIZE];
	const struct fdb_flap *flap;
	const struct port *from, *to;
	uint32_t vlan, moves, seconds;
};

static json_t *
get_flap_ports(const void *subject)
{
	const struct flap_told *told = subject;

	return json_pack("[s, s]", port_name(told->from), port_name(told->to));
}

/* clang-format off */
static const struct report_field flap_fields[] = {
	{ REPORT_VALUE("mac", struct flap_told, mac), .meaning = "which address" },
	{ REPORT_VALUE("vlan", struct flap_told, vlan), .meaning = "in which VLAN; 0 is untagged" },
	{ REPORT_GET("ports", REPORT_TEXT, get_flap_ports), .shape = REPORT_LIST,
	  .meaning = "names of the last two" },
	{ REPORT_VALUE("moves", struct flap_told, moves),
	  .meaning = "how often it was learned anew, three times or more" },
	{ REPORT_VALUE("seconds", struct flap_told, seconds), .meaning = "in so many last seconds" },
};
/* clang-format on */

static const struct report_object flap_object = { .name = "FLAP", REPORT_FIELDS(flap_fields) };

static void
add_flap(json_t *list, const struct fdb_flap *flap)
{
	struct flap_told told = { .from = port_by_id(flap->move.from),
		.to = port_by_id(flap->move.to),
		.vlan = flap->move.key.vlan,
		.moves = flap->moves,
		.seconds = FDB_FLAP_SECONDS };

	if (told.from == NULL || told.to == NULL)
		return;
	(void)text_format_mac(flap->move.key.mac, told.mac);
	json_array_append_new(list, report_make(&flap_object, &told));
}

struct table_told {
	struct fdb *fdb;
	uint32_t entries, n_static, max, ageing_time;
};

static json_t *
get_flapping(const void *subject)
{
	struct fdb_flap flaps[FDB_FLAPS_MAX];
	uint32_t n = fdb_list_flaps(((const struct table_told *)subject)->fdb, clock_seconds(),
			flaps, FDB_FLAPS_MAX);
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < n; i++)
		add_flap(list, &flaps[i]);
	return list;
}

/* clang-format off */
static const struct report_field table_fields[] = {
	{ REPORT_VALUE("entries", struct table_told, entries), .meaning = "how many there are" },
	{ REPORT_VALUE("static", struct table_told, n_static), .meaning = "how many of them are static" },
	{ REPORT_VALUE("max", struct table_told, max), .meaning = "entries that it has room for" },
	{ REPORT_VALUE("ageing-time", struct table_told, ageing_time),
	  .meaning = "seconds after which a silent station is forgotten" },
	{ REPORT_GET("flapping", REPORT_OBJECT, get_flapping), .shape = REPORT_LIST,
	  .object = &flap_object,
	  .meaning = "addresses that were learned at two ports by turns; it means a loop, or that two "
		     "stations have one address" },
};
/* clang-format on */

static const struct report_object table_object = { .name = "TABLE", REPORT_FIELDS(table_fields) };

static json_t *
report_table(struct fdb *fdb)
{
	const struct table_told told = { .fdb = fdb,
		.entries = fdb_count(fdb),
		.n_static = fdb_count_static(fdb),
		.max = FDB_ENTRIES_MAX,
		.ageing_time = fdb_ageing(fdb) };

	return report_make(&table_object, &told);
}

/* ---- switch.status ---- */

struct status_told {
	const char *version, *socket_dir, *control, *config, *log_level, *poll;
	int pid;
	double uptime_s;
	const struct control_context *context;
	uint32_t sessions, sessions_max;
};

static json_t *
get_memory_kind(const void *subject)
{
	return json_string(((const struct control_context *)subject)->hugepages ? "hugepages"
										: "ordinary");
}

/* clang-format off */
static const struct report_field memory_fields[] = {
	{ REPORT_GET("kind", REPORT_TEXT, get_memory_kind), .words = "hugepages|ordinary",
	  .meaning = "of which pages it is" },
	{ REPORT_VALUE("mib", struct control_context, memory_mib), .meaning = "how much it is" },
};
/* clang-format on */

static const struct report_object memory_object = { .name = "MEMORY",
	REPORT_FIELDS(memory_fields) };

static json_t *
get_memory(const void *subject)
{
	return report_make(&memory_object, ((const struct status_told *)subject)->context);
}

static json_t *
get_fdb(const void *subject)
{
	return report_table(((const struct status_told *)subject)->context->fdb);
}

/* clang-format off */
static const struct report_field status_fields[] = {
	{ REPORT_VALUE("version", struct status_told, version), .meaning = "of vswitchd" },
	{ REPORT_VALUE("pid", struct status_told, pid), .meaning = "of vswitchd" },
	{ REPORT_VALUE("uptime_s", struct status_told, uptime_s), .meaning = "since it was started" },
	{ REPORT_VALUE("socket_dir", struct status_told, socket_dir),
	  .meaning = "where ports' sockets are by default" },
	{ REPORT_VALUE("control", struct status_told, control), .meaning = "path of this socket" },
	{ REPORT_VALUE("config", struct status_told, config), .nullable = true,
	  .meaning = "path of the configuration file, or null" },
	{ REPORT_VALUE("log_level", struct status_told, log_level),
	  .words = LOG_LEVEL_WORDS, .meaning = "least important messages that are logged" },
	{ REPORT_VALUE("poll", struct status_told, poll), .words = "adaptive|always",
	  .meaning = "whether idle workers sleep, or never do" },
	{ REPORT_GET("memory", REPORT_OBJECT, get_memory), .object = &memory_object,
	  .meaning = "memory of the switch's own for devices" },
	{ REPORT_GET("workers", REPORT_OBJECT, get_workers), .shape = REPORT_LIST,
	  .object = &worker_object, .meaning = "threads that move frames" },
	{ REPORT_VALUE("sessions", struct status_told, sessions), .meaning = "frontends that are served" },
	{ REPORT_VALUE("sessions_max", struct status_told, sessions_max),
	  .meaning = "most frontends that can be" },
	{ REPORT_GET("fdb", REPORT_OBJECT, get_fdb), .object = &table_object,
	  .meaning = "the table of stations" },
	{ REPORT_ROWS("ports", &report_port_port), .shape = REPORT_LIST, .meaning = "the ports" },
};
/* clang-format on */

static const struct report_object status_object = { REPORT_FIELDS(status_fields) };

static void
status(struct rpc_call *call, const json_t *params)
{
	const struct control_context *context = rpc_context(call);
	const struct status_told told = { .version = VSWITCH_VERSION,
		.socket_dir = context->socket_dir,
		.control = context->control,
		.config = context->config,
		.log_level = log_level_name(log_get_level()),
		.poll = context->poll_always ? "always" : "adaptive",
		.pid = (int)getpid(),
		.uptime_s = (double)(clock_ns() - context->start_ns) / 1e9,
		.context = context,
		.sessions = vhost_lib_sessions(),
		.sessions_max = SESSIONS_MAX };
	json_t *rest = report_make(&status_object, &told);

	(void)params;
	rpc_reply_rows(call, rpc_port_rows(report_port, context->fdb, &status_object, rest));
}

/* clang-format off */
static const struct report_field set_fields[] = {
	{ REPORT_VALUE("ageing-time", struct table_told, ageing_time), .meaning = "as it is now" },
};
/* clang-format on */

static const struct report_object set_object = { REPORT_FIELDS(set_fields) };

static void
set(struct rpc_call *call, const json_t *params)
{
	struct fdb *fdb = rpc_context(call)->fdb;
	struct table_told told;

	fdb_set_ageing(fdb, (uint32_t)rpc_params_integer(params, "ageing-time", fdb_ageing(fdb)));
	told.ageing_time = fdb_ageing(fdb);
	rpc_reply(call, report_make(&set_object, &told));
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
	  RPC_RESULT(&status_object, "the switch") },
	{ .name = "switch.set", .command = "set-switch", .run = set, RPC_PARAMS(set_params),
	  .summary = "Changes settings of the switch as a whole.",
	  RPC_RESULT(&set_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_switch_methods = RPC_TABLE(methods);
