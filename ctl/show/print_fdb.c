/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of MAC addresses, see print.h. */
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text/text.h"
#include "view.h"

/* By port, then address: the order of the hash table tells nobody anything. */
static int
compare(const void *a, const void *b)
{
	const json_t *entry_a = *(json_t *const *)a, *entry_b = *(json_t *const *)b;
	int order = strcmp(view_text(entry_a, "port"), view_text(entry_b, "port"));

	if (order == 0)
		order = strcmp(view_text(entry_a, "mac"), view_text(entry_b, "mac"));
	return order;
}

static void
add_entry(struct table *t, const json_t *entry)
{
	const json_t *age = json_object_get(entry, "age_s");
	char buf[32];

	table_cell(t, "%s", view_text(entry, "mac"));
	table_cell(t, "%" PRId64, view_integer(entry, "vlan"));
	table_cell(t, "%s", view_text(entry, "port"));
	table_cell(t, "%s", view_text(entry, "type"));
	if (json_is_number(age))
		table_cell(t, "%s", text_format_duration(json_number_value(age), buf, sizeof(buf)));
	else
		table_cell(t, "-");
}

static int
print_entries(FILE *out, const json_t *entries)
{
	static const struct table_column columns[] = { { "MAC", false }, { "VLAN", true },
		{ "PORT", false }, { "TYPE", false }, { "AGE", true } };
	size_t count = json_array_size(entries), i;
	const json_t **sorted;
	struct table t;

	sorted = calloc(count, sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		sorted[i] = json_array_get(entries, i);
	qsort(sorted, count, sizeof(*sorted), compare);
	table_init(&t, columns, PRINT_COUNT(columns));
	for (i = 0; i < count; i++)
		add_entry(&t, sorted[i]);
	free(sorted);
	return table_print(&t, out, 0);
}

int
print_fdb(FILE *out, const struct invocation *call, const json_t *result)
{
	const json_t *entries = json_object_get(result, "entries");
	int ret = 0;

	(void)call;
	if (json_array_size(entries) > 0)
		ret = print_entries(out, entries);
	fprintf(out, "%" PRId64 " of %" PRId64 " addresses\n", view_integer(result, "count"),
			view_integer(result, "max"));
	return ret;
}

int
print_added_entry(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "%s vlan %" PRId64 " is at %s, %s\n", view_text(result, "mac"),
			view_integer(result, "vlan"), view_text(result, "port"),
			view_text(result, "type"));
	return 0;
}

int
print_deleted_entry(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "%" PRId64 " deleted\n", view_integer(result, "deleted"));
	return 0;
}

int
print_flushed(FILE *out, const struct invocation *call, const json_t *result)
{
	(void)call;
	fprintf(out, "%" PRId64 " flushed\n", view_integer(result, "flushed"));
	return 0;
}
