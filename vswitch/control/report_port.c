/* SPDX-License-Identifier: BSD-3-Clause */
/* See report_port.h. */
#include "report_port.h"

#include <stdio.h>
#include <string.h>

#include "datapath/account.h"
#include "base/clock.h"
#include "switching/fdb.h"
#include "datapath/frame.h"
#include "jsonrpc/jsonrpc.h"
#include "ports/port.h"
#include "hint.h"
#include "report_session.h"
#include "settings_json.h"
#include "options/port_options.h"
#include "text/text.h"

/* ---- PEER ---- */

/* clang-format off */
static const struct report_field peer_fields[] = {
	{ REPORT_VALUE("pid", struct socket_peer, pid), .meaning = "the frontend's process" },
	{ REPORT_VALUE("program", struct socket_peer, program), .meaning = "what that is called" },
	{ REPORT_VALUE("uid", struct socket_peer, uid), .meaning = "user that it runs as" },
};
/* clang-format on */

const struct report_object report_port_frontend = { .name = "PEER", REPORT_FIELDS(peer_fields) };

json_t *
report_port_peer(const struct socket_peer *peer)
{
	return report_make(&report_port_frontend, peer);
}

/* ---- STATS ---- */

struct stats_told {
	struct port_stats stats;
	struct device_drop_counts device;
};

/* clang-format off */
static const struct report_field offload_fields[] = {
	{ REPORT_VALUE("checksummed", struct port_stats, checksummed),
	  .meaning = "frames whose checksum was computed" },
	{ REPORT_VALUE("segmented", struct port_stats, segmented),
	  .meaning = "frames that were cut into TCP segments" },
	{ REPORT_VALUE("segments", struct port_stats, segments),
	  .meaning = "segments made of them; each is delivered or dropped as a frame" },
};
/* clang-format on */

static const struct report_object offload_object = { .name = "OFFLOAD",
	REPORT_FIELDS(offload_fields) };

static json_t *
get_offload(const void *subject)
{
	return report_make(&offload_object, &((const struct stats_told *)subject)->stats);
}

static json_t *
get_drops(const void *subject)
{
	const struct port_stats *stats = &((const struct stats_told *)subject)->stats;
	json_t *drops = json_object();
	int i;

	for (i = 0; i < DROP_REASONS; i++)
		json_object_set_new(drops, drop_reasons[i].name,
				json_integer((json_int_t)stats->drops[i]));
	return drops;
}

static bool
has_device_drops(const void *subject)
{
	return ((const struct stats_told *)subject)->device.known != 0;
}

static json_t *
get_device_drops(const void *subject)
{
	const struct device_drop_counts *device = &((const struct stats_told *)subject)->device;
	json_t *drops = json_object();
	int i;

	for (i = 0; i < DEVICE_DROPS; i++)
		if ((device->known >> i & 1) != 0)
			json_object_set_new(drops, device_drops[i].name,
					json_integer((json_int_t)device->frames[i]));
	return drops;
}

/* clang-format off */
static const struct report_field stats_fields[] = {
	{ REPORT_VALUE("rx_frames", struct stats_told, stats.rx_frames),
	  .meaning = "frames that the switch received from the port" },
	{ REPORT_VALUE("rx_bytes", struct stats_told, stats.rx_bytes),
	  .meaning = "their bytes: those of the Ethernet frame without FCS" },
	{ REPORT_VALUE("tx_frames", struct stats_told, stats.tx_frames),
	  .meaning = "frames that were delivered to the port" },
	{ REPORT_VALUE("tx_bytes", struct stats_told, stats.tx_bytes), .meaning = "their bytes" },
	{ REPORT_VALUE("copies_due", struct stats_told, stats.copies_due),
	  .meaning = "copies that frames from this port were to make: one a unicast frame, one a "
		     "receiver of a flood" },
	{ REPORT_GET("offload", REPORT_OBJECT, get_offload), .object = &offload_object,
	  .meaning = "work done for this receiver because it does not take it" },
	{ REPORT_GET("drops", REPORT_INTEGER, get_drops), .shape = REPORT_MAP,
	  .meaning = "copies dropped, by reason" },
	{ REPORT_GET("device_drops", REPORT_INTEGER, get_device_drops), .shape = REPORT_MAP,
	  .has = has_device_drops,
	  .meaning = "kernel and ethdev: frames that the interface or device lost by itself, as of "
		     "the last look, which is about a second old; they are in no other counter, and "
		     "are counted since it was made or started, whatever is cleared; absent while it "
		     "is not there" },
};
/* clang-format on */

const struct report_object report_port_counters = { .name = "STATS", REPORT_FIELDS(stats_fields) };

