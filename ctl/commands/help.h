/* SPDX-License-Identifier: BSD-3-Clause */
/* --help of vswitchctl and of its commands, out of their tables. Called by main.c. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "command.h"
#include "options/options.h"

/* vswitchctl --help: every command in a line. */
void help_print(FILE *out, const struct options_program *program);

/* vswitchctl COMMAND --help. globals: the options that every command has. */
void
help_print_command(FILE *out, const struct command *command, const struct options_program *globals);

/*
 * The options of port options' keys, as add-port takes them: port_options_count of them are written
 * to specs.
 */
void help_port_specs(struct option_spec *specs);

#endif
