/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, see print.h. */
#include "print.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "options/options.h"
#include "options/port_options.h"
#include "text/text.h"
#include "view.h"

#define COMMAND_WIDTH 78 /* and the sign that it goes on */

/* What a port waits for or suffers from; nothing when it is up, or the words repeat the state. */
void
print_state_note(struct table *t, const json_t *port)
{
	const char *state = view_text(port, "state");
	const char *words = view_text(port, "state_text");
	const json_t *fault = json_object_get(port, "fault");
	char age[32] = "";
	bool now = false;

	if (json_is_object(fault)) {
		text_format_duration(view_number(fault, "age_s"), age, sizeof(age));
		now = strstr(words, view_text(fault, "text")) != NULL;
	}
	if (now)
		table_note(t, "%s (%s ago)", words, age);
	else if (strcmp(state, "up") != 0 && strcmp(words, state) != 0)
		table_note(t, "%s", words);
	if (json_is_object(fault) && !now)
		table_note(t, "last fault, %s ago: %s", age, view_text(fault, "text"));
}

/* Length of an option with its values, or of one word where no option begins. */
static size_t
piece_length(const char *text)
{
	const char *next = text + strcspn(text, " ");

	while (text[0] == '-' && next[0] == ' ' && next[1] != '-')
		next += 1 + strcspn(next + 1, " ");
	return (size_t)(next - text);
}

/* A command on lines of a terminal's width, broken between options as a shell takes it. */
static void
print_command(FILE *out, const char *text)
{
	size_t column = 0, length;

	for (; *text != '\0'; text += length + strspn(text + length, " ")) {
		length = piece_length(text);
		if (column > 0 && column + 1 + length > COMMAND_WIDTH) {
			fputs(" \\\n   ", out);
			column = 3;
		}
		fprintf(out, "%s%.*s", column > 0 ? " " : "", (int)length, text);
		column += (column > 0) + length;
	}
	fputc('\n', out);
}

int
print_added_port(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "port %s: %s\n", view_text(result, "name"), view_text(result, "state_text"));
	if (json_is_string(json_object_get(result, "hint")))
		print_command(out, view_text(result, "hint"));
	return 0;
}

int
print_deleted_port(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "port %s: %s\n", view_text(result, "name"),
			view_true(result, "deleted") ? "deleted" : "there was none");
	return 0;
}

/* Whether the command line sets this option of the port, as --KEY VALUE or as KEY=VALUE. */
static bool
is_set(const struct invocation *call, const char *key)
{
	size_t length = strlen(key), i;

	if (options_given(call->options, key))
		return true;
	for (i = 0; i < call->setting_count; i++)
		if (strncmp(call->settings[i], key, length) == 0 &&
				call->settings[i][length] == '=')
			return true;
	return false;
}

/* Tells the new values of what was set. */
int
print_set_port(FILE *out, const struct invocation *call, const json_t *result)
{
	const char *separator = ": ", *key;
	char value[768];
	size_t i;

	fprintf(out, "port %s", view_text(result, "name"));
	for (i = 0; i < port_options_count; i++) {
		key = port_options[i].key;
		if (!is_set(call, key))
			continue;
		fprintf(out, "%s%s %s", separator, key,
				view_value(json_object_get(result, key), value, sizeof(value)));
		separator = ", ";
	}
	fputc('\n', out);
	return 0;
}

/* What is behind the port, or where it waits for that. */
static const char *
place_of(const json_t *port, char *buf, size_t size)
{
	const json_t *device = json_object_get(port, "device");

	if (json_is_object(device))
		print_device_name(device, buf, size);
	else if (json_is_string(json_object_get(port, "connect")))
		snprintf(buf, size, "-> %s", view_text(port, "connect"));
	else
		snprintf(buf, size, "%s", view_text(port, "socket"));
	return buf;
}

static void
add_port_row(struct table *t, const json_t *port)
{
	char place[256];

	table_cell(t, "%s", view_text(port, "name"));
	table_cell(t, "%s", view_text(port, "type"));
	table_cell(t, "%s", view_text(port, "state"));
	table_cell(t, "%s", view_true(port, "enabled") ? "on" : "off");
	table_cell(t, "%" PRId64, view_integer(port, "mtu"));
	table_cell(t, "%" PRId64, view_integer(port, "macs"));
	table_cell(t, "%s", place_of(port, place, sizeof(place)));
}

int
print_ports(FILE *out, const struct invocation *call, const json_t *result)
{
	static const struct table_column columns[] = { { "NAME", false }, { "TYPE", false },
		{ "STATE", false }, { "ENABLED", false }, { "MTU", true }, { "MACS", true },
		{ "SOCKET OR DEVICE", false } };
	const json_t *port;
	struct table t;
	size_t i;

	(void)call;
	if (json_array_size(result) == 0) {
		fprintf(out, "no ports; try: vswitchctl add-port NAME\n");
		return 0;
	}
	table_init(&t, columns, PRINT_COUNT(columns));
	json_array_foreach (result, i, port)
		add_port_row(&t, port);
	return table_print(&t, out, 0);
}

static void
print_options(FILE *out, const json_t *port)
{
	char line[2048] = "", value[768];
	const json_t *member;
	size_t i, used = 0;

	for (i = 0; i < port_options_count; i++) {
		member = json_object_get(port, port_options[i].key);
		if (port_options[i].type == PORT_OPTION_PATH || member == NULL ||
				json_is_null(member) ||
				(json_is_array(member) && json_array_size(member) == 0))
			continue;
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s=%s",
				used > 0 ? " " : "", port_options[i].key,
				view_value(member, value, sizeof(value)));
		if (used >= sizeof(line))
			break;
	}
	print_field(out, "options", "%s", line);
}

