/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns a command into requests to the switch, and prints the results. main.c calls it after it has
 * checked the command line.
 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include <stddef.h>

#include <jansson.h>

#include "commands/command.h"

/*
 * Makes an array, which the caller releases, of the parameters of each request: one request, or one for
 * each name if the command takes several. 0, or -errno with what is wrong with the command line in err.
 */
int request_build(const struct command *command, const struct invocation *call, json_t **params,
		char *err, size_t err_size);

/*
 * Makes the requests on the control socket at path and prints the results, or why there are none. params:
 * from request_build(). Returns the exit status. With several names all are tried, and the status is that
 * of the first that failed.
 */
enum status request_run(const char *path, const struct command *command,
		const struct invocation *call, const json_t *params);

#endif
