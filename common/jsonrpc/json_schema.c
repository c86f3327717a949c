/* SPDX-License-Identifier: BSD-3-Clause */
/* See json_schema.h. */
#include "json_schema.h"

#include "text/words.h"

json_t *
json_schema_type(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

json_t *
json_schema_range(json_int_t min, json_int_t max)
{
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", min, "maximum", max);
}

json_t *
json_schema_pattern(const char *pattern)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static void
append_word(const char *word, void *list)
{
	json_array_append_new(list, json_string(word));
}

json_t *
json_schema_words(const char *words)
{
	json_t *list = json_array();

	words_for_each(words, append_word, list);
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}
