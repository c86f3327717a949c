/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the client has to say at the end: one JSON object with --json, else lines for a person. The
 * same code of a role fills both, so that they cannot differ.
 *
 * Standard output belongs to the report (and to ping's lines, where there is no --json); messages
 * and progress go to the standard error. Main thread.
 */
#ifndef CLIENT_REPORT_H
#define CLIENT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct report;

/* NULL: no memory. */
struct report *report_create(const char *role, bool json);

/* The object, for a role that has more to tell than single values. */
json_t *report_json(struct report *r);

/* Whether the output is JSON, so that nothing else may be printed. */
bool report_is_json(const struct report *r);

/* One value each, in JSON only. Without memory it is missing, and report_finish says so. */
void report_integer(struct report *r, const char *key, uint64_t value);
void report_real(struct report *r, const char *key, double value);
void report_bool(struct report *r, const char *key, bool value);
void report_text(struct report *r, const char *key, const char *value);

/* A line for a person now; nothing with --json. Where nobody reads any more, it asks to stop. */
void
report_line(const struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What went wrong: to the standard error at once, and "error" of the object. */
void report_error(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the object with the exit status, and frees r. The status, or another if that failed. */
int report_finish(struct report *r, int status);

#endif
