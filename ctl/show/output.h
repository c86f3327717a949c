/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standard output, written in whole answers that were built in memory, so that a full disk or a
 * reader who left is noticed and told apart.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <stddef.h>

#include <jansson.h>

#include "commands/command.h"

/* Writes all of it. 0, -EPIPE: the reader has gone, or -errno. */
int output_write(const char *text, size_t len);

/* The exit status for what output_write returned; says on stderr what went wrong, if anything. */
enum status output_status(int ret);

/* Says on stderr what went wrong, in a line of vswitchctl's. Returns status. */
enum status
output_fail(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a value as JSON, indented or on one line. 0 or -errno. */
int output_json(const json_t *value, size_t indent);

#endif
