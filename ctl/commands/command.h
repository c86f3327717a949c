/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A subcommand of vswitchctl, and what it is called with.
 *
 * commands.c holds the table; main.c looks a command up, reads its words, sends its one request and
 * prints the result. A new command is a line in the table, a builder of parameters and a printer.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "options/options.h"

/* Exit statuses; scripts rely on them. */
enum status {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* the switch refused, or the result could not be written */
	STATUS_USAGE = OPTIONS_STATUS_USAGE,
	STATUS_NO_SWITCH = 3, /* no switch answered */
};

/* How a command was called. */
struct invocation {
	const struct options *options; /* of the command and of vswitchctl */
	const char *const *words;      /* after the command's name, without the settings */
	size_t word_count;
	const char *const *settings; /* "KEY=VALUE", where the command takes port options or keys */
	size_t setting_count;
};

/* What several names in the place of one mean. */
enum several {
	ONE_NAME,	/* a mistake, or the command reads its words itself */
	NAMES_EACH,	/* a request and an answer for each */
	NAMES_TOGETHER, /* a request for each, whose answers are printed as one */
};

struct rpc;

struct command {
	const char *name;
	const char *words; /* after the name, for help: "NAME KEY=VALUE..." */
	size_t min_words, max_words;
	const char *help;		   /* one phrase for the list of commands */
	const char *detail;		   /* sentences for the command's own help; NULL: none */
	const struct option_spec *options; /* besides those of vswitchctl and of ports */
	size_t option_count;
	bool takes_port_keys;	 /* every settable port option as KEY=VALUE, for help */
	bool takes_port_options; /* every port option as --key VALUE */
	enum several several;
	const char *method; /* NULL: the first word names it */

	/*
	 * Fills in the parameters: *params is an empty object, which may be replaced. 0, or -EINVAL
	 * with what was wrong with the words. NULL: no parameters.
	 */
	int (*build)(const struct invocation *call, json_t **params, char *err, size_t err_size);

	/*
	 * Leaves of the result what was asked for, where the method gives more. 0, or -errno with
	 * what was wrong with the words. NULL: all of it.
	 */
	int (*select)(const struct invocation *call, json_t *result, char *err, size_t err_size);

	/* Prints the result for a person. 0 or -ENOMEM. NULL: as JSON. */
	int (*print)(FILE *out, const struct invocation *call, const json_t *result);

	/* What goes on after the first reply; returns a status. NULL: nothing. */
	int (*follow)(struct rpc *rpc, const struct invocation *call);
	const char *follow_option; /* only with this option it goes on; NULL: always */

	/*
	 * For the shell's completion, how each word is completed, the last one also those after it:
	 * "port", "key" (of a port), "file", "-" (not), or choices such as "error|info"; separated
	 * by blanks. NULL: no words, or new ones.
	 */
	const char *completion;
};

/* The name, the options that every command has, the summary. */
extern const struct options_program command_program;

extern const struct command commands[];
extern const size_t commands_count;

#endif
