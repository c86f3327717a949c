/* SPDX-License-Identifier: BSD-3-Clause */
/* See help.h. */
#include "help.h"

#include <stdlib.h>

#include "port_options.h"

#define COMMAND_COLUMN 30
#define KEY_COLUMN 18

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

/* What set-port can change. */
static void
print_keys(FILE *out)
{
	size_t i;
	int length;

	fputs("\nKeys:\n", out);
	for (i = 0; i < port_options_count; i++) {
		if (port_options[i].add_only)
			continue;
		length = fprintf(out, "  %s=%s", port_options[i].key, port_options[i].arg);
		options_print_wrapped(out, length > 0 ? (size_t)length : 0, KEY_COLUMN,
				port_options[i].help);
	}
}

void
help_print_command(FILE *out, const struct command *command, const struct options_program *globals)
{
	struct option_spec *port_specs = calloc(port_options_count, sizeof(*port_specs));

	fprintf(out, "Usage: %s %s%s%s [OPTIONS]\n\n%s: %s.\n", globals->name, command->name,
			command->words != NULL ? " " : "",
			command->words != NULL ? command->words : "", command->name, command->help);
	if (command->detail != NULL)
		options_print_wrapped(out, 0, 0, command->detail);
	if (command->option_count > 0)
		options_print_list(out, "Options of the command", command->options,
				command->option_count);
	if (command->takes_port_options && port_specs != NULL) {
		help_port_specs(port_specs);
		options_print_list(out, "Options of the port", port_specs, port_options_count);
	}
	if (command->takes_port_keys)
		print_keys(out);
	options_print_list(out, "Options of every command", globals->specs, globals->spec_count);
	free(port_specs);
}
