/* SPDX-License-Identifier: BSD-3-Clause */
/* What the switch as a whole says of itself, see print.h. */
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "text/nearest.h"
#include "options/options.h"
#include "text/text.h"
#include "view.h"

static void
print_identity(FILE *out, const json_t *status)
{
	char uptime[32];

	text_format_duration(view_number(status, "uptime_s"), uptime, sizeof(uptime));
	fprintf(out, "vswitch %s, pid %" PRId64 ", up %s\n", view_text(status, "version"),
			view_integer(status, "pid"), uptime);
	fprintf(out, "control  %s\n", view_text(status, "control"));
	if (json_is_string(json_object_get(status, "config")))
		fprintf(out, "config   %s\n", view_text(status, "config"));
}

static void
print_resources(FILE *out, const json_t *status)
{
	const json_t *memory = json_object_get(status, "memory");
	const json_t *fdb = json_object_get(status, "fdb");
	const char *kind = view_text(memory, "kind");
	char ageing[32];

	text_format_duration(view_number(fdb, "ageing-time"), ageing, sizeof(ageing));
	fprintf(out, "memory   %" PRId64 " MiB of %s; polling %s; log level %s\n",
			view_integer(memory, "mib"),
			strcmp(kind, "ordinary") == 0 ? "ordinary pages" : kind,
			view_text(status, "poll"), view_text(status, "log_level"));
	fprintf(out,
			"fdb      %" PRId64 " of %" PRId64 " addresses, %" PRId64
			" static, ageing %s; sessions %" PRId64 " of %" PRId64 "\n",
			view_integer(fdb, "entries"), view_integer(fdb, "max"),
			view_integer(fdb, "static"), ageing, view_integer(status, "sessions"),
			view_integer(status, "sessions_max"));
}

static void
print_workers(FILE *out, const json_t *workers)
{
	const json_t *worker, *cpu;
	size_t i;

	json_array_foreach (workers, i, worker) {
		fprintf(out, "worker %-2" PRId64, view_integer(worker, "id"));
		cpu = json_object_get(worker, "cpu");
		if (json_is_integer(cpu))
			fprintf(out, "on cpu %" JSON_INTEGER_FORMAT ", ", json_integer_value(cpu));
		fprintf(out, "%s, %.1f %% busy, %" PRId64 " port%s\n", view_text(worker, "state"),
				view_number(worker, "busy_percent"), view_integer(worker, "ports"),
				view_integer(worker, "ports") == 1 ? "" : "s");
	}
}

/* Addresses that the switch learns at two ports by turns, and what that means. */
static void
print_flapping(FILE *out, const json_t *flapping)
{
	const json_t *flap, *ports;
	char text[512];
	size_t i;

	json_array_foreach (flapping, i, flap) {
		ports = json_object_get(flap, "ports");
		snprintf(text, sizeof(text),
				"%s is at %s and %s by turns, %" PRId64 " times in %" PRId64 " s",
				view_text(flap, "mac"), json_string_value(json_array_get(ports, 0)),
				json_string_value(json_array_get(ports, 1)),
				view_integer(flap, "moves"), view_integer(flap, "seconds"));
		fputs("flapping ", out);
		options_print_wrapped(out, 9, 9, text);
	}
	if (json_array_size(flapping) == 0)
		return;
	fputs("         ", out);
	options_print_wrapped(out, 9, 9,
			"which means a loop between the ports, or two stations with one address; "
			"see: vswitchctl monitor mac.moved");
}

static void
add_rate(struct table *t, const json_t *rates, const char *key)
{
	char buf[32];

	table_cell(t, "%s", text_format_number(view_number(rates, key), NULL, buf, sizeof(buf)));
}