json_t *
report_port_stats(const struct port *port)
{
	struct stats_told told = { 0 };
	struct port_device device = { 0 };

	port_stats(port, &told.stats);
	if (port_device(port, &device))
		told.device = device.dropped;
	return report_make(&report_port_counters, &told);
}

/* ---- RATES and TIME ---- */

/* clang-format off */
static const struct report_field rates_fields[] = {
	{ REPORT_VALUE("rx_fps", struct port_rates, rx_fps), .meaning = "frames a second from it" },
	{ REPORT_VALUE("rx_bps", struct port_rates, rx_bps), .meaning = "bits a second from it" },
	{ REPORT_VALUE("tx_fps", struct port_rates, tx_fps), .meaning = "frames a second to it" },
	{ REPORT_VALUE("tx_bps", struct port_rates, tx_bps), .meaning = "bits a second to it" },
	{ REPORT_VALUE("drop_fps", struct port_rates, drop_fps), .meaning = "drops a second" },
};
/* clang-format on */

static const struct report_object rates_object = { .name = "RATES", REPORT_FIELDS(rates_fields) };

/* What the port costs the workers. */
struct time_told {
	struct port_time time;
	struct port_rates rates;
};

/* clang-format off */
static const struct report_field time_fields[] = {
	{ REPORT_VALUE("percent", struct time_told, rates.time_percent),
	  .meaning = "share of one CPU over the last second: time spent on the port's memory and "
		     "descriptors" },
	{ REPORT_VALUE("turns_percent", struct time_told, rates.turns_percent),
	  .meaning = "the same for the turns of the port's own frames, their receivers included: "
		     "what fair shares are counted in" },
	{ REPORT_VALUE("taking_s", struct time_told, time.taking_s),
	  .meaning = "seconds since the port was added in which frames were taken from it" },
	{ REPORT_VALUE("placing_s", struct time_told, time.account.placing_s),
	  .meaning = "seconds in which frames were put into it, calls included" },
	{ REPORT_VALUE("calling_s", struct time_told, time.account.calling_s),
	  .meaning = "seconds of writes to its call descriptors alone" },
	{ REPORT_VALUE("turns_s", struct time_told, time.turns_s),
	  .meaning = "seconds of its own frames' turns" },
	{ REPORT_VALUE("slow_turns", struct time_told, time.account.slow_turns),
	  .meaning = "stretches of over a millisecond that were its doing" },
	{ REPORT_VALUE("stalls", struct time_told, time.account.stalls),
	  .meaning = "how often a worker had to wait inside the kernel for its memory" },
	{ REPORT_VALUE("stalled_s", struct time_told, time.account.stalled_s),
	  .meaning = "seconds that it waited" },
	{ REPORT_VALUE("resting_s", struct time_told, time.account.rest_s),
	  .meaning = "how long it is left alone from now on, because it took more than its share" },
	{ REPORT_VALUE("rested_s", struct time_told, time.account.rested_s),
	  .meaning = "how long it was left alone in all" },
};
/* clang-format on */

static const struct report_object time_object = { .name = "TIME", REPORT_FIELDS(time_fields) };

/* ---- DEVICE ---- */

static json_t *
get_mac(const void *subject)
{
	char mac[TEXT_MAC_SIZE];

	return json_string(text_format_mac(((const struct port_device *)subject)->mac, mac));
}

static json_t *
get_link(const void *subject)
{
	return json_string(((const struct port_device *)subject)->link_up ? "up" : "down");
}

#define NEEDS "csum|tso4|tso6|ecn"

static json_t *
report_needs(uint8_t needs)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} names[] = { { FRAME_NEEDS_CSUM, "csum" }, { FRAME_NEEDS_TSO4, "tso4" },
		{ FRAME_NEEDS_TSO6, "tso6" }, { FRAME_NEEDS_ECN, "ecn" } };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((needs & names[i].bit) != 0)
			json_array_append_new(list, json_string(names[i].name));
	return list;
}

static json_t *
get_takes(const void *subject)
{
	return report_needs(((const struct port_device *)subject)->takes);
}

static json_t *
get_gives(const void *subject)
{
	return report_needs(((const struct port_device *)subject)->gives);
}

static json_t *
get_pids(const void *subject)
{
	const struct port_device *device = subject;
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < device->n_pids; i++)
		json_array_append_new(list, json_integer(device->pids[i]));
	return list;
}

