/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_report.h. */
#include "port_report.h"

#include <stdio.h>
#include <string.h>

#include "datapath/account.h"
#include "base/clock.h"
#include "switching/fdb.h"
#include "feature_names.h"
#include "datapath/frame.h"
#include "jsonrpc/jsonrpc.h"
#include "ports/port.h"
#include "port_json.h"
#include "options/port_options.h"
#include "text/text.h"

/* Whether a frontend is behind the port, and not an interface or device. */
static bool
is_frontend(const struct port *port)
{
	return strcmp(port_type(port), "vhost-user") == 0;
}

json_t *
port_report_peer(const struct socket_peer *peer)
{
	return json_pack("{s:i, s:o, s:I}", "pid", peer->pid, "program",
			jsonrpc_text(peer->program), "uid", (json_int_t)peer->uid);
}

/* A member; none where it would have nothing to say. */
static int
add_member(json_t *object, const char *key, json_t *value)
{
	if (!json_is_null(value))
		return json_object_set_new(object, key, value);
	json_decref(value);
	return 0;
}

/* What the interface or device behind the port has dropped by itself; null: nothing is there that counts. */
static json_t *
report_device_drops(const struct port *port)
{
	struct port_device device = { 0 };
	json_t *drops;
	int i;

	if (!port_device(port, &device) || device.dropped.known == 0)
		return json_null();
	drops = json_object();
	for (i = 0; i < DEVICE_DROPS; i++)
		if ((device.dropped.known >> i & 1) != 0)
			json_object_set_new(drops, device_drops[i].name,
					json_integer((json_int_t)device.dropped.frames[i]));
	return drops;
}

json_t *
port_report_stats(const struct port *port)
{
	struct port_stats stats;
	json_t *drops = json_object(), *object;
	int i;

	port_stats(port, &stats);
	for (i = 0; i < DROP_REASONS; i++)
		json_object_set_new(drops, drop_reasons[i].name,
				json_integer((json_int_t)stats.drops[i]));
	object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I}, s:o}", "rx_frames",
			(json_int_t)stats.rx_frames, "rx_bytes", (json_int_t)stats.rx_bytes,
			"tx_frames", (json_int_t)stats.tx_frames, "tx_bytes",
			(json_int_t)stats.tx_bytes, "copies_due", (json_int_t)stats.copies_due,
			"offload", "checksummed", (json_int_t)stats.checksummed, "segmented",
			(json_int_t)stats.segmented, "segments", (json_int_t)stats.segments,
			"drops", drops);
	if (object != NULL)
		(void)add_member(object, "device_drops", report_device_drops(port));
	return object;
}

static json_t *
report_rates(const struct port *port)
{
	struct port_rates rates;

	port_rates(port, &rates);
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "rx_fps", rates.rx_fps, "rx_bps",
			rates.rx_bps, "tx_fps", rates.tx_fps, "tx_bps", rates.tx_bps, "drop_fps",
			rates.drop_fps);
}

/* What the port costs the workers. */
static json_t *
report_time(const struct port *port)
{
	struct port_time time;
	const struct account_info *info = &time.account;
	struct port_rates rates;

	port_time(port, &time);
	port_rates(port, &rates);
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:f, s:f, s:f}", "percent",
			rates.time_percent, "turns_percent", rates.turns_percent, "taking_s",
			time.taking_s, "placing_s", info->placing_s, "calling_s", info->calling_s,
			"turns_s", time.turns_s, "slow_turns", (int)info->slow_turns, "stalls",
			(int)info->stalls, "stalled_s", info->stalled_s, "resting_s", info->rest_s,
			"rested_s", info->rested_s);
}

static json_t *
report_fault(const struct port *port)
{
	const struct port_fault *fault = port_fault(port);

	if (fault->text[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:f}", "text", jsonrpc_text(fault->text), "age_s",
			(double)(clock_ns() - fault->time_ns) / 1e9);
}

json_t *
port_report_option(const struct port *port, const struct port_option *option)
{
	if ((option->kinds & port_kind_find(port_type(port))) == 0)
		return json_null();
	return port_json_value(port_settings(port), option);
}

/* Every option that has a value; `socket` shows the default path where none was given. */
static int
add_options(json_t *object, const struct port *port)
{
	bool listens = is_frontend(port) && port_settings(port)->connect[0] == '\0';
	int failed = 0;
	size_t i;

	for (i = 0; i < port_options_count; i++)
		failed |= add_member(object, port_options[i].key,
				port_report_option(port, &port_options[i]));
	if (listens)
		failed |= json_object_set_new(object, "socket", jsonrpc_text(port_path(port)));
	return failed;
}

static json_t *
report_state(const struct port *port)
{
	char text[PORT_TEXT_MAX];

	port_state_text(port, text, sizeof(text));
	return json_pack("{s:s, s:i, s:s, s:s, s:o}", "name", port_name(port), "id", port_id(port),
			"type", port_type(port), "state", port_state_name(port_state(port)),
			"state_text", jsonrpc_text(text));
}

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
report_pids(const struct port_device *device)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < device->n_pids; i++)
		json_array_append_new(list, json_integer(device->pids[i]));
	return list;
}