static void
add_port_row(struct table *t, const json_t *port)
{
	const json_t *rates = json_object_get(port, "rates");
	const json_t *drops = json_object_get(json_object_get(port, "stats"), "drops");
	double dropping = view_number(rates, "drop_fps");
	char buf[64];

	table_cell(t, "%s", view_text(port, "name"));
	table_cell(t, "%s", view_text(port, "state"));
	table_cell(t, "%s", view_peer(port, buf, sizeof(buf)));
	add_rate(t, rates, "rx_fps");
	add_rate(t, rates, "tx_fps");
	add_rate(t, rates, "rx_bps");
	add_rate(t, rates, "tx_bps");
	table_cell(t, "%s", text_format_number((double)view_sum(drops), NULL, buf, sizeof(buf)));
	print_state_note(t, port);
	if (dropping > 0)
		table_note(t, "dropping %s; see: vswitchctl drops %s",
				text_format_number(dropping, "fps", buf, sizeof(buf)),
				view_text(port, "name"));
}

/* The port of that name in a list; NULL: there is none, and err names the nearest. */
static json_t *
find_port(const json_t *ports, const char *name, char *err, size_t err_size)
{
	struct nearest near;
	json_t *port;
	size_t i;

	nearest_init(&near, name);
	json_array_foreach (ports, i, port) {
		if (strcmp(view_text(port, "name"), name) == 0)
			return port;
		nearest_offer(&near, view_text(port, "name"));
	}
	(void)view_no_port(&near, err, err_size);
	return NULL;
}

int
status_select(const struct invocation *call, json_t *result, char *err, size_t err_size)
{
	json_t *selected, *port;
	size_t i;

	if (call->word_count == 0)
		return 0;
	selected = json_array();
	for (i = 0; i < call->word_count; i++) {
		port = find_port(json_object_get(result, "ports"), call->words[i], err, err_size);
		if (port == NULL) {
			json_decref(selected);
			return -ENOENT;
		}
		json_array_append(selected, port);
	}
	return json_object_set_new(result, "ports", selected) == 0 ? 0 : -ENOMEM;
}

int
print_status(FILE *out, const struct invocation *call, const json_t *result)
{
	static const struct table_column columns[] = { { "PORT", false }, { "STATE", false },
		{ "PEER", false }, { "RX f/s", true }, { "TX f/s", true }, { "RX b/s", true },
		{ "TX b/s", true }, { "DROPS", true } };
	const json_t *ports = json_object_get(result, "ports"), *port;
	struct table t;
	size_t i;

	(void)call;
	print_identity(out, result);
	print_resources(out, result);
	print_workers(out, json_object_get(result, "workers"));
	print_flapping(out, json_object_get(json_object_get(result, "fdb"), "flapping"));
	fputc('\n', out);
	if (json_array_size(ports) == 0) {
		fprintf(out, "no ports; try: vswitchctl add-port NAME\n");
		return 0;
	}
	table_init(&t, columns, PRINT_COUNT(columns));
	json_array_foreach (ports, i, port)
		add_port_row(&t, port);
	return table_print(&t, out, 0);
}

int
print_settings(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *value;
	const char *key;
	char buf[256];

	(void)call;
	json_object_foreach ((json_t *)result, key, value)
		fprintf(out, "%s %s\n", key, view_value(value, buf, sizeof(buf)));
	return 0;
}

int
print_saved_config(FILE *out, const struct invocation *call, const json_t *result)
{
	json_t *warning;
	size_t i;

	(void)call;
	fprintf(out, "configuration saved in %s\n", view_text(result, "file"));
	json_array_foreach (json_object_get(result, "warnings"), i, warning)
		fprintf(out, "warning: %s\n", json_string_value(warning));
	return 0;
}

int
print_log_level(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "log level %s\n", view_text(result, "level"));
	return 0;
}

/* An OpenRPC document as one line a method: optional parameters in brackets. */
int
print_methods(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *method, *params, *param;
	size_t i, j;

	(void)call;
	json_array_foreach (json_object_get(result, "methods"), i, method) {
		fprintf(out, "%s", view_text(method, "name"));
		params = json_object_get(method, "params");
		json_array_foreach (params, j, param)
			fprintf(out, view_true(param, "required") ? " %s" : " [%s]",
					view_text(param, "name"));
		fputc('\n', out);
		options_print_wrapped(out, 0, 4, view_text(method, "summary"));
	}
	return 0;
}
