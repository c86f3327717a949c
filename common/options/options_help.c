/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of --help, see options.h: one column of options, one of what they do, 80 columns. */
#include "options.h"

#include <string.h>

#define COLUMNS 80
#define HELP_COLUMN_MAX 28 /* longer options have their help on the next line */

void
options_print_wrapped(FILE *out, size_t column, size_t indent, const char *text)
{
	bool at_start = true;
	size_t length;

	while (*text != '\0') {
		if (*text == '\n' || *text == ' ') {
			if (*text == '\n') {
				fputc('\n', out);
				column = 0;
				at_start = true;
			}
			text++;
			continue;
		}
		length = strcspn(text, " \n");
		if (!at_start && column + 1 + length > COLUMNS) {
			fputc('\n', out);
			column = 0;
			at_start = true;
		}
		if (column < indent && at_start)
			column += (size_t)fprintf(out, "%*s", (int)(indent - column), "");
		column += (size_t)fprintf(out, "%s%.*s", at_start ? "" : " ", (int)length, text);
		at_start = false;
		text += length;
	}
	fputc('\n', out);
}

/* "  -x, --name ARG"; returns its length. */
static int
format_left(const struct option_spec *spec, char *buf, size_t size)
{
	char letter[8] = "    ";

	if (spec->letter != '\0')
		snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
	return snprintf(buf, size, "  %s--%s%s%s", letter, spec->name, spec->arg != NULL ? " " : "",
			spec->arg != NULL ? spec->arg : "");
}

static size_t
help_column(const struct option_spec *specs, size_t count)
{
	char left[128];
	size_t i, length, column = 0;

	for (i = 0; i < count; i++) {
		length = (size_t)format_left(&specs[i], left, sizeof(left)) + 2;
		if (length > column && length <= HELP_COLUMN_MAX)
			column = length;
	}
	return column > 0 ? column : HELP_COLUMN_MAX;
}

static void
print_spec(FILE *out, const struct option_spec *spec, size_t column)
{
	char left[128], help[512];
	size_t length = (size_t)format_left(spec, left, sizeof(left));

	if (spec->default_text != NULL)
		snprintf(help, sizeof(help), "%s (default: %s)", spec->help, spec->default_text);
	else
		snprintf(help, sizeof(help), "%s", spec->help);
	fputs(left, out);
	if (length + 2 > column) {
		fputc('\n', out);
		length = 0;
	}
	options_print_wrapped(out, length, column, help);
}

void
options_print_list(FILE *out, const char *title, const struct option_spec *specs, size_t count)
{
	size_t column = help_column(specs, count), i;

	fprintf(out, "\n%s:\n", title);
	for (i = 0; i < count; i++)
		print_spec(out, &specs[i], column);
}

void
options_print_verb(FILE *out, const struct options_verb *verb, size_t column)
{
	int length = fprintf(out, "  %s%s%s", verb->name, verb->words != NULL ? " " : "",
			verb->words != NULL ? verb->words : "");

	options_print_wrapped(out, length > 0 ? (size_t)length : 0, column, verb->help);
}

static void
print_verbs(FILE *out, const struct options_program *program)
{
	size_t column = 0, length, i;

	for (i = 0; i < program->verb_count; i++) {
		length = strlen(program->verbs[i].name) + 4;
		if (program->verbs[i].words != NULL)
			length += strlen(program->verbs[i].words) + 1;
		if (length > column)
			column = length;
	}
	fprintf(out, "\n%s:\n", program->verbs_title);
	for (i = 0; i < program->verb_count; i++)
		options_print_verb(out, &program->verbs[i], column);
}

void
options_print_help(FILE *out, const struct options_program *program)
{
	fprintf(out, "Usage: %s %s\n\n", program->name, program->usage);
	options_print_wrapped(out, 0, 0, program->summary);
	if (program->verb_count > 0)
		print_verbs(out, program);
	options_print_list(out, "Options", program->specs, program->spec_count);
	if (program->epilog != NULL) {
		fputc('\n', out);
		options_print_wrapped(out, 0, 0, program->epilog);
	}
}