/* clang-format off */
static const struct report_field device_fields[] = {
	{ REPORT_VALUE("backend", struct port_device, backend), .nullable = true,
	  .meaning = "kernel: `vhost-net` or `tap`; ethdev: the name of the driver; null until it is "
		     "known" },
	{ REPORT_VALUE("why", struct port_device, why), .nullable = true,
	  .meaning = "why this backend was taken" },
	{ REPORT_VALUE("ifname", struct port_device, ifname), .nullable = true,
	  .meaning = "the interface" },
	{ REPORT_VALUE("netns", struct port_device, netns), .nullable = true,
	  .meaning = "its network namespace; null: the switch's own, or not known" },
	{ REPORT_GET("mac", REPORT_TEXT, get_mac), .meaning = "its address as it is now" },
	{ REPORT_VALUE("mtu", struct port_device, mtu), .meaning = "its MTU as it is now" },
	{ REPORT_VALUE("queues", struct port_device, queues), .meaning = "its queues, each way" },
	{ REPORT_GET("link", REPORT_TEXT, get_link), .words = "up|down", .meaning = "its link" },
	{ REPORT_VALUE("interrupts", struct port_device, interrupts),
	  .meaning = "whether frames wake a sleeping switch; else it looks now and then" },
	{ REPORT_VALUE("speed_mbps", struct port_device, speed_mbps), .nullable = true,
	  .meaning = "of the link, where it is known" },
	{ REPORT_GET("takes", REPORT_TEXT, get_takes), .shape = REPORT_LIST, .words = NEEDS,
	  .meaning = "what is left undone in frames to it" },
	{ REPORT_GET("gives", REPORT_TEXT, get_gives), .shape = REPORT_LIST, .words = NEEDS,
	  .meaning = "what is left undone in frames from it" },
	{ REPORT_GET("vhost_pids", REPORT_INTEGER, get_pids), .shape = REPORT_LIST,
	  .meaning = "threads of the kernel that move the frames" },
};
/* clang-format on */

static const struct report_object device_object = { .name = "DEVICE",
	REPORT_FIELDS(device_fields) };

/* ---- FAULT ---- */

struct fault_told {
	const char *text;
	double age_s;
};

/* clang-format off */
static const struct report_field fault_fields[] = {
	{ REPORT_VALUE("text", struct fault_told, text), .meaning = "what happened" },
	{ REPORT_VALUE("age_s", struct fault_told, age_s), .meaning = "how long ago" },
};
/* clang-format on */

static const struct report_object fault_object = { .name = "FAULT", REPORT_FIELDS(fault_fields) };

/* ---- PORT ---- */

struct port_told {
	const struct port *port;
	const char *name, *type, *state;
	uint16_t id;
	char state_text[PORT_TEXT_MAX];
	uint64_t rejected;
	uint32_t macs;
};

static const struct port *
port_of(const void *subject)
{
	return ((const struct port_told *)subject)->port;
}

/* Whether a frontend is behind the port, and not an interface or device. */
static bool
is_frontend(const struct port *port)
{
	return strcmp(port_type(port), "vhost-user") == 0;
}

static bool
has_frontend(const void *subject)
{
	return is_frontend(port_of(subject));
}

static bool
has_device(const void *subject)
{
	return !is_frontend(port_of(subject));
}

json_t *
report_port_option(const struct port *port, const struct port_option *option)
{
	if ((option->kinds & port_kind_find(port_type(port))) == 0)
		return json_null();
	return settings_json_value(port_settings(port), option);
}

/* Every option that has a value; `socket` shows the default path where none was given. */
static int
add_options(json_t *object, const void *subject)
{
	const struct port *port = port_of(subject);
	bool listens = is_frontend(port) && port_settings(port)->connect[0] == '\0';
	int failed = 0;
	json_t *value;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		value = report_port_option(port, &port_options[i]);
		if (json_is_null(value))
			json_decref(value);
		else
			failed |= json_object_set_new(object, port_options[i].key, value);
	}
	if (listens)
		failed |= json_object_set_new(object, "socket", jsonrpc_text(port_path(port)));
	return failed;
}

static json_t *
get_peer(const void *subject)
{
	const struct socket_peer *peer = port_peer(port_of(subject));

	return peer != NULL ? report_port_peer(peer) : json_null();
}

/* The MTU that the frontend announced. */
static json_t *
get_frontend_mtu(const void *subject)
{
	const struct session *session = port_session(port_of(subject));

	return session != NULL && session->mtu != 0 ? json_integer(session->mtu) : json_null();
}

/* The interface or device behind the port; JSON null while it waits for that. */
static json_t *
get_device(const void *subject)
{
	struct port_device device = { 0 };

	return port_device(port_of(subject), &device) ? report_make(&device_object, &device)
						      : json_null();
}

static json_t *
get_fault(const void *subject)
{
	const struct port_fault *fault = port_fault(port_of(subject));
	const struct fault_told told = { .text = fault->text,
		.age_s = (double)(clock_ns() - fault->time_ns) / 1e9 };

	return fault->text[0] != '\0' ? report_make(&fault_object, &told) : json_null();
}

static json_t *
get_rates(const void *subject)
{
	struct port_rates rates;

	port_rates(port_of(subject), &rates);
	return report_make(&rates_object, &rates);
}

