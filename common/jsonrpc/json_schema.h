/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pieces of JSON Schema that options, parameters and answers have in common. Each is a new reference; NULL:
 * no memory. Any thread.
 */
#ifndef COMMON_JSON_SCHEMA_H
#define COMMON_JSON_SCHEMA_H

#include <jansson.h>

#define JSON_SCHEMA_MAC "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"

/* Any value of a type: "integer", "string", ... */
json_t *json_schema_type(const char *type);

/* A whole number. */
json_t *json_schema_range(json_int_t min, json_int_t max);

/* A string that a regular expression matches. */
json_t *json_schema_pattern(const char *pattern);

/* One of a list of words (text/words.h). */
json_t *json_schema_words(const char *words);

#endif
