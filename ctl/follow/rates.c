/* SPDX-License-Identifier: BSD-3-Clause */
/* See rates.h. */
#include "rates.h"

#include <string.h>

#include "show/print.h"
#include "show/table.h"
#include "text/text.h"
#include "show/view.h"

enum counter {
	RX_FRAMES,
	RX_BYTES,
	TX_FRAMES,
	TX_BYTES,
	DROPS,
	COUNTERS
};

static const struct {
	const char *rate; /* its name in the result */
	double unit;	  /* factor from the counter's unit to the rate's: 8 bits a byte */
} rates[COUNTERS] = {
	[RX_FRAMES] = { "rx_fps", 1 },
	[RX_BYTES] = { "rx_bps", 8 },
	[TX_FRAMES] = { "tx_fps", 1 },
	[TX_BYTES] = { "tx_bps", 8 },
	[DROPS] = { "drop_fps", 1 },
};

static void
read_counters(const json_t *stats, int64_t counters[COUNTERS])
{
	counters[RX_FRAMES] = view_integer(stats, "rx_frames");
	counters[RX_BYTES] = view_integer(stats, "rx_bytes");
	counters[TX_FRAMES] = view_integer(stats, "tx_frames");
	counters[TX_BYTES] = view_integer(stats, "tx_bytes");
	counters[DROPS] = view_sum(json_object_get(stats, "drops"));
}

/* False when the counters were cleared in between. They are cleared together, so one that fell is enough. */
static bool
went_on(const int64_t before[COUNTERS], const int64_t after[COUNTERS])
{
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		if (after[i] < before[i])
			return false;
	return true;
}

static json_t *
rates_of_port(const json_t *earlier, const json_t *later, double seconds)
{
	int64_t before[COUNTERS], after[COUNTERS];
	json_t *result = json_object();
	bool known;
	int failed = 0;
	size_t i;

	read_counters(earlier, before);
	read_counters(later, after);
	known = earlier != NULL && seconds > 0 && went_on(before, after);
	for (i = 0; i < COUNTERS; i++)
		failed |= json_object_set_new(result, rates[i].rate,
				known ? json_real((double)(after[i] - before[i]) * rates[i].unit /
							seconds)
				      : json_null());
	if (failed == 0)
		return result;
	json_decref(result);
	return NULL;
}

static bool
is_wanted(const char *name, const char *const *names, size_t name_count)
{
	size_t i;

	for (i = 0; i < name_count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return name_count == 0;
}

json_t *
rates_between(const json_t *earlier, const json_t *later, double seconds, const char *const *names,
		size_t name_count)
{
	json_t *result = json_object();
	const json_t *stats;
	const char *name;

	json_object_foreach ((json_t *)later, name, stats) {
		if (!is_wanted(name, names, name_count))
			continue;
		if (json_object_set_new(result, name,
				    rates_of_port(json_object_get(earlier, name), stats,
						    seconds)) != 0) {
			json_decref(result);
			return NULL;
		}
	}
	return result;
}

static void
add_cell(struct table *t, const json_t *rate)
{
	char text[32];

	table_cell(t, "%s",
			json_is_number(rate) ? text_format_number(json_number_value(rate), NULL,
							       text, sizeof(text))
					     : "-");
}

int
rates_print(FILE *out, const json_t *ports)
{
	static const struct table_column columns[] = { { "PORT", false }, { "RX FRAMES/S", true },
		{ "RX BITS/S", true }, { "TX FRAMES/S", true }, { "TX BITS/S", true },
		{ "DROPS/S", true } };
	const json_t *port;
	const char *name;
	struct table t;
	size_t i;

	if (json_object_size(ports) == 0) {
		fputs("no ports\n", out);
		return 0;
	}
	table_init(&t, columns, PRINT_COUNT(columns));
	json_object_foreach ((json_t *)ports, name, port) {
		table_cell(&t, "%s", name);
		for (i = 0; i < COUNTERS; i++)
			add_cell(&t, json_object_get(port, rates[i].rate));
	}
	return table_print(&t, out, 0);
}
