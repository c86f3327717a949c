/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Printers of results, one a command: struct command.print in command.h says what they return.
 * print_switch.c, print_port.c, print_session.c, print_device.c,
 * print_stats.c, print_fdb.c; a line: print_field.c.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <stdio.h>

#include <jansson.h>

#include "commands/command.h"
#include "table.h"

#define PRINT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of the ports only those that were named; see struct command.select. */
int status_select(const struct invocation *call, json_t *result, char *err, size_t err_size);

int print_status(FILE *out, const struct invocation *call, const json_t *result);
int print_settings(FILE *out, const struct invocation *call, const json_t *result);
int print_saved_config(FILE *out, const struct invocation *call, const json_t *result);
int print_log_level(FILE *out, const struct invocation *call, const json_t *result);
int print_methods(FILE *out, const struct invocation *call, const json_t *result);

int print_added_port(FILE *out, const struct invocation *call, const json_t *result);
int print_deleted_port(FILE *out, const struct invocation *call, const json_t *result);
int print_set_port(FILE *out, const struct invocation *call, const json_t *result);
int print_ports(FILE *out, const struct invocation *call, const json_t *result);
int print_port(FILE *out, const struct invocation *call, const json_t *result);

int print_stats(FILE *out, const struct invocation *call, const json_t *result);
int print_cleared(FILE *out, const struct invocation *call, const json_t *result);
int print_drops(FILE *out, const struct invocation *call, const json_t *result);

int print_fdb(FILE *out, const struct invocation *call, const json_t *result);
int print_added_entry(FILE *out, const struct invocation *call, const json_t *result);
int print_deleted_entry(FILE *out, const struct invocation *call, const json_t *result);
int print_flushed(FILE *out, const struct invocation *call, const json_t *result);

/* The part of show-port about the frontend's session; session may be null. */
int print_session(FILE *out, const json_t *session);

/* The part of show-port about the interface or device. */
void print_device(FILE *out, const json_t *device);

/* An interface or device in a column, "vsw0 in blue (tap)". Returns buf. */
const char *print_device_name(const json_t *device, char *buf, size_t size);

/* A line "  LABEL  TEXT" of show-port, the text wrapped below itself. */
void print_field(FILE *out, const char *label, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Below the row of a port: its state in words where the word of the row leaves something open. */
void print_state_note(struct table *t, const json_t *port);

#endif
