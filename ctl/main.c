/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vswitchctl: one command, one request to the switch, one answer for a person or, with --json, for
 * a program. This file reads the command line and runs the command; commands.c holds the table.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/command.h"
#include "commands/help.h"
#include "system/last_words.h"
#include "text/nearest.h"
#include "options/options.h"
#include "show/output.h"
#include "system/paths.h"
#include "options/port_options.h"
#include "request/request.h"
#include "system/standard_fds.h"

#define ERR_SIZE 1024

static const struct option_spec *
find_spec(const struct option_spec *specs, size_t count, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(specs[i].name) == length && strncmp(specs[i].name, name, length) == 0)
			return &specs[i];
	return NULL;
}

/* Whether "--name" is followed by its value. -1: no command has such an option. */
static int
takes_value(const char *name)
{
	const struct option_spec *spec;
	size_t length = strlen(name), i;

	if (port_option_find(name) != NULL)
		return 1;
	spec = find_spec(command_program.specs, command_program.spec_count, name, length);
	for (i = 0; i < commands_count && spec == NULL; i++)
		spec = find_spec(commands[i].options, commands[i].option_count, name, length);
	if (spec == NULL)
		return -1;
	return spec->type != OPTION_FLAG;
}

/*
 * The word that names the command: the first that is neither an option nor the value of one. It is
 * needed before the options can be read, since each command has its own. NULL: there is none, or
 * an unknown option stands before it.
 */
static const char *
find_command_word(int argc, char *argv[])
{
	int i, takes;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			return argv[i];
		if (argv[i][1] != '-' || strchr(argv[i], '=') != NULL)
			continue;
		if (argv[i][2] == '\0')
			return i + 1 < argc ? argv[i + 1] : NULL;
		takes = takes_value(argv[i] + 2);
		if (takes < 0)
			return NULL;
		i += takes;
	}
	return NULL;
}