static json_t *
report_text(const char *text)
{
	return text[0] != '\0' ? jsonrpc_text(text) : json_null();
}

/* The interface or device behind the port; JSON null while it waits for that. */
static json_t *
report_device(const struct port *port)
{
	struct port_device device = { 0 };
	char mac[TEXT_MAC_SIZE];

	if (!port_device(port, &device))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:i, s:i, s:s, s:b, s:o, s:o, s:o, s:o}",
			"backend", report_text(device.backend != NULL ? device.backend : ""), "why",
			report_text(device.why), "ifname", report_text(device.ifname), "netns",
			report_text(device.netns), "mac", text_format_mac(device.mac, mac), "mtu",
			(int)device.mtu, "queues", (int)device.queues, "link",
			device.link_up ? "up" : "down", "interrupts", device.interrupts,
			"speed_mbps",
			device.speed_mbps != 0 ? json_integer(device.speed_mbps) : json_null(),
			"takes", report_needs(device.takes), "gives", report_needs(device.gives),
			"vhost_pids", report_pids(&device));
}

/* The MTU that the frontend announced. */
static json_t *
report_frontend_mtu(const struct port *port)
{
	const struct session *session = port_session(port);

	return session != NULL && session->mtu != 0 ? json_integer(session->mtu) : json_null();
}

/* What only ports with a frontend have. */
static int
add_frontend(json_t *object, const struct port *port)
{
	const struct socket_peer *peer = port_peer(port);
	int failed;

	failed = json_object_set_new(
			object, "peer", peer != NULL ? port_report_peer(peer) : json_null());
	failed |= json_object_set_new(object, "rejected_connections",
			json_integer((json_int_t)port_rejected(port)));
	failed |= json_object_set_new(object, "frontend_mtu", report_frontend_mtu(port));
	return failed;
}

json_t *
port_report(const struct port *port, const struct fdb *fdb)
{
	json_t *object = report_state(port);
	int failed;

	failed = add_options(object, port);
	if (is_frontend(port))
		failed |= add_frontend(object, port);
	else
		failed |= json_object_set_new(object, "device", report_device(port));
	failed |= json_object_set_new(object, "fault", report_fault(port));
	failed |= json_object_set_new(
			object, "macs", json_integer(fdb_count_port(fdb, port_id(port))));
	failed |= json_object_set_new(object, "rates", report_rates(port));
	failed |= json_object_set_new(object, "time", report_time(port));
	failed |= json_object_set_new(object, "stats", port_report_stats(port));
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
report_bits(uint64_t bits, const char *(*name_of)(uint32_t bit))
{
	json_t *names = json_array();
	char number[16];
	uint32_t bit;

	for (bit = 0; bit < 64; bit++) {
		if ((bits >> bit & 1) == 0)
			continue;
		snprintf(number, sizeof(number), "bit %u", bit);
		json_array_append_new(
				names, json_string(name_of(bit) != NULL ? name_of(bit) : number));
	}
	return names;
}

static json_t *
report_memory(const struct session *session)
{
	json_t *regions = json_array();
	const struct session_region *region;
	uint32_t i;

	for (i = 0; i < session->n_regions; i++) {
		region = &session->regions[i];
		json_array_append_new(regions,
				json_pack("{s:I, s:I, s:I, s:I}", "guest_phys_addr",
						(json_int_t)region->guest_phys_addr, "size",
						(json_int_t)region->size, "userspace_addr",
						(json_int_t)region->userspace_addr, "mmap_offset",
						(json_int_t)region->mmap_offset));
	}
	return regions;
}

static json_t *
report_vring(const struct port *port, const struct session *session, uint32_t index)
{
	const struct session_vring *vring = &session->vrings[index];
	struct port_vring_info info = { 0 };

	(void)port_vring_info(port, index, &info);
	return json_pack("{s:i, s:s, s:i, s:b, s:b, s:b, s:b, s:i, s:i}", "index", (int)index,
			"role", index == VRING_RECEIVEQ ? "receiveq" : "transmitq", "size",
			(int)vring->size, "enabled", vring->enabled, "running", info.running,
			"has_kick", vring->kick_fd >= 0, "has_call", vring->call_fd >= 0,
			"avail_idx", (int)info.avail_idx, "used_idx", (int)info.used_idx);
}

json_t *
port_report_session(const struct port *port)
{
	const struct session *session = port_session(port);
	json_t *vrings;
	char hex[24];
	uint32_t i;

	if (session == NULL)
		return json_null();
	vrings = json_array();
	for (i = 0; i < PORT_VRINGS; i++)
		json_array_append_new(vrings, report_vring(port, session, i));
	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)session->features);
	return json_pack("{s:o, s:s, s:o, s:o, s:i, s:o}", "features",
			report_bits(session->features, feature_names_virtio), "features_hex", hex,
			"protocol_features",
			report_bits(session->protocol_features, feature_names_protocol), "memory",
			report_memory(session), "memory_regions_max", MEMORY_REGIONS_MAX, "vrings",
			vrings);
}
