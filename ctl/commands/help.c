/* SPDX-License-Identifier: BSD-3-Clause */
/* See help.h. */
#include "help.h"

#include <stdlib.h>

#include "options/port_options.h"

#define COMMAND_COLUMN 35
#define KEY_COLUMN 22

void
help_print(FILE *out, const struct options_program *program)
{
	struct options_verb verb;
	size_t i;

	fprintf(out, "Usage: %s %s\n\n", program->name, program->usage);
	options_print_wrapped(out, 0, 0, program->summary);
	fputs("\nCommands:\n", out);
	for (i = 0; i < commands_count; i++) {
		verb = (struct options_verb){ commands[i].name, commands[i].words,
			commands[i].help };
		options_print_verb(out, &verb, COMMAND_COLUMN);
	}
	options_print_list(out, "Options", program->specs, program->spec_count);
	fputs("\n'vswitchctl COMMAND --help' tells more about a command.\n"
	      "Exit status: 0 done, 1 refused by the switch, 2 wrong usage, 3 no switch.\n",
			out);
}

void
help_port_specs(struct option_spec *specs)
{
	size_t i;

	for (i = 0; i < port_options_count; i++)
		specs[i] = (struct option_spec){
			.name = port_options[i].key,
			.type = OPTION_TEXT,
			.arg = port_options[i].arg,
			.default_text = port_options[i].default_text,
			.help = port_options[i].help,
		};
}

/* The number of options from `first` on that the same kinds of port have. */
static size_t
count_group(size_t first)
{
	size_t i = first;

	while (i < port_options_count && port_options[i].kinds == port_options[first].kinds)
		i++;
	return i - first;
}

/* "Options of kernel and ethdev ports" */
static void
name_group(const char *what, unsigned int kinds, char *title, size_t size)
{
	char list[PORT_KINDS_TEXT_SIZE];

	if (kinds == PORT_KIND_ALL)
		snprintf(title, size, "%s of every port", what);
	else
		snprintf(title, size, "%s of %s ports", what, port_kinds_list(kinds, list));
}

static void
print_port_options(FILE *out)
{
	struct option_spec *specs = calloc(port_options_count, sizeof(*specs));
	char title[PORT_KINDS_TEXT_SIZE + 32];
	size_t i, n;

	if (specs == NULL)
		return;
	help_port_specs(specs);
	for (i = 0; i < port_options_count; i += n) {
		n = count_group(i);
		name_group("Options", port_options[i].kinds, title, sizeof(title));
		options_print_list(out, title, specs + i, n);
	}
	free(specs);
}

static void
print_key(FILE *out, const struct port_option *option)
{
	int length = fprintf(out, "  %s=%s", option->key, option->arg);

	options_print_wrapped(out, length > 0 ? (size_t)length : 0, KEY_COLUMN, option->help);
}

/* What set-port can change. */
static void
print_keys(FILE *out)
{
	char title[PORT_KINDS_TEXT_SIZE + 32];
	unsigned int kinds = 0;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		if (port_options[i].add_only)
			continue;
		if (port_options[i].kinds != kinds) {
			kinds = port_options[i].kinds;
			name_group("Keys", kinds, title, sizeof(title));
			fprintf(out, "\n%s:\n", title);
		}
		print_key(out, &port_options[i]);
	}
}

void
help_print_command(FILE *out, const struct command *command, const struct options_program *globals)
{
	fprintf(out, "Usage: %s %s%s%s [OPTIONS]\n\n%s: %s.\n", globals->name, command->name,
			command->words != NULL ? " " : "",
			command->words != NULL ? command->words : "", command->name, command->help);
	if (command->detail != NULL)
		options_print_wrapped(out, 0, 0, command->detail);
	if (command->option_count > 0)
		options_print_list(out, "Options of the command", command->options,
				command->option_count);
	if (command->takes_port_options)
		print_port_options(out);
	if (command->takes_port_keys)
		print_keys(out);
	options_print_list(out, "Options of every command", globals->specs, globals->spec_count);
}
