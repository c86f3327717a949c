/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's report at the end: one JSON object with --json, otherwise lines for a person. The same code
 * of a role fills both, so that they cannot differ.
 *
 * Standard output is for the report, and without --json for ping's lines. Messages and progress go to the
 * standard error. Main thread.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct report;

/* NULL: no memory. */
struct report *report_create(const char *role, bool json);

/* The JSON object, for a role that adds more than single values. */
json_t *report_json(struct report *r);

/* True with --json: nothing but the object may then be printed to the standard output. */
bool report_is_json(const struct report *r);

/* Add a value to the JSON object. Without memory it is missing, and report_finish() says so. */
void report_integer(struct report *r, const char *key, uint64_t value);
void report_real(struct report *r, const char *key, double value);
void report_bool(struct report *r, const char *key, bool value);
void report_text(struct report *r, const char *key, const char *value);

/* Prints a line for a person at once; nothing with --json. If the output fails, asks to stop. */
void
report_line(const struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reports a failure: to the standard error at once, and as "error" in the JSON object. */
void report_error(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the object with the exit status, and frees r. Returns the status, or another if printing failed. */
int report_finish(struct report *r, int status);

#endif
