/* SPDX-License-Identifier: BSD-3-Clause */
/* What a frontend has told the switch: features, memory and rings; see print.h. */
#include "print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "view.h"

/* Strings of an array, separated by blanks; free() it. NULL: no memory. */
static char *
join(const json_t *strings)
{
	const json_t *string;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	json_array_foreach (strings, i, string)
		fprintf(out, "%s%s", i > 0 ? " " : "",
				json_is_string(string) ? json_string_value(string) : "-");
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int
print_features(FILE *out, const json_t *session)
{
	char *features = join(json_object_get(session, "features"));
	char *protocol = join(json_object_get(session, "protocol_features"));
	int ret = features != NULL && protocol != NULL ? 0 : -ENOMEM;

	if (ret == 0) {
		print_field(out, "features", "%s %s", view_text(session, "features_hex"), features);
		print_field(out, "protocol", "%s", protocol[0] != '\0' ? protocol : "no features");
	}
	free(features);
	free(protocol);
	return ret;
}

/* An address: an integer, or hexadecimal text where 64 bits do not fit into JSON's integers. */
static void
add_address(struct table *t, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_integer(value))
		table_cell(t, "0x%" PRIx64, (uint64_t)json_integer_value(value));
	else
		table_cell(t, "%s", view_text(object, key));
}

static int
print_memory(FILE *out, const json_t *session)
{
	static const struct table_column columns[] = { { "GUEST ADDRESS", true }, { "SIZE", true },
		{ "USER ADDRESS", true }, { "OFFSET", true } };
	const json_t *regions = json_object_get(session, "memory"), *region;
	struct table t;
	size_t i;

	print_field(out, "memory", "%zu of %" PRId64 " regions", json_array_size(regions),
			view_integer(session, "memory_regions_max"));
	if (json_array_size(regions) == 0)
		return 0;
	table_init(&t, columns, PRINT_COUNT(columns));
	json_array_foreach (regions, i, region) {
		add_address(&t, region, "guest_phys_addr");
		add_address(&t, region, "size");
		add_address(&t, region, "userspace_addr");
		add_address(&t, region, "mmap_offset");
	}
	return table_print(&t, out, 2);
}

static void
add_yes(struct table *t, const json_t *object, const char *key)
{
	table_cell(t, "%s", view_true(object, key) ? "yes" : "no");
}

static int
print_vrings(FILE *out, const json_t *session)
{
	static const struct table_column columns[] = { { "VRING", true }, { "ROLE", false },
		{ "SIZE", true }, { "ENABLED", false }, { "RUNNING", false }, { "KICK", false },
		{ "CALL", false }, { "AVAIL", true }, { "USED", true } };
	const json_t *vrings = json_object_get(session, "vrings"), *vring;
	struct table t;
	size_t i;

	if (json_array_size(vrings) == 0)
		return 0;
	table_init(&t, columns, PRINT_COUNT(columns));
	json_array_foreach (vrings, i, vring) {
		table_cell(&t, "%" PRId64, view_integer(vring, "index"));
		table_cell(&t, "%s", view_text(vring, "role"));
		table_cell(&t, "%" PRId64, view_integer(vring, "size"));
		add_yes(&t, vring, "enabled");
		add_yes(&t, vring, "running");
		add_yes(&t, vring, "has_kick");
		add_yes(&t, vring, "has_call");
		table_cell(&t, "%" PRId64, view_integer(vring, "avail_idx"));
		table_cell(&t, "%" PRId64, view_integer(vring, "used_idx"));
	}
	fputs("vrings\n", out);
	return table_print(&t, out, 2);
}

int
print_session(FILE *out, const json_t *session)
{
	int ret;

	if (!json_is_object(session))
		return 0;
	ret = print_features(out, session);
	if (ret == 0)
		ret = print_memory(out, session);
	if (ret == 0)
		ret = print_vrings(out, session);
	return ret;
}