static void
print_traffic(FILE *out, const json_t *port, const char *label, const char *prefix)
{
	const json_t *rates = json_object_get(port, "rates");
	const json_t *stats = json_object_get(port, "stats");
	char key[16], fps[32], bps[32];
	int64_t frames, bytes;

	snprintf(key, sizeof(key), "%s_fps", prefix);
	text_format_number(view_number(rates, key), "fps", fps, sizeof(fps));
	snprintf(key, sizeof(key), "%s_bps", prefix);
	text_format_number(view_number(rates, key), "bit/s", bps, sizeof(bps));
	snprintf(key, sizeof(key), "%s_frames", prefix);
	frames = view_integer(stats, key);
	snprintf(key, sizeof(key), "%s_bytes", prefix);
	bytes = view_integer(stats, key);
	print_field(out, label, "%" PRId64 " frames, %" PRId64 " bytes; now %s, %s", frames, bytes,
			fps, bps);
}

static void
print_peer(FILE *out, const json_t *port)
{
	const json_t *peer = json_object_get(port, "peer");

	if (json_is_object(peer))
		print_field(out, "peer", "%s, pid %" PRId64 ", uid %" PRId64,
				view_text(peer, "program"), view_integer(peer, "pid"),
				view_integer(peer, "uid"));
	else
		print_field(out, "peer", "none");
}

static void
print_fault(FILE *out, const json_t *port)
{
	const json_t *fault = json_object_get(port, "fault");
	char age[32];

	if (json_is_object(fault))
		print_field(out, "last fault", "%s (%s ago)", view_text(fault, "text"),
				text_format_duration(
						view_number(fault, "age_s"), age, sizeof(age)));
	if (view_integer(port, "rejected_connections") > 0)
		print_field(out, "rejected", "%" PRId64 " connections",
				view_integer(port, "rejected_connections"));
}

static void
print_port_drops(FILE *out, const json_t *port)
{
	const json_t *drops = json_object_get(json_object_get(port, "stats"), "drops");
	int64_t sum = view_sum(drops);

	if (sum == 0)
		print_field(out, "drops", "none");
	else
		print_field(out, "drops", "%" PRId64 "; see: vswitchctl drops %s", sum,
				view_text(port, "name"));
}

/* What the interface or device has lost by itself. */
static void
print_device_drops(FILE *out, const json_t *port)
{
	int64_t sum = view_sum(json_object_get(json_object_get(port, "stats"), "device_drops"));

	if (sum > 0)
		print_field(out, "device",
				"it dropped %" PRId64 " by itself; see: vswitchctl drops %s", sum,
				view_text(port, "name"));
}

/* Frames whose checksum or segments the switch made for a receiver that does not. */
static void
print_offload(FILE *out, const json_t *port)
{
	const json_t *offload = json_object_get(json_object_get(port, "stats"), "offload");

	if (view_sum(offload) > 0)
		print_field(out, "for it",
				"%" PRId64 " checksums computed; %" PRId64
				" frames cut into %" PRId64 " segments",
				view_integer(offload, "checksummed"),
				view_integer(offload, "segmented"),
				view_integer(offload, "segments"));
}

/* What the port costs the switch. */
static void
print_time(FILE *out, const json_t *port)
{
	const json_t *spent = json_object_get(port, "time");
	char rest[48] = "";

	if (view_number(spent, "resting_s") > 0)
		snprintf(rest, sizeof(rest), "; left alone for %.1f s",
				view_number(spent, "resting_s"));
	print_field(out, "time",
			"%.1f %% of a CPU; slow %" PRId64 " times, waited for %" PRId64 " times%s",
			view_number(spent, "percent"), view_integer(spent, "slow_turns"),
			view_integer(spent, "stalls"), rest);
}

/* Both limits, where the frontend announced one, and which of them counts. */
static void
print_mtu(FILE *out, const json_t *port)
{
	int64_t own = view_integer(port, "mtu"), announced = view_integer(port, "frontend_mtu");

	if (!json_is_integer(json_object_get(port, "frontend_mtu")))
		return;
	if (announced < own)
		print_field(out, "mtu",
				"%" PRId64 ", announced by the frontend; the port's own %" PRId64
				" does not count",
				announced, own);
	else
		print_field(out, "mtu", "%" PRId64 "; the frontend announced %" PRId64, own,
				announced);
}

/* A frontend and its socket, or an interface or device. */
static void
print_behind(FILE *out, const json_t *port)
{
	const json_t *device = json_object_get(port, "device");
	char place[256];

	if (json_is_object(device)) {
		print_device(out, device);
		return;
	}
	print_field(out, "socket", "%s", place_of(port, place, sizeof(place)));
	print_peer(out, port);
	print_mtu(out, port);
}

int
print_port(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	print_field(out, "port", "%s, %s, id %" PRId64, view_text(result, "name"),
			view_text(result, "type"), view_integer(result, "id"));
	print_field(out, "state", "%s", view_text(result, "state_text"));
	print_behind(out, result);
	print_options(out, result);
	print_fault(out, result);
	print_field(out, "addresses", "%" PRId64 " learned", view_integer(result, "macs"));
	print_traffic(out, result, "from it", "rx");
	print_traffic(out, result, "to it", "tx");
	print_offload(out, result);
	print_time(out, result);
	print_port_drops(out, result);
	print_device_drops(out, result);
	return print_session(out, json_object_get(result, "session"));
}