static const struct command *
find_command(const char *name)
{
	size_t i;

	for (i = 0; i < commands_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* What people type whose fingers know ovs-vsctl, ip or bridge. */
static const char *
find_habit(const char *name)
{
	static const struct {
		const char *word, *command;
	} habits[] = { { "show", "status" }, { "list-br", "status" }, { "br-exists", "status" },
		{ "add-br", "add-port" }, { "add", "add-port" }, { "new", "add-port" },
		{ "del", "del-port" }, { "delete", "del-port" }, { "remove", "del-port" },
		{ "rm", "del-port" }, { "del-br", "del-port" }, { "set", "set-port" },
		{ "list", "list-ports" }, { "ls", "list-ports" }, { "port", "list-ports" },
		{ "link", "list-ports" }, { "get", "show-port" }, { "mac", "fdb" },
		{ "neigh", "fdb" }, { "fdb/show", "fdb" }, { "dump-ports", "stats" },
		{ "counters", "stats" }, { "errors", "drops" }, { "watch", "stats --watch 1" },
		{ "events", "monitor" }, { "save", "save-config" } };
	size_t i;

	for (i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
		if (strcmp(habits[i].word, name) == 0)
			return habits[i].command;
	return NULL;
}

static int
unknown_command(const char *name)
{
	const char *habit = find_habit(name);
	struct nearest near;
	char hint[64];
	size_t i;

	if (habit != NULL)
		return options_usage_error(&command_program,
				"unknown command '%s'; here it is: %s %s", name,
				command_program.name, habit);
	nearest_init(&near, name);
	for (i = 0; i < commands_count; i++)
		nearest_offer(&near, commands[i].name);
	return options_usage_error(&command_program, "unknown command '%s'%s", name,
			nearest_hint(&near, hint, sizeof(hint)));
}

/* Help and version are asked for on standard output. */
static int
close_stdout(void)
{
	return output_status(fflush(stdout) == 0 ? 0 : -errno);
}

static int
print_version(void)
{
	printf("vswitchctl %s\n", VSWITCH_VERSION);
	return close_stdout();
}

static int
without_command(int argc, char *argv[])
{
	struct options o;
	char err[ERR_SIZE];
	bool help, version;

	if (options_parse(&command_program, argc, argv, &o, err, sizeof(err)) != 0)
		return options_usage_error(&command_program, "%s", err);
	help = options_given(&o, "help");
	version = options_given(&o, "version");
	options_release(&o);
	if (version)
		return print_version();
	if (!help)
		return options_usage_error(&command_program, "name a command, such as status");
	help_print(stdout, &command_program);
	return close_stdout();
}

/* Whether options of ports may be given, as --KEY VALUE and as KEY=VALUE. */
static bool
takes_settings(const struct command *command)
{
	return command->takes_port_options || command->takes_port_keys;
}

/* Every option that the command takes; free() it. NULL: no memory. */
static struct option_spec *
collect_specs(const struct command *command, size_t *count)
{
	size_t ports = takes_settings(command) ? port_options_count : 0;
	struct option_spec *specs;

	*count = command_program.spec_count + command->option_count + ports;
	specs = calloc(*count, sizeof(*specs));
	if (specs == NULL)
		return NULL;
	memcpy(specs, command_program.specs, command_program.spec_count * sizeof(*specs));
	if (command->option_count > 0)
		memcpy(specs + command_program.spec_count, command->options,
				command->option_count * sizeof(*specs));
	if (ports > 0)
		help_port_specs(specs + *count - ports);
	return specs;
}

/* Wrong numbers of words, told in the command's own terms. */
static int
check_words(const struct options_program *program, const struct command *command,
		const struct invocation *call)
{
	const char *extra;

	if (call->word_count < command->min_words)
		return options_usage_error(program, "words are missing; write: %s %s",
				program->name, command->words);
	if (call->word_count <= command->max_words)
		return STATUS_DONE;
	extra = call->words[command->max_words];
	if (command->takes_port_keys && port_option_find(extra) != NULL)
		return options_usage_error(
				program, "'%s' has no value; write: %s=VALUE", extra, extra);
	return options_usage_error(program, "'%s' is one word too many; write: %s%s%s", extra,
			program->name, command->words != NULL ? " " : "",
			command->words != NULL ? command->words : "");
}

static int
find_control(const struct options *o, char path[PATHS_SIZE], char *err, size_t err_size)
{
	const char *control = options_text(o, "control", NULL);
	const char *dir_option = options_text(o, "socket-dir", NULL);
	char dir[PATHS_SIZE] = "";
	int ret;

	if (control == NULL) {
		ret = paths_client_dir(dir_option, dir, err, err_size);
		if (ret != 0)
			return ret;
	}
	return paths_control(control, dir, path, err, err_size);
}

/* Everything that can be wrong with the words is found before the switch is asked. */
static int
run_words(const struct options_program *program, const struct command *command,
		const struct invocation *call)
{
	char path[PATHS_SIZE], err[ERR_SIZE];
	json_t *params;
	int status;

	status = check_words(program, command, call);
	if (status != STATUS_DONE)
		return status;
	if (options_given(call->options, "control") && options_given(call->options, "socket-dir"))
		return options_usage_error(
				program, "--control and --socket-dir exclude each other");
	if (find_control(call->options, path, err, sizeof(err)) != 0 ||
			request_build(command, call, &params, err, sizeof(err)) != 0)
		return options_usage_error(program, "%s", err);
	status = request_run(path, command, call, params);
	json_decref(params);
	return status;
}

/* Words of the form KEY=VALUE are settings of the port, wherever they stand; the others are names. */
static void
split_words(const struct command *command, const char **words, size_t count,
		struct invocation *call)
{
	const char *name;
	size_t i, j;

	call->words = words;
	call->word_count = 0;
	for (i = 0; i < count; i++) {
		if (takes_settings(command) && strchr(words[i], '=') != NULL)
			continue;
		name = words[i];
		/* the name moves to the front, and the settings keep their order */
		for (j = i; j > call->word_count; j--)
			words[j] = words[j - 1];
		words[call->word_count++] = name;
	}
	call->settings = words + call->word_count;
	call->setting_count = count - call->word_count;
}

static int
run_parsed(const struct options_program *program, const struct command *command,
		const struct options *o)
{
	struct invocation call = { .options = o };

	split_words(command, o->words + 1, o->word_count - 1, &call);
	if (options_given(o, "help")) {
		help_print_command(stdout, command, &command_program);
		return close_stdout();
	}
	if (options_given(o, "version"))
		return print_version();
	return run_words(program, command, &call);
}

static int
run_command(const struct command *command, int argc, char *argv[])
{
	struct options_program program = { 0 };
	struct option_spec *specs;
	char name[64], err[ERR_SIZE];
	struct options o;
	int status;

	specs = collect_specs(command, &program.spec_count);
	if (specs == NULL)
		return output_fail(STATUS_REFUSED, "out of memory");
	snprintf(name, sizeof(name), "%s %s", command_program.name, command->name);
	program.name = name;
	program.specs = specs;
	if (options_parse(&program, argc, argv, &o, err, sizeof(err)) == 0) {
		status = run_parsed(&program, command, &o);
		options_release(&o);
	} else {
		status = options_usage_error(&program, "%s", err);
	}
	free(specs);
	return status;
}

/* "help", or "help COMMAND", as many programs have it beside --help. word lies in argv. */
static int
run_help(char *argv[], const char *word)
{
	const struct command *command;
	const char *topic;

	while (*argv != word)
		argv++;
	topic = argv[1];
	if (topic == NULL) {
		help_print(stdout, &command_program);
		return close_stdout();
	}
	command = find_command(topic);
	if (command == NULL)
		return unknown_command(topic);
	help_print_command(stdout, command, &command_program);
	return close_stdout();
}

int
main(int argc, char *argv[])
{
	const char *name = find_command_word(argc, argv);
	const struct command *command;

	if (standard_fds_open() != 0)
		return STATUS_REFUSED; /* there is no place to say so */
	last_words_open("vswitchctl", NULL);
	signal(SIGPIPE, SIG_IGN);
	if (name == NULL)
		return without_command(argc, argv);
	if (strcmp(name, "help") == 0)
		return run_help(argv, name);
	command = find_command(name);
	if (command == NULL)
		return unknown_command(name);
	return run_command(command, argc, argv);
}