static json_t *
get_time(const void *subject)
{
	struct time_told told;

	port_time(port_of(subject), &told.time);
	port_rates(port_of(subject), &told.rates);
	return report_make(&time_object, &told);
}

static json_t *
get_stats(const void *subject)
{
	return report_port_stats(port_of(subject));
}

/* clang-format off */
static const struct report_field port_fields[] = {
	{ REPORT_VALUE("name", struct port_told, name), .meaning = "which port" },
	{ REPORT_VALUE("id", struct port_told, id), .meaning = "its number" },
	{ REPORT_VALUE("type", struct port_told, type), .words = port_kinds_text,
	  .meaning = "what is behind it" },
	{ REPORT_VALUE("state", struct port_told, state), .words = PORT_STATE_WORDS,
	  .meaning = "vhost-user: `waiting`, `negotiating`, `up`, `stopped` (by the frontend) or "
		     "`fault`; kernel and ethdev: `waiting` (for what is missing), `up` or `down`" },
	{ REPORT_VALUE("state_text", struct port_told, state_text),
	  .meaning = "the state in words, with the reason" },
	{ REPORT_OPTION_ROWS(add_options),
	  .meaning = "absent where ports of this type have no such option, where none was given and "
		     "there is no default, and `mode`, `owner`, `group` of a port that connects" },
	{ REPORT_GET("peer", REPORT_OBJECT, get_peer), .object = &report_port_frontend,
	  .nullable = true, .has = has_frontend,
	  .meaning = "vhost-user: the frontend; null while there is none" },
	{ REPORT_VALUE("rejected_connections", struct port_told, rejected), .has = has_frontend,
	  .meaning = "vhost-user: connections refused since another frontend was attached" },
	{ REPORT_GET("frontend_mtu", REPORT_INTEGER, get_frontend_mtu), .nullable = true,
	  .has = has_frontend,
	  .meaning = "vhost-user: the MTU that the frontend announced (NET_SET_MTU), or null; the "
		     "smaller of it and `mtu` bounds frames" },
	{ REPORT_GET("device", REPORT_OBJECT, get_device), .object = &device_object,
	  .nullable = true, .has = has_device,
	  .meaning = "kernel and ethdev: the interface or device; null while the port waits for it" },
	{ REPORT_GET("fault", REPORT_OBJECT, get_fault), .object = &fault_object, .nullable = true,
	  .meaning = "the last fault; null: none so far" },
	{ REPORT_VALUE("macs", struct port_told, macs),
	  .meaning = "dynamic entries of the port in the forwarding table" },
	{ REPORT_GET("rates", REPORT_OBJECT, get_rates), .object = &rates_object,
	  .meaning = "over the last second" },
	{ REPORT_GET("time", REPORT_OBJECT, get_time), .object = &time_object,
	  .meaning = "what the port costs the workers" },
	{ REPORT_GET("stats", REPORT_OBJECT, get_stats), .object = &report_port_counters,
	  .meaning = "counters" },
};
/* clang-format on */

const struct report_object report_port_port = { .name = "PORT", REPORT_FIELDS(port_fields) };

static json_t *
get_hint(const void *subject)
{
	char hint[PORT_HINT_MAX];

	hint_for_port(port_of(subject), hint, sizeof(hint));
	return jsonrpc_text(hint);
}

/* clang-format off */
static const struct report_field added_fields[] = {
	{ REPORT_GET("hint", REPORT_TEXT, get_hint), .meaning = "a command to try next" },
};
/* clang-format on */

const struct report_object report_port_added = { .base = &report_port_port,
	REPORT_FIELDS(added_fields) };

static json_t *
get_session(const void *subject)
{
	return report_session(port_of(subject));
}

/* clang-format off */
static const struct report_field shown_fields[] = {
	{ REPORT_GET("session", REPORT_OBJECT, get_session), .object = &report_session_object,
	  .nullable = true, .meaning = "what the frontend has negotiated; null: nothing yet" },
};
/* clang-format on */

const struct report_object report_port_shown = { .base = &report_port_port,
	REPORT_FIELDS(shown_fields) };

json_t *
report_port_as(const struct report_object *object, const struct port *port, const struct fdb *fdb)
{
	struct port_told told = { .port = port,
		.name = port_name(port),
		.type = port_type(port),
		.state = port_state_name(port_state(port)),
		.id = port_id(port),
		.rejected = port_rejected(port),
		.macs = fdb_count_port(fdb, port_id(port)) };

	port_state_text(port, told.state_text, sizeof(told.state_text));
	return report_make(object, &told);
}

json_t *
report_port(const struct port *port, const struct fdb *fdb)
{
	return report_port_as(&report_port_port, port, fdb);
}
