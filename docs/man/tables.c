/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prints the tables of options and verbs of a program as JSON: `option-tables vswitchctl`.
 *
 * Run at build time; man_page.py and completion.py make the manual pages and the completion of bash
 * out of it, and tests compare all of them with --help. Never installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../../client/settings/settings.h"
#include "../../ctl/commands/command.h"
#include "../../ctl/commands/help.h"
#include "../../vswitch/program/daemon_options.h"
#include "options/options.h"
#include "options/port_options.h"

static json_t *
describe_option(const struct option_spec *spec)
{
	const char letter[] = { spec->letter, '\0' };
	const char *choices = spec->type == OPTION_BOOL ? "on|off" : spec->choices;

	return json_pack("{s:s, s:s*, s:b, s:s*, s:s*, s:s*, s:s}", "name", spec->name, "letter",
			spec->letter != '\0' ? letter : NULL, "flag", spec->type == OPTION_FLAG,
			"arg", spec->arg, "choices", choices, "default", spec->default_text, "help",
			spec->help);
}

static void
append_options(json_t *list, const struct option_spec *specs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(list, describe_option(&specs[i]));
}

/* Which ports have an option is told only where not all have it. */
static void
add_kinds(json_t *object, const struct port_option *option)
{
	char text[PORT_KINDS_TEXT_SIZE];

	if (option->kinds != PORT_KIND_ALL)
		json_object_set_new(
				object, "kinds", json_string(port_kinds_list(option->kinds, text)));
}

static void
append_port_options(json_t *list)
{
	struct option_spec *specs = calloc(port_options_count, sizeof(*specs));
	json_t *option;
	size_t i;

	if (specs == NULL)
		return;
	help_port_specs(specs);
	for (i = 0; i < port_options_count; i++) {
		option = describe_option(&specs[i]);
		add_kinds(option, &port_options[i]);
		json_array_append_new(list, option);
	}
	free(specs);
}

/* What set-port can change: KEY=VALUE. */
static json_t *
describe_keys(void)
{
	json_t *keys = json_array(), *key;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		if (port_options[i].add_only)
			continue;
		key = json_pack("{s:s, s:s, s:s}", "name", port_options[i].key, "arg",
				port_options[i].arg, "help", port_options[i].help);
		add_kinds(key, &port_options[i]);
		json_array_append_new(keys, key);
	}
	return keys;
}

static json_t *
describe_command(const struct command *command)
{
	json_t *options = json_array();

	append_options(options, command->options, command->option_count);
	if (command->takes_port_options)
		append_port_options(options);
	return json_pack("{s:s, s:s*, s:s, s:s*, s:s*, s:o, s:o}", "name", command->name, "words",
			command->words, "help", command->help, "detail", command->detail,
			"completion", command->completion, "options", options, "keys",
			command->takes_port_keys ? describe_keys() : json_array());
}

/* Roles have no options besides the program's, but each takes only some of these. */
static json_t *
describe_role(const struct options_verb *verb, enum role_id role)
{
	json_t *refuses = json_array();
	const char *option;
	size_t i;

	for (i = 0; i < settings_program.spec_count; i++) {
		option = settings_program.specs[i].name;
		if (!settings_role_takes(role, option))
			json_array_append_new(refuses, json_string(option));
	}
	return json_pack("{s:s, s:s*, s:s, s:[], s:[], s:o}", "name", verb->name, "words",
			verb->words, "help", verb->help, "options", "keys", "refuses", refuses);
}

static json_t *
describe(const struct options_program *program)
{
	json_t *options = json_array();

	append_options(options, program->specs, program->spec_count);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:[]}", "name", program->name, "usage",
			program->usage, "summary", program->summary, "version", VSWITCH_VERSION,
			"options", options, "verbs");
}

static json_t *
describe_vswitchctl(void)
{
	json_t *tables = describe(&command_program);
	size_t i;

	for (i = 0; i < commands_count; i++)
		json_array_append_new(
				json_object_get(tables, "verbs"), describe_command(&commands[i]));
	return tables;
}

static json_t *
describe_vuser_client(void)
{
	json_t *tables = describe(&settings_program);
	size_t i;

	for (i = 0; i < settings_program.verb_count; i++)
		json_array_append_new(json_object_get(tables, "verbs"),
				describe_role(&settings_program.verbs[i], (enum role_id)i));
	return tables;
}

int
main(int argc, char *argv[])
{
	const char *name = argc == 2 ? argv[1] : "";
	json_t *tables = NULL;
	int status;

	if (strcmp(name, daemon_options_program.name) == 0)
		tables = describe(&daemon_options_program);
	else if (strcmp(name, command_program.name) == 0)
		tables = describe_vswitchctl();
	else if (strcmp(name, settings_program.name) == 0)
		tables = describe_vuser_client();
	if (tables == NULL) {
		fputs("usage: option-tables vswitchd|vswitchctl|vuser-client\n", stderr);
		return OPTIONS_STATUS_USAGE;
	}
	status = json_dumpf(tables, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF &&
					fflush(stdout) == 0
			? EXIT_SUCCESS
			: EXIT_FAILURE;
	json_decref(tables);
	return status;
}
