/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of methods as an OpenRPC 1.2.6 document (https://spec.open-rpc.org). Control thread;
 * pure but for discover(), which answers with it, a method a row.
 */
#include "rpc_discover.h"

#include <errno.h>
#include <stdlib.h>

#include "options/port_options.h"
#include "rpc_tables.h"
#include "event_kinds.h"
#include "rpc_params.h"
#include "jsonrpc/json_schema.h"

#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"

static json_t *
type_schema(const struct rpc_param *param)
{
	switch (param->type) {
	case RPC_NAME:
		return json_schema_pattern(NAME_PATTERN);
	case RPC_WORD:
		return json_schema_words(param->words);
	case RPC_WORDS:
		return json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items",
				json_schema_words(param->words));
	case RPC_PATH:
		return json_schema_pattern("^/");
	case RPC_MAC:
		return json_schema_pattern(JSON_SCHEMA_MAC);
	case RPC_INTEGER:
		return json_schema_range(param->min, param->max);
	case RPC_VLAN:
		return json_schema_range(0, 0);
	case RPC_BOOL:
		return json_schema_type("boolean");
	}
	return NULL;
}

json_t *
rpc_discover_schema(const struct rpc_param *param)
{
	json_t *schema = type_schema(param);

	if (param->default_text != NULL)
		json_object_set_new(schema, "default",
				json_loads(param->default_text, JSON_DECODE_ANY, NULL));
	return schema;
}

static json_t *
describe_param(const char *name, const char *help, bool required, json_t *schema)
{
	return json_pack("{s:s, s:s, s:b, s:o}", "name", name, "summary", help, "required",
			required, "schema", schema);
}

static json_t *
describe_params(const struct rpc_method *method)
{
	json_t *list = json_array();
	const struct rpc_param *param;
	size_t i;

	for (i = 0; i < method->n_params; i++) {
		param = &method->params[i];
		json_array_append_new(list,
				describe_param(param->name, param->help, param->required,
						rpc_discover_schema(param)));
	}
	for (i = 0; i < port_options_count; i++)
		if (rpc_params_has_option(method, &port_options[i]))
			json_array_append_new(list,
					describe_param(port_options[i].key, port_options[i].help,
							false,
							port_option_schema(&port_options[i])));
	return list;
}

static json_t *
describe_method(const struct rpc_method *method)
{
	json_t *result = json_pack("{s:s, s:s, s:o}", "name", "result", "summary",
			method->result.meaning, "schema", report_schema(&method->result));

	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", method->name, "summary",
			method->summary, "paramStructure", "by-name", "params",
			describe_params(method), "result", result);
}

size_t
rpc_discover_objects(const struct report_object *list[RPC_DISCOVER_OBJECTS_MAX])
{
	const struct rpc_method *method;
	size_t i, n = 0;

	for (i = 0; (method = rpc_method_at(i)) != NULL; i++)
		n = report_collect(&method->result, list, n, RPC_DISCOVER_OBJECTS_MAX);
	return n;
}

static json_t *
get_info(const void *subject)
{
	(void)subject;
	return json_pack("{s:s, s:s}", "title", "vswitchd", "version", VSWITCH_VERSION);
}

static json_t *
get_components(const void *subject)
{
	const struct report_object *list[RPC_DISCOVER_OBJECTS_MAX];
	size_t i, n = rpc_discover_objects(list);
	json_t *schemas = json_object();

	(void)subject;
	for (i = 0; i < n; i++)
		json_object_set_new(schemas, list[i]->name, report_object_schema(list[i]));
	return json_pack("{s:o}", "schemas", schemas);
}

static json_t *
get_events(const void *subject)
{
	json_t *list = json_array();
	size_t i;

	(void)subject;
	for (i = 0; i < EVENT_KINDS; i++)
		json_array_append_new(list,
				json_pack("{s:s, s:s, s:o}", "name", event_infos[i].name, "summary",
						event_infos[i].meaning, "schema",
						report_object_schema(&event_infos[i].params)));
	return list;
}

static json_t *
get_version(const void *subject)
{
	(void)subject;
	return json_string("1.2.6");
}

/* clang-format off */
static const struct report_field document_fields[] = {
	{ REPORT_GET("openrpc", REPORT_TEXT, get_version), .meaning = "version of OpenRPC" },
	{ REPORT_GET("info", REPORT_OBJECT, get_info), .meaning = "what this is" },
	{ REPORT_GET("components", REPORT_OBJECT, get_components),
	  .meaning = "JSON schemas of the objects that results hold" },
	{ REPORT_GET("x-events", REPORT_OBJECT, get_events), .shape = REPORT_LIST,
	  .meaning = "the events, each with a schema of its `params`" },
	{ REPORT_ROWS("methods", NULL), .shape = REPORT_LIST,
	  .meaning = "the methods, each with its parameters and its result" },
};
/* clang-format on */

static const struct report_object document_object = { REPORT_FIELDS(document_fields) };

json_t *
rpc_discover_document(void)
{
	json_t *document = report_make(&document_object, NULL), *methods = json_array();
	const struct rpc_method *method;
	size_t i;

	for (i = 0; (method = rpc_method_at(i)) != NULL; i++)
		json_array_append_new(methods, describe_method(method));
	json_object_set_new(document, report_rows(&document_object)->name, methods);
	return document;
}

int
rpc_discover_print(FILE *out)
{
	json_t *document = rpc_discover_document();
	int ret = json_dumpf(document, out, JSON_INDENT(2));

	json_decref(document);
	return ret == 0 && fputc('\n', out) != EOF && fflush(out) == 0 ? 0 : -EIO;
}

struct method_rows {
	struct rpc_rows rows;
	size_t next;
};

static int
next_method(struct rpc_rows *rows, const char **name, json_t **row)
{
	struct method_rows *methods = (struct method_rows *)rows;

	const struct rpc_method *method = rpc_method_at(methods->next);

	(void)name;
	if (method == NULL)
		return 0;
	methods->next++;
	*row = describe_method(method);
	return *row != NULL ? 1 : -ENOMEM;
}

static void
release(struct rpc_rows *rows)
{
	free(rows);
}

/* A row for each method. NULL: no memory. */
static struct rpc_rows *
describe_methods(void)
{
	struct method_rows *methods = calloc(1, sizeof(*methods));

	if (methods == NULL)
		return NULL;
	methods->rows = (struct rpc_rows){ .next = next_method,
		.release = release,
		.rest = report_make(&document_object, NULL),
		.key = report_rows(&document_object)->name };
	return &methods->rows;
}

static void
discover(struct rpc_call *call, const json_t *params)
{
	(void)params;
	rpc_reply_rows(call, describe_methods());
}

/* clang-format off */
static const struct rpc_method methods[] = {
	{ .name = "rpc.discover", .command = "discover", .run = discover,
	  .only_tells = true,
	  .summary = "Describes all methods.",
	  RPC_RESULT(&document_object, "an OpenRPC document") },
};
/* clang-format on */

const struct rpc_table rpc_discover_methods = RPC_TABLE(methods);
