/* SPDX-License-Identifier: BSD-3-Clause */
/* The help of one role: what it does and its options. For settings_open(). */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

/* The role whose help is asked for; ROLE_COUNT: no help is, or that of all roles. */
static size_t
role_in_need(int argc, char *argv[])
{
	size_t role = ROLE_COUNT;
	struct options o;
	char err[512];

	if (options_parse(&settings_program, argc, argv, &o, err, sizeof(err)) != 0)
		return ROLE_COUNT;
	if (options_given(&o, "help") && o.word_count > 0)
		role = settings_find_role(o.words[0]);
	options_release(&o);
	return role;
}

int
settings_help_of_role(int argc, char *argv[])
{
	struct options_program program = settings_program;
	size_t role = role_in_need(argc, argv), i, count = 0;
	struct option_spec *specs;

	if (role == ROLE_COUNT)
		return OPTIONS_GO_ON;
	specs = calloc(program.spec_count, sizeof(*specs));
	if (specs == NULL)
		return OPTIONS_GO_ON; /* the help of all roles is better than no help */
	for (i = 0; i < program.spec_count; i++)
		if (settings_role_takes((enum role_id)role, program.specs[i].name))
			specs[count++] = program.specs[i];
	program.specs = specs;
	program.spec_count = count;
	program.verbs_title = "Role";
	program.verbs = &settings_program.verbs[role];
	program.verb_count = 1;
	options_print_help(stdout, &program);
	free(specs);
	return options_printed(&settings_program);
}
