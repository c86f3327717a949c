/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of methods (see rpc.h). A new method is an entry here, its function in the rpc_ file of
 * its subject, and a line in rpc_handlers.h; then run `vswitchd --print-control-doc` for the page.
 */
#include "rpc.h"

#include "events.h"
#include "options/port_options.h"
#include "rpc_handlers.h"
#include "base/switch_limits.h"

#define PARAMS(list) .params = (list), .n_params = sizeof(list) / sizeof((list)[0])

#define LEVELS "error|warning|info|debug"
#define VLAN_MAX 4094

/* clang-format off */
static const struct rpc_param switch_set_params[] = {
	{ .name = "ageing-time", .type = RPC_INTEGER, .min = 1, .max = 86400, .required = true,
	  .help = "seconds after which a silent station is forgotten" },
};

static const struct rpc_param port_add_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true,
	  .help = "letters, digits, `_`, `.` and `-`, at most 63; not `control`" },
	{ .name = "type", .type = RPC_WORD, .words = port_kinds_text,
	  .default_text = "\"vhost-user\"",
	  .help = "what is behind the port: a frontend, an interface of the kernel, a device of DPDK" },
	{ .name = "may-exist", .type = RPC_BOOL, .default_text = "false",
	  .help = "a port of that name with the options given is no error" },
};

static const struct rpc_param port_delete_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true, .help = "the port" },
	{ .name = "if-exists", .type = RPC_BOOL, .default_text = "false",
	  .help = "no such port is no error" },
};

static const struct rpc_param one_port_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true, .help = "the port" },
};

static const struct rpc_param maybe_port_params[] = {
	{ .name = "name", .type = RPC_NAME, .help = "only this port; else all" },
};

static const struct rpc_param fdb_port_params[] = {
	{ .name = "port", .type = RPC_NAME, .help = "only entries of this port; else all" },
};

static const struct rpc_param fdb_add_params[] = {
	{ .name = "mac", .type = RPC_MAC, .required = true, .help = "address of the station" },
	{ .name = "port", .type = RPC_NAME, .required = true, .help = "where it is" },
	{ .name = "vlan", .type = RPC_INTEGER, .min = 0, .max = VLAN_MAX, .default_text = "0",
	  .help = "VLAN; 0 is untagged" },
};

static const struct rpc_param fdb_delete_params[] = {
	{ .name = "mac", .type = RPC_MAC, .required = true, .help = "address of the station" },
	{ .name = "vlan", .type = RPC_INTEGER, .min = 0, .max = VLAN_MAX, .default_text = "0",
	  .help = "VLAN; 0 is untagged" },
};

static const struct rpc_param event_subscribe_params[] = {
	{ .name = "events", .type = RPC_WORDS, .words = EVENTS_WORDS,
	  .help = "which events; else all" },
};

static const struct rpc_param config_save_params[] = {
	{ .name = "file", .type = RPC_PATH,
	  .help = "where to; else the file that vswitchd was started with (`--config`)" },
};

static const struct rpc_param log_set_params[] = {
	{ .name = "level", .type = RPC_WORD, .words = LEVELS, .required = true,
	  .help = "least important messages that are logged" },
};

