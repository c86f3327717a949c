/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the words of a command to the parameters of its request, one builder a command: struct
 * command.build in command.h says what they take and return.
 */
#ifndef CTL_PARAMS_H
#define CTL_PARAMS_H

#include <stddef.h>

#include <jansson.h>

#include "command.h"

/* The first word, if any, as "name". */
int params_name(const struct invocation *call, json_t **params, char *err, size_t err_size);
/* The name of one port; with --watch nothing, since then all are asked for. */
int params_stats(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_add_port(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_del_port(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_set_port(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_list_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_add_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_del_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_flush_fdb(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_set_switch(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_save_config(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_log_level(const struct invocation *call, json_t **params, char *err, size_t err_size);
int params_events(const struct invocation *call, json_t **params, char *err, size_t err_size);
/* The second word as JSON. */
int params_call(const struct invocation *call, json_t **params, char *err, size_t err_size);

#endif
