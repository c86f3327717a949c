/* SPDX-License-Identifier: BSD-3-Clause */
/* The options and commands of vswitchctl, in the order of its help. See command.h. */
#include "command.h"

#include "follow/monitor.h"
#include "params.h"
#include "options/port_options.h"
#include "show/print.h"
#include "request/rpc.h"
#include "follow/watch.h"

#define MANY 1000 /* words; the protocol's own bounds are tighter */

#define EVENTS "port.added|port.deleted|port.attached|port.detached|port.fault|mac.moved"

/* clang-format off */
static const struct option_spec global_options[] = {
	{ .name = "socket-dir", .type = OPTION_TEXT, .arg = "DIR",
	  .default_text = "/run/vswitch for root, else $XDG_RUNTIME_DIR/vswitch where that is, else "
			  "/run/vswitch if its group may",
	  .help = "directory of the switch's sockets" },
	{ .name = "control", .type = OPTION_TEXT, .arg = "PATH",
	  .default_text = "DIR/control.sock", .help = "control socket of the switch" },
	{ .name = "json", .letter = 'j', .help = "print the switch's result as JSON" },
	{ .name = "wait", .type = OPTION_NUMBER, .arg = "SECONDS", .max = RPC_WAIT_MAX,
	  .default_text = "5", .help = "wait so long for a switch that is starting; 0 does not" },
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

const struct options_program command_program = {
	.name = "vswitchctl",
	.usage = "[--socket-dir DIR | --control PATH] [--json] COMMAND ...",
	.summary = "Controls vswitchd, the layer 2 switch for DPDK processes and virtual machines.",
	.specs = global_options,
	.spec_count = PRINT_COUNT(global_options),
};

static const struct option_spec add_port_options[] = {
	{ .name = "type", .type = OPTION_CHOICE, .arg = port_kinds_text, .choices = port_kinds_text,
	  .default_text = "vhost-user", .help = "kind of port" },
	{ .name = "may-exist", .help = "leave a port of that name as it is and succeed" },
};

static const struct option_spec del_port_options[] = {
	{ .name = "if-exists", .help = "succeed when there is no such port" },
};

static const struct option_spec fdb_options[] = {
	{ .name = "port", .type = OPTION_TEXT, .arg = "NAME", .help = "only addresses at this port" },
};

static const struct option_spec vlan_options[] = {
	{ .name = "vlan", .type = OPTION_INTEGER, .arg = "N", .min = 0, .max = 4094,
	  .default_text = "0", .help = "VLAN of the address; 0 is untagged, and there is no other yet" },
};

static const struct option_spec stats_options[] = {
	{ .name = "watch", .type = OPTION_NUMBER, .arg = "SECONDS", .max = WATCH_SECONDS_MAX,
	  .help = "show rates, measured anew every so many seconds, until Ctrl-C" },
};

static const struct option_spec call_options[] = {
	{ .name = "verbose", .letter = 'v', .help = "show request and reply as they are on the wire" },
};

#define OPTIONS(list) .options = (list), .option_count = PRINT_COUNT(list)

const struct command commands[] = {
	{ .name = "status", .words = "[NAME...]", .max_words = MANY,
	  .help = "the switch and its ports on one screen, or only these ports",
	  .completion = "port",
	  .method = "switch.status", .select = status_select, .print = print_status },
	{ .name = "add-port", .words = "NAME... [KEY=VALUE...]", .min_words = 1, .max_words = MANY,
	  .help = "add ports, and say what to attach to them",
	  .detail = "A vhost-user port listens on DIR/NAME.sock unless --socket or --connect says "
		    "otherwise. A kernel port is a network interface of this host or of one of its "
		    "network namespaces. An ethdev port is a device that DPDK drives. For example:\n"
		    "vswitchctl add-port host0 --type kernel --ip 10.0.0.254/24\n"
		    "vswitchctl add-port nic0 --type ethdev --devargs net_af_packet0,iface=eth0",
	  OPTIONS(add_port_options), .takes_port_options = true, .several = NAMES_EACH,
	  .method = "port.add", .build = params_add_port, .print = print_added_port },
	{ .name = "del-port", .words = "NAME...", .min_words = 1, .max_words = MANY,
	  .help = "delete ports; returns when they are gone", OPTIONS(del_port_options),
	  .completion = "port", .several = NAMES_EACH,
	  .method = "port.delete", .build = params_del_port, .print = print_deleted_port },
	{ .name = "set-port", .words = "NAME KEY=VALUE...", .min_words = 1, .max_words = 1,
	  .help = "change options of a port, all or none",
	  .detail = "For example: vswitchctl set-port p0 mtu=9000 enabled=on\n"
		    "--mtu 9000 is understood as well.",
	  .takes_port_keys = true,
	  .completion = "port key",
	  .method = "port.set", .build = params_set_port, .print = print_set_port },
	{ .name = "list-ports", .help = "every port and its socket or device",
	  .method = "port.list", .print = print_ports },
	{ .name = "show-port", .words = "NAME...", .min_words = 1, .max_words = MANY,
	  .help = "all about a port: state, peer or device, features, memory, rings",
	  .completion = "port", .several = NAMES_EACH,
	  .method = "port.show", .build = params_name, .print = print_port },
	{ .name = "stats", .words = "[NAME...]", .max_words = MANY,
	  .help = "frames and bytes by port, or every counter of one", .several = NAMES_TOGETHER,
	  .detail = "rx is what the switch received from the port, tx what it delivered to it. Bytes "
		    "are those of Ethernet frames without their check sequence. With --watch, frames, "
		    "bits and drops a second of all ports or of those named, in place on a terminal, "
		    "a table each time elsewhere, and with --json one JSON object a line. A port "
		    "that is new, or whose counters were cleared since, shows no rates (null in "
		    "JSON) until the next time.",
	  OPTIONS(stats_options), .completion = "port",
	  .method = "stats.get", .build = params_stats, .print = print_stats,
	  .follow = watch_follow, .follow_option = "watch" },
	{ .name = "clear-stats", .words = "[NAME...]", .max_words = MANY,
	  .help = "set the counters of ports, or of all, to zero", .several = NAMES_TOGETHER,
	  .completion = "port",
	  .method = "stats.clear", .build = params_name, .print = print_cleared },
	{ .name = "drops", .words = "[NAME...]", .max_words = MANY,
	  .help = "why frames were dropped, and what to do about it", .several = NAMES_TOGETHER,
	  .detail = "Shows the reasons that occurred; with NAME, every reason.",
	  .completion = "port",
	  .method = "stats.get", .build = params_name, .print = print_drops },
	{ .name = "fdb", .words = "[PORT]", .max_words = 1,
	  .help = "where MAC addresses are, at one port or at all", OPTIONS(fdb_options),
	  .completion = "port",
	  .method = "fdb.list", .build = params_list_fdb, .print = print_fdb },
	{ .name = "add-fdb", .words = "MAC PORT", .min_words = 2, .max_words = 2,
	  .help = "pin a MAC address to a port", OPTIONS(vlan_options),
	  .completion = "- port",
	  .method = "fdb.add", .build = params_add_fdb, .print = print_added_entry },
	{ .name = "del-fdb", .words = "MAC", .min_words = 1, .max_words = 1,
	  .help = "forget a MAC address", OPTIONS(vlan_options),
	  .method = "fdb.delete", .build = params_del_fdb, .print = print_deleted_entry },
	{ .name = "flush-fdb", .words = "[PORT]", .max_words = 1,
	  .help = "forget what was learned, at one port or at all",
	  .completion = "port",
	  .method = "fdb.flush", .build = params_flush_fdb, .print = print_flushed },
	{ .name = "monitor", .words = "[EVENT...]", .max_words = MANY,
	  .help = "follow events until Ctrl-C",
	  .detail = "Events are port.added, port.deleted, port.attached, port.detached, port.fault and "
		    "mac.moved; without a word, all of them. With --json, one JSON object a line.",
	  .completion = EVENTS,
	  .method = "event.subscribe", .build = params_events, .follow = monitor_follow },
	{ .name = "set-switch", .words = "KEY=VALUE...", .min_words = 1, .max_words = MANY,
	  .help = "change settings of the switch: ageing-time=SECONDS",
	  .completion = "ageing-time=",
	  .method = "switch.set", .build = params_set_switch, .print = print_settings },
	{ .name = "save-config", .words = "[FILE]", .max_words = 1,
	  .help = "write the running state as a configuration file",
	  .detail = "Without FILE, to the file that vswitchd was started with (--config).",
	  .completion = "file",
	  .method = "config.save", .build = params_save_config, .print = print_saved_config },
	{ .name = "log-level", .words = "LEVEL", .min_words = 1, .max_words = 1,
	  .help = "what vswitchd logs: error, warning, info or debug",
	  .completion = "error|warning|info|debug",
	  .method = "log.set", .build = params_log_level, .print = print_log_level },
	{ .name = "discover", .help = "the methods of the control protocol",
	  .detail = "With --json, the OpenRPC document.",
	  .method = "rpc.discover", .print = print_methods },
	{ .name = "call", .words = "METHOD [PARAMS]", .min_words = 1, .max_words = 2,
	  .help = "call any method; PARAMS is a JSON object", OPTIONS(call_options),
	  .detail = "Prints the result as JSON. For example:\n"
		    "vswitchctl call port.show '{\"name\":\"p0\"}'",
	  .build = params_call },
};
/* clang-format on */
const size_t commands_count = PRINT_COUNT(commands);