const struct rpc_method rpc_methods[] = {
	{ .name = "switch.status", .command = "status", .run = rpc_switch_status,
	  .only_tells = true,
	  .summary = "Tells how the switch is, with all its ports.",
	  .result = "`version`, `pid`, `uptime_s`, `socket_dir`, `control`, `config` (path or null), "
		    "`log_level`, `poll` (`adaptive` or `always`), `memory` (`kind`: `hugepages` or "
		    "`ordinary`; `mib`), `workers` (array of `id`, `cpu` or null, `state`: `polling` "
		    "or `sleeping`, `busy_percent`, `ports` and their `queues` that it serves), "
		    "`sessions`, `sessions_max`, `fdb` (`entries`, `static`, `max`, `ageing-time`, `flapping`), `ports` (array of PORT). "
		    "`flapping` has the addresses that were learned at two ports by turns, three times "
		    "or more in the last `seconds`: `mac`, `vlan`, `ports` (the last two), `moves`, "
		    "`seconds`; it means a loop, or that two stations have one address" },
	{ .name = "switch.set", .command = "set-switch", .run = rpc_switch_set, PARAMS(switch_set_params),
	  .summary = "Changes settings of the switch as a whole.",
	  .result = "`ageing-time` as it is now" },
	{ .name = "port.add", .command = "add-port", .run = rpc_port_add, PARAMS(port_add_params),
	  .options = RPC_OPTIONS_ALL,
	  .summary = "Adds a port and starts it; answers when it can be used.",
	  .result = "PORT, and `hint`: a command to try next" },
	{ .name = "port.delete", .command = "del-port", .run = rpc_port_delete,
	  PARAMS(port_delete_params),
	  .summary = "Deletes a port; answers when it is gone and its name is free.",
	  .result = "`name`, `deleted` (false: there was none)" },
	{ .name = "port.set", .command = "set-port", .run = rpc_port_set, PARAMS(one_port_params),
	  .options = RPC_OPTIONS_CHANGEABLE,
	  .summary = "Changes options of a port, all of those given or none.",
	  .result = "PORT" },
	{ .name = "port.list", .command = "list-ports", .run = rpc_port_list,
	  .only_tells = true,
	  .summary = "Tells all ports, ordered by their names.",
	  .result = "array of PORT" },
	{ .name = "port.show", .command = "show-port", .run = rpc_port_show, PARAMS(one_port_params),
	  .only_tells = true,
	  .summary = "Tells all about one port, and what its frontend has negotiated.",
	  .result = "PORT, and `session`: null or SESSION" },
	{ .name = "stats.get", .command = "stats", .run = rpc_stats_get, PARAMS(maybe_port_params),
	  .only_tells = true,
	  .summary = "Reads counters, and what each reason for a drop means.",
	  .result = "`ports` (object: STATS by the port's name), `reasons` (array of `name`, "
		    "`meaning`, `remedy`)" },
	{ .name = "stats.clear", .command = "clear-stats", .run = rpc_stats_clear,
	  PARAMS(maybe_port_params),
	  .summary = "Sets counters to zero.",
	  .result = "`cleared` (array of names)" },
	{ .name = "fdb.list", .command = "fdb", .run = rpc_fdb_list, PARAMS(fdb_port_params),
	  .only_tells = true,
	  .summary = "Tells which stations are known, ordered by VLAN and address.",
	  .result = "`entries` (array of ENTRY), `count`, `max`" },
	{ .name = "fdb.add", .command = "add-fdb", .run = rpc_fdb_add, PARAMS(fdb_add_params),
	  .summary = "Adds a static entry, which neither ages nor moves.",
	  .result = "ENTRY" },
	{ .name = "fdb.delete", .command = "del-fdb", .run = rpc_fdb_delete,
	  PARAMS(fdb_delete_params),
	  .summary = "Deletes an entry, static or dynamic.",
	  .result = "`deleted` (1)" },
	{ .name = "fdb.flush", .command = "flush-fdb", .run = rpc_fdb_flush, PARAMS(fdb_port_params),
	  .summary = "Forgets dynamic entries.",
	  .result = "`flushed` (how many)" },
	{ .name = "event.subscribe", .command = "monitor", .run = rpc_event_subscribe,
	  PARAMS(event_subscribe_params),
	  .only_tells = true,
	  .summary = "Sends events as they happen on this connection, until it ends; replaces what was "
		     "subscribed to before.",
	  .result = "`subscribed` (array of names)" },
	{ .name = "config.save", .command = "save-config", .run = rpc_config_save,
	  PARAMS(config_save_params),
	  .summary = "Writes ports, settings and static entries as they are now to a file for "
		     "`--config`; the old file stays whole until the new one is.",
	  .result = "`file` (path); `warnings` (array of strings) where the file may mean something "
		    "else at the next start" },
	{ .name = "log.set", .command = "log-level", .run = rpc_log_set, PARAMS(log_set_params),
	  .summary = "Changes how much is logged.",
	  .result = "`level`" },
	{ .name = "rpc.discover", .command = "discover", .run = rpc_discover,
	  .only_tells = true,
	  .summary = "Describes all methods.",
	  .result = "an OpenRPC document" },
};
/* clang-format on */

const size_t rpc_methods_count = sizeof(rpc_methods) / sizeof(rpc_methods[0]);
