/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a command asks the switch, and what becomes of the answer. main.c calls it once the words
 * are known to be right.
 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include <stddef.h>

#include <jansson.h>

#include "commands/command.h"

/*
 * The parameters of each request, in an array that the caller releases: one request, or one for
 * each name of a command that takes several. 0, or -errno with what was wrong with the words.
 */
int request_build(const struct command *command, const struct invocation *call, json_t **params,
		char *err, size_t err_size);

/*
 * Makes the requests on the control socket at path and prints the answers, or why there are none.
 * params: of request_build(). Returns the exit status. Of several names all are tried, and the
 * status is that of the first that failed.
 */
enum status request_run(const char *path, const struct command *command,
		const struct invocation *call, const json_t *params);

#endif
