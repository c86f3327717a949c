/* SPDX-License-Identifier: BSD-3-Clause */
/* See report.h: answers out of their tables. */
#include "report.h"

#include "jsonrpc/jsonrpc.h"

static json_t *
text_value(const char *text, bool nullable)
{
	return nullable && (text == NULL || text[0] == '\0') ? json_null() : jsonrpc_text(text);
}

static json_t *
integer_value(uint64_t value, bool nullable)
{
	return nullable && value == 0 ? json_null() : json_integer((json_int_t)value);
}

/* A value that lies in the subject. */
static json_t *
stored_value(const struct report_field *field, const void *place)
{
	switch (field->store) {
	case REPORT_IN_CHARS:
		return text_value(place, field->nullable);
	case REPORT_IN_POINTER:
		return text_value(*(const char *const *)place, field->nullable);
	case REPORT_IN_BOOL:
		return json_boolean(*(const bool *)place);
	case REPORT_IN_INT:
		return json_integer(*(const int *)place);
	case REPORT_IN_U16:
		return integer_value(*(const uint16_t *)place, field->nullable);
	case REPORT_IN_U32:
		return integer_value(*(const uint32_t *)place, field->nullable);
	case REPORT_IN_U64:
		return integer_value(*(const uint64_t *)place, field->nullable);
	case REPORT_IN_DOUBLE:
		return json_real(*(const double *)place);
	}
	return NULL;
}

static int
add_field(json_t *object, const struct report_field *field, const void *subject)
{
	if (field->rows || (field->has != NULL && !field->has(subject)))
		return 0;
	if (field->add != NULL)
		return field->add(object, subject);
	return json_object_set_new(object, field->name,
			field->get != NULL
					? field->get(subject)
					: stored_value(field,
							  (const char *)subject + field->offset));
}

json_t *
report_make(const struct report_object *object, const void *subject)
{
	json_t *made = object->base != NULL ? report_make(object->base, subject) : json_object();
	int failed = 0;
	size_t i;

	for (i = 0; i < object->n; i++)
		failed |= add_field(made, &object->fields[i], subject);
	if (failed == 0)
		return made;
	json_decref(made);
	return NULL;
}

const struct report_field *
report_rows(const struct report_object *object)
{
	size_t i;

	for (i = 0; i < object->n; i++)
		if (object->fields[i].rows)
			return &object->fields[i];
	return NULL;
}

static size_t collect_object(const struct report_object *object, const struct report_object **list,
		size_t n, size_t max);

static size_t
collect_fields(const struct report_object *object, const struct report_object **list, size_t n,
		size_t max)
{
	size_t i;

	if (object->base != NULL)
		n = collect_object(object->base, list, n, max);
	for (i = 0; i < object->n; i++)
		n = report_collect(&object->fields[i], list, n, max);
	return n;
}

static size_t
collect_object(const struct report_object *object, const struct report_object **list, size_t n,
		size_t max)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] == object)
			return n;
	if (object->name != NULL && n < max)
		list[n++] = object;
	return collect_fields(object, list, n, max);
}

size_t
report_collect(const struct report_field *field, const struct report_object **list, size_t n,
		size_t max)
{
	return field->object != NULL ? collect_object(field->object, list, n, max) : n;
}
