/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters, see print.h. */
#include "print.h"

#include <inttypes.h>
#include <string.h>

#include "options.h"
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

static int64_t
dropped(const json_t *stats, const char *reason)
{
	return view_integer(json_object_get(stats, "drops"), reason);
}

/* "ring-full  12: p0 10, p1 2", then what it means and what to do. */
static void
print_reason(FILE *out, const json_t *ports, const json_t *reason, int64_t sum)
{
	const char *name = view_text(reason, "name"), *port, *separator = ":";
	const json_t *stats;

	fprintf(out, "%-16s %" PRId64, name, sum);
	json_object_foreach ((json_t *)ports, port, stats) {
		if (dropped(stats, name) == 0 || json_object_size(ports) == 1)
			continue;
		fprintf(out, "%s %s %" PRId64, separator, port, dropped(stats, name));
		separator = ",";
	}
	fputc('\n', out);
	options_print_wrapped(out, 0, 4, view_text(reason, "meaning"));
	options_print_wrapped(out, 0, 4, view_text(reason, "remedy"));
}

/* Reasons that occurred; of a port that was named, all of them. */
int
print_drops(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *ports = json_object_get(result, "ports"), *reason, *stats;
	bool any = false;
	const char *port;
	int64_t sum;
	size_t i;

	json_array_foreach (json_object_get(result, "reasons"), i, reason) {
		sum = 0;
		json_object_foreach ((json_t *)ports, port, stats)
			sum += dropped(stats, view_text(reason, "name"));
		if (sum == 0 && call->word_count == 0)
			continue;
		print_reason(out, ports, reason, sum);
		any = true;
	}
	if (!any)
		fputs("nothing was dropped\n", out);
	return 0;
}
