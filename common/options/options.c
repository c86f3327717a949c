/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See options.h; help is printed by options_help.c.
 *
 * The parser is our own and not getopt_long, which accepts abbreviations, keeps its state in
 * globals (vswitchctl parses twice, with two tables) and words its own errors.
 */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text/nearest.h"
#include "text/text.h"
#include "text/words.h"

/* A walk over the command line. */
struct walk {
	const struct options_program *program;
	int argc;
	char *const *argv;
	int next; /* argument to look at */
	struct options *o;
	char *err;
	size_t err_size;
};

static const struct option_spec *
find_name(const struct options_program *program, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < program->spec_count; i++)
		if (strncmp(program->specs[i].name, name, length) == 0 &&
				program->specs[i].name[length] == '\0')
			return &program->specs[i];
	return NULL;
}

static const struct option_spec *
find_letter(const struct options_program *program, char letter)
{
	size_t i;

	for (i = 0; i < program->spec_count; i++)
		if (letter != '\0' && program->specs[i].letter == letter)
			return &program->specs[i];
	return NULL;
}

/* argument: with its dashes and, perhaps, a value. */
static int
unknown(const struct walk *w, const char *argument)
{
	size_t length = strcspn(argument, "=");
	char *name = strndup(argument, length);
	struct nearest near;
	size_t i;

	if (name == NULL)
		return text_fail(w->err, w->err_size, -ENOMEM, "out of memory");
	nearest_init(&near, name + strspn(name, "-"));
	for (i = 0; i < w->program->spec_count && near.word[0] != '\0'; i++)
		nearest_offer(&near, w->program->specs[i].name);
	if (near.best != NULL)
		text_fail(w->err, w->err_size, 0, "unknown option %s; did you mean --%s?", name,
				near.best);
	else
		text_fail(w->err, w->err_size, 0, "unknown option %s", name);
	free(name);
	return -EINVAL;
}

static int
check_choice(const struct option_spec *spec, const char *text, char *err, size_t err_size)
{
	char hint[80];

	if (words_index(spec->choices, text) >= 0)
		return 0;
	return text_fail(err, err_size, -EINVAL, "'%s' is none of %s%s", text, spec->choices,
			nearest_choice_hint(spec->choices, text, hint, sizeof(hint)));
}

static int
check_value(struct option_value *value, char *err, size_t err_size)
{
	const struct option_spec *spec = value->spec;
	int64_t max = spec->min == 0 && spec->max == 0 ? INT64_MAX : spec->max;
	bool on = false;
	int ret;

	switch (spec->type) {
	case OPTION_INTEGER:
		return text_parse_integer(
				value->text, spec->min, max, &value->integer, err, err_size);
	case OPTION_NUMBER:
		return text_parse_number(value->text, (double)spec->min, (double)max,
				&value->number, err, err_size);
	case OPTION_BOOL:
		ret = text_parse_bool(value->text, &on, err, err_size);
		value->integer = on;
		return ret;
	case OPTION_CHOICE:
		return check_choice(spec, value->text, err, err_size);
	case OPTION_TEXT:
		if (value->text[0] != '\0')
			return 0;
		return text_fail(err, err_size, -EINVAL, "the value is empty");
	case OPTION_FLAG:
		break;
	}
	return 0;
}

static int
add_value(struct walk *w, const struct option_spec *spec, const char *text)
{
	struct option_value *value = &w->o->values[w->o->value_count];
	char why[256];
	int ret;

	*value = (struct option_value){ .spec = spec, .text = text };
	ret = check_value(value, why, sizeof(why));
	if (ret != 0)
		return text_fail(w->err, w->err_size, ret, "--%s: %s", spec->name, why);
	w->o->value_count++;
	return 0;
}

/* The value is the next argument, unless that is an option itself: then the value was forgotten. */
static int
add_next_as_value(struct walk *w, const struct option_spec *spec)
{
	const char *next = w->next < w->argc ? w->argv[w->next] : NULL;
	bool is_option = next != NULL && next[0] == '-' &&
			((next[1] == '-' &&
					 find_name(w->program, next + 2, strcspn(next + 2, "="))) ||
					find_letter(w->program, next[1]) != NULL ||
					strcmp(next, "--") == 0);

	if (next == NULL || is_option)
		return text_fail(w->err, w->err_size, -EINVAL, "--%s needs a value: --%s %s",
				spec->name, spec->name, spec->arg);
	w->next++;
	return add_value(w, spec, next);
}

static int
parse_long(struct walk *w, const char *argument)
{
	const char *equals = strchr(argument, '=');
	size_t length = strcspn(argument + 2, "=");
	const struct option_spec *spec = find_name(w->program, argument + 2, length);

	if (spec == NULL)
		return unknown(w, argument);
	if (spec->type == OPTION_FLAG && equals != NULL)
		return text_fail(w->err, w->err_size, -EINVAL, "--%s takes no value", spec->name);
	if (spec->type == OPTION_FLAG)
		return add_value(w, spec, NULL);
	if (equals != NULL)
		return add_value(w, spec, equals + 1);
	return add_next_as_value(w, spec);
}

