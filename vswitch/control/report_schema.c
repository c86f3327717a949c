/* SPDX-License-Identifier: BSD-3-Clause */
/* See report.h: JSON schemas of what answers hold. */
#include "report.h"

#include <string.h>

#include "options/port_options.h"
#include "jsonrpc/json_schema.h"

static json_t *
object_reference(const struct report_object *object)
{
	return json_pack("{s:s+}", "$ref", "#/components/schemas/", object->name);
}

/* Of one of them, where there may be several. */
static json_t *
one_schema(const struct report_field *field)
{
	switch (field->type) {
	case REPORT_TEXT:
		return field->words != NULL ? json_schema_words(field->words)
					    : json_schema_type("string");
	case REPORT_INTEGER:
		return json_schema_type("integer");
	case REPORT_NUMBER:
		return json_schema_type("number");
	case REPORT_BOOL:
		return json_schema_type("boolean");
	case REPORT_OBJECT:
	case REPORT_OPTIONS:
		break;
	}
	if (field->object == NULL)
		return json_schema_type("object");
	if (field->object->name == NULL)
		return report_object_schema(field->object);
	return object_reference(field->object);
}

json_t *
report_schema(const struct report_field *field)
{
	json_t *schema = one_schema(field);

	if (field->shape == REPORT_LIST)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	else if (field->shape == REPORT_MAP)
		schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema);
	if (field->nullable)
		schema = json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
	if (field->meaning != NULL && json_object_get(schema, "$ref") == NULL)
		json_object_set_new(schema, "description", json_string(field->meaning));
	return schema;
}

/* Options that are told of some ports alone are not required. */
static void
add_options(json_t *properties, json_t *required)
{
	const struct port_option *option;
	json_t *schema;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		option = &port_options[i];
		schema = port_option_told_schema(option);
		json_object_set_new(schema, "description", json_string(option->help));
		json_object_set_new(properties, option->key, schema);
		if (port_option_is_always_told(option))
			json_array_append_new(required, json_string(option->key));
	}
}

static void
add_fields(const struct report_object *object, json_t *properties, json_t *required)
{
	const struct report_field *field;
	size_t i;

	for (i = 0; i < object->n; i++) {
		field = &object->fields[i];
		if (field->type == REPORT_OPTIONS) {
			add_options(properties, required);
			continue;
		}
		json_object_set_new(properties, field->name, report_schema(field));
		if (field->has == NULL)
			json_array_append_new(required, json_string(field->name));
	}
}

json_t *
report_object_schema(const struct report_object *object)
{
	json_t *properties = json_object(), *required = json_array(), *own;

	add_fields(object, properties, required);
	own = json_pack("{s:s, s:o, s:o}", "type", "object", "properties", properties, "required",
			required);
	if (object->base == NULL)
		return own;
	return json_pack("{s:[o, o]}", "allOf", object_reference(object->base), own);
}
