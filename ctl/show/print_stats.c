/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters, see print.h. */
#include "print.h"

#include <inttypes.h>
#include <string.h>

#include "options/options.h"
#include "view.h"

#define COUNTER_WIDTH 22

static void
add_stats_row(struct table *t, const char *name, const json_t *stats)
{
	static const char *const keys[] = { "rx_frames", "rx_bytes", "tx_frames", "tx_bytes" };
	size_t i;

	table_cell(t, "%s", name);
	for (i = 0; i < PRINT_COUNT(keys); i++)
		table_cell(t, "%" PRId64, view_integer(stats, keys[i]));
	table_cell(t, "%" PRId64, view_sum(json_object_get(stats, "drops")));
}

static int
print_all_stats(FILE *out, const json_t *ports)
{
	static const struct table_column columns[] = { { "PORT", false }, { "RX FRAMES", true },
		{ "RX BYTES", true }, { "TX FRAMES", true }, { "TX BYTES", true },
		{ "DROPS", true } };
	const json_t *stats;
	const char *name;
	struct table t;

	table_init(&t, columns, PRINT_COUNT(columns));
	json_object_foreach ((json_t *)ports, name, stats)
		add_stats_row(&t, name, stats);
	return table_print(&t, out, 0);
}

/* Every counter of one port, a line each, so that a script can pick one; no zeros of rare work. */
static void
print_port_stats(FILE *out, const json_t *stats)
{
	const json_t *value, *part;
	const char *key, *name;

	json_object_foreach ((json_t *)stats, key, value) {
		if (json_is_integer(value))
			fprintf(out, "%-*s %20" JSON_INTEGER_FORMAT "\n", COUNTER_WIDTH, key,
					json_integer_value(value));
		json_object_foreach ((json_t *)value, name, part)
			if (strcmp(key, "drops") == 0 || json_integer_value(part) != 0)
				fprintf(out, "%s %-*s %20" JSON_INTEGER_FORMAT "\n", key,
						(int)(COUNTER_WIDTH - 1 - strlen(key)), name,
						json_integer_value(part));
	}
}

int
print_stats(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *ports = json_object_get(result, "ports");

	if (call->word_count == 1) {
		print_port_stats(out, json_object_get(ports, call->words[0]));
		return 0;
	}
	if (json_object_size(ports) == 0) {
		fprintf(out, "no ports; try: vswitchctl add-port NAME\n");
		return 0;
	}
	return print_all_stats(out, ports);
}

int
print_cleared(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *names = json_object_get(result, "cleared"), *name;
	size_t i;

	(void)call;
	fputs("cleared:", out);
	json_array_foreach (names, i, name)
		fprintf(out, " %s", json_is_string(name) ? json_string_value(name) : "-");
	fputs(json_array_size(names) > 0 ? "\n" : " nothing\n", out);
	return 0;
}

/* A table of reasons: where its counters are in a port's, and what is said of whose they are. */
struct reasons {
	const char *list, *counters, *whose;
};

static const struct reasons own_reasons = { "reasons", "drops", "" };
static const struct reasons device_reasons = { "device_reasons", "device_drops",
	" (the device's own count, not the switch's)" };

static int64_t
dropped(const json_t *stats, const struct reasons *reasons, const char *reason)
{
	return view_integer(json_object_get(stats, reasons->counters), reason);
}

/* "ring-full  12: p0 10, p1 2", then what it means and what to do. */
static void
print_reason(FILE *out, const struct reasons *reasons, const json_t *ports, const json_t *reason,
		int64_t sum)
{
	const char *name = view_text(reason, "name"), *port, *separator = ":";
	const json_t *stats;

	fprintf(out, "%-16s %" PRId64, name, sum);
	json_object_foreach ((json_t *)ports, port, stats) {
		if (dropped(stats, reasons, name) == 0 || json_object_size(ports) == 1)
			continue;
		fprintf(out, "%s %s %" PRId64, separator, port, dropped(stats, reasons, name));
		separator = ",";
	}
	fprintf(out, "%s\n", reasons->whose);
	options_print_wrapped(out, 0, 4, view_text(reason, "meaning"));
	options_print_wrapped(out, 0, 4, view_text(reason, "remedy"));
}

/* Some port counts it. */
static bool
is_counted(const json_t *ports, const struct reasons *reasons, const char *name)
{
	const json_t *stats;
	const char *port;

	json_object_foreach ((json_t *)ports, port, stats)
		if (json_object_get(json_object_get(stats, reasons->counters), name) != NULL)
			return true;
	return false;
}

/* Those that occurred, or all that are counted. True: there were any. */
static bool
print_reasons(FILE *out, const struct reasons *reasons, const json_t *result, bool all)
{
	const json_t *ports = json_object_get(result, "ports"), *reason, *stats;
	const char *port, *name;
	bool any = false;
	int64_t sum;
	size_t i;

	json_array_foreach (json_object_get(result, reasons->list), i, reason) {
		name = view_text(reason, "name");
		sum = 0;
		json_object_foreach ((json_t *)ports, port, stats)
			sum += dropped(stats, reasons, name);
		if (sum == 0 && !(all && is_counted(ports, reasons, name)))
			continue;
		print_reason(out, reasons, ports, reason, sum);
		any = true;
	}
	return any;
}

/* Reasons that occurred; of a port that was named, all of them. */
int
print_drops(FILE *out, const struct invocation *call, const json_t *result)
{
	bool any = print_reasons(out, &own_reasons, result, call->word_count > 0);

	any |= print_reasons(out, &device_reasons, result, call->word_count > 0);
	if (!any)
		fputs("nothing was dropped\n", out);
	return 0;
}
