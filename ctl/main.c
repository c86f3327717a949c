/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vswitchctl: one command, one request to the switch, one answer for a person or, with --json, for
 * a program. This file reads the command line and runs the command; commands.c holds the table.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "last_words.h"
#include "nearest.h"
#include "options.h"
#include "output.h"
#include "paths.h"
#include "port_options.h"
#include "rpc.h"
#include "view.h"

#define ERR_SIZE 1024
#define JSON_INDENTATION 2

static int fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int
fail(int status, const char *format, ...)
{
	va_list args;

	fputs("vswitchctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

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

static int
unknown_command(const char *name)
{
	struct nearest near;
	char hint[64];
	size_t i;

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

/* Every option that the command takes; free() it. NULL: no memory. */
static struct option_spec *
collect_specs(const struct command *command, size_t *count)
{
	size_t ports = command->takes_port_options ? port_options_count : 0;
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
	if (command->takes_port_options && strchr(extra, '=') != NULL)
		return options_usage_error(
				program, "'%s' is out of place; write: --%s", extra, extra);
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
		ret = paths_socket_dir(dir_option, dir, err, err_size);
		if (ret != 0)
			return ret;
	}
	return paths_control(control, dir, path, err, err_size);
}

static int
print_for_people(const struct command *command, const struct invocation *call, json_t *result)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret;

	if (out == NULL)
		return -ENOMEM;
	view_clean(result);
	ret = command->print(out, call, result);
	if (fclose(out) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret == 0)
		ret = output_write(text, len);
	free(text);
	return ret;
}

static int
report_refusal(const struct rpc_reply *reply)
{
	json_t *message = json_object_get(reply->message, "error");

	view_clean(message);
	/* the switch may have said so itself */
	if (reply->nearest != NULL && strstr(reply->refusal, "did you mean") == NULL)
		return fail(STATUS_REFUSED, "%s; did you mean %s?", reply->refusal, reply->nearest);
	return fail(STATUS_REFUSED, "%s", reply->refusal);
}

static int
handle_reply(struct rpc *rpc, const struct command *command, const struct invocation *call,
		const struct rpc_reply *reply)
{
	bool as_json = options_given(call->options, "json") || command->print == NULL;

	if (reply->refusal != NULL)
		return report_refusal(reply);
	if (command->follow != NULL &&
			(command->follow_option == NULL ||
					options_given(call->options, command->follow_option)))
		return command->follow(rpc, call);
	if (as_json)
		return output_status(output_json(reply->result, JSON_INDENTATION));
	return output_status(print_for_people(command, call, reply->result));
}

static int
make_request(const char *path, const struct command *command, const struct invocation *call,
		json_t *params)
{
	const char *method = command->method != NULL ? command->method : call->words[0];
	struct rpc_reply reply;
	char err[ERR_SIZE];
	struct rpc rpc;
	int ret, status;

	ret = rpc_open(&rpc, path, err, sizeof(err));
	if (ret != 0) {
		json_decref(params);
		return fail(STATUS_NO_SWITCH, "%s", err);
	}
	rpc.show_wire = options_given(call->options, "verbose");
	ret = rpc_call(&rpc, method, params, &reply, err, sizeof(err));
	if (ret == 0) {
		status = handle_reply(&rpc, command, call, &reply);
		json_decref(reply.message);
	} else {
		status = fail(ret == -EMSGSIZE ? STATUS_USAGE : STATUS_NO_SWITCH, "%s", err);
	}
	rpc_close(&rpc);
	return status;
}

/* Everything that can be wrong with the words is found before the switch is asked. */
static int
run_words(const struct options_program *program, const struct command *command,
		const struct invocation *call)
{
	char path[PATHS_SIZE], err[ERR_SIZE];
	json_t *params = json_object();
	int status;

	status = check_words(program, command, call);
	if (status != STATUS_DONE)
		goto done;
	if (options_given(call->options, "control") && options_given(call->options, "socket-dir")) {
		status = options_usage_error(
				program, "--control and --socket-dir exclude each other");
		goto done;
	}
	if (find_control(call->options, path, err, sizeof(err)) != 0 ||
			(command->build != NULL &&
					command->build(call, &params, err, sizeof(err)) != 0)) {
		status = options_usage_error(program, "%s", err);
		goto done;
	}
	return make_request(path, command, call, params);
done:
	json_decref(params);
	return status;
}

static int
run_parsed(const struct options_program *program, const struct command *command,
		const struct options *o)
{
	const struct invocation call = {
		.options = o, .words = o->words + 1, .word_count = o->word_count - 1
	};

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
		return fail(STATUS_REFUSED, "out of memory");
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

int
main(int argc, char *argv[])
{
	const char *name = find_command_word(argc, argv);
	const struct command *command;

	last_words_open("vswitchctl", NULL);
	signal(SIGPIPE, SIG_IGN);
	if (name == NULL)
		return without_command(argc, argv);
	command = find_command(name);
	if (command == NULL)
		return unknown_command(name);
	return run_command(command, argc, argv);
}