/* -x, -xyz (flags), -xVALUE, -x VALUE. */
static int
parse_short(struct walk *w, const char *argument)
{
	const struct option_spec *spec;
	const char *letter;
	int ret = 0;

	for (letter = argument + 1; *letter != '\0' && ret == 0; letter++) {
		spec = find_letter(w->program, *letter);
		if (spec == NULL)
			return unknown(w, argument);
		if (spec->type != OPTION_FLAG)
			return letter[1] != '\0' ? add_value(w, spec, letter + 1)
						 : add_next_as_value(w, spec);
		ret = add_value(w, spec, NULL);
	}
	return ret;
}

/* What follows "--": kept apart, or words like others. */
static void
take_rest(struct walk *w)
{
	w->o->rest = w->argv + w->next;
	w->o->rest_count = (size_t)(w->argc - w->next);
	if (w->program->has_rest)
		return;
	while (w->next < w->argc)
		w->o->words[w->o->word_count++] = w->argv[w->next++];
	w->o->rest_count = 0;
}

static int
walk_arguments(struct walk *w)
{
	const char *argument;
	int ret = 0;

	while (ret == 0 && w->next < w->argc) {
		argument = w->argv[w->next++];
		if (strcmp(argument, "--") == 0) {
			take_rest(w);
			return 0;
		}
		if (argument[0] != '-' || argument[1] == '\0')
			w->o->words[w->o->word_count++] = argument;
		else if (argument[1] == '-')
			ret = parse_long(w, argument);
		else
			ret = parse_short(w, argument);
	}
	return ret;
}

/* Every character may be a flag, and every argument a word: room for all, once. */
static int
make_room(struct options *o, int argc, char *const argv[])
{
	size_t values = 1;
	int i;

	for (i = 1; i < argc; i++)
		values += strlen(argv[i]);
	*o = (struct options){ 0 };
	o->values = calloc(values, sizeof(*o->values));
	o->words = calloc((size_t)(argc > 0 ? argc : 1), sizeof(*o->words));
	if (o->values != NULL && o->words != NULL)
		return 0;
	options_release(o);
	return -ENOMEM;
}

int
options_parse(const struct options_program *program, int argc, char *const argv[],
		struct options *o, char *err, size_t err_size)
{
	struct walk w = { program, argc, argv, 1, NULL, err, err_size };
	int ret;

	if (make_room(o, argc, argv) != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	w.o = o;
	ret = walk_arguments(&w);
	if (ret != 0)
		options_release(o);
	return ret;
}

void
options_release(struct options *o)
{
	free(o->values);
	free(o->words);
	*o = (struct options){ 0 };
}

int
options_usage_error(const struct options_program *program, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry '%s --help'.\n", program->name);
	return OPTIONS_STATUS_USAGE;
}

int
options_printed(const struct options_program *program)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	fprintf(stderr, "%s: cannot write to standard output: %s\n", program->name,
			strerror(errno));
	return 1;
}

int
options_open(const struct options_program *program, int argc, char *const argv[], struct options *o)
{
	char err[512];
	int ret;

	if (options_parse(program, argc, argv, o, err, sizeof(err)) != 0)
		return options_usage_error(program, "%s", err);
	if (options_given(o, "help")) {
		options_print_help(stdout, program);
		ret = options_printed(program);
	} else if (options_given(o, "version")) {
		printf("%s %s\n", program->name, VSWITCH_VERSION);
		ret = options_printed(program);
	} else {
		return OPTIONS_GO_ON;
	}
	options_release(o);
	return ret;
}

const struct option_value *
options_next(const struct options *o, const char *name, size_t *position)
{
	const struct option_value *value;

	while (*position < o->value_count) {
		value = &o->values[(*position)++];
		if (strcmp(value->spec->name, name) == 0)
			return value;
	}
	return NULL;
}

const struct option_value *
options_find(const struct options *o, const char *name)
{
	const struct option_value *value, *last = NULL;
	size_t position = 0;

	while ((value = options_next(o, name, &position)) != NULL)
		last = value;
	return last;
}

bool
options_given(const struct options *o, const char *name)
{
	return options_find(o, name) != NULL;
}

const char *
options_text(const struct options *o, const char *name, const char *otherwise)
{
	const struct option_value *value = options_find(o, name);

	return value != NULL ? value->text : otherwise;
}

int64_t
options_integer(const struct options *o, const char *name, int64_t otherwise)
{
	const struct option_value *value = options_find(o, name);

	return value != NULL ? value->integer : otherwise;
}

double
options_number(const struct options *o, const char *name, double otherwise)
{
	const struct option_value *value = options_find(o, name);

	return value != NULL ? value->number : otherwise;
}
