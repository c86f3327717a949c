/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines from one table: the table says what is accepted, prints --help, checks values and
 * names the nearest option when one is misspelt. The manual pages and the completion of the shell
 * are made from it, too (docs/man).
 *
 * vswitchd, vswitchctl and vuser-client use it once, at the start of main. Options may stand
 * before, between and after the other words: --name VALUE, --name=VALUE, -x VALUE, -xVALUE, and
 * flags -xyz together. Abbreviations are refused: they would change their meaning when an option
 * is added. "--" ends the options. Given twice, the last one counts, or all of them to a reader
 * that walks them with options_next. --help goes to stdout with status 0, wrong usage to stderr
 * with status 2.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTIONS_STATUS_USAGE 2 /* exit status of wrong usage */
#define OPTIONS_GO_ON (-1)     /* from options_open: run the program */

enum option_type {
	OPTION_FLAG,	/* takes no value */
	OPTION_TEXT,	/* any text that is not empty */
	OPTION_INTEGER, /* decimal, min to max */
	OPTION_NUMBER,	/* min to max, with k, M or G */
	OPTION_BOOL,	/* on or off */
	OPTION_CHOICE,	/* one of the words in choices */
};

struct option_spec {
	const char *name; /* without the dashes */
	char letter;	  /* short form, or 0 */
	enum option_type type;
	const char *arg;	  /* what the value is called in help; NULL for a flag */
	const char *choices;	  /* OPTION_CHOICE: "auto|on|off" */
	int64_t min, max;	  /* OPTION_INTEGER, OPTION_NUMBER; both 0: from 0 to INT64_MAX */
	const char *default_text; /* shown by help; NULL: none */
	const char *help;	  /* one phrase without a full stop */
};

/* What every program has. */
#define OPTIONS_HELP                                                                               \
	{                                                                                          \
		.name = "help", .letter = 'h', .help = "show this text"                            \
	}
#define OPTIONS_VERSION                                                                            \
	{                                                                                          \
		.name = "version", .letter = 'V', .help = "show the version"                       \
	}

/* A word that says what the program is to do: a role, a command. */
struct options_verb {
	const char *name;
	const char *words; /* after the name, for help: "ADDR"; NULL: none */
	const char *help;  /* one phrase without a full stop */
};

struct options_program {
	const char *name;    /* as in messages */
	const char *usage;   /* what follows the name on the usage line */
	const char *summary; /* a sentence or more: what the program does */
	const char *verbs_title;
	const struct options_verb *verbs; /* listed before the options; NULL: none */
	size_t verb_count;
	const struct option_spec *specs;
	size_t spec_count;
	bool has_rest;	    /* what follows "--" is kept apart, in options.rest */
	const char *epilog; /* printed after the options, wrapped; NULL: nothing */
};

/* One option as it was given. */
struct option_value {
	const struct option_spec *spec;
	const char *text; /* of the value, borrowed from argv; NULL for a flag */
	int64_t integer;  /* OPTION_INTEGER; OPTION_BOOL: 0 or 1 */
	double number;	  /* OPTION_NUMBER */
};

struct options {
	struct option_value *values; /* in the order given */
	size_t value_count;
	const char **words; /* what is not an option, in the order given */
	size_t word_count;
	char *const *rest; /* after "--", where the program has_rest */
	size_t rest_count;
};

/*
 * Reads the command line (argv[0] is skipped). 0, -EINVAL with err, or -ENOMEM with err; on
 * failure there is nothing to release. argv must outlive o.
 */
int options_parse(const struct options_program *program, int argc, char *const argv[],
		struct options *o, char *err, size_t err_size);

void options_release(struct options *o);

/*
 * The usual beginning of main: parses, answers --help and --version, reports wrong usage. Returns
 * OPTIONS_GO_ON with o filled in, or the exit status.
 */
int options_open(const struct options_program *program, int argc, char *const argv[],
		struct options *o);

/* The exit status of a program that has only printed: 0 when the words reached the reader. */
int options_printed(const struct options_program *program);

/* Prints "NAME: MESSAGE" and where help is to stderr; returns OPTIONS_STATUS_USAGE. */
int options_usage_error(const struct options_program *program, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* Usage, summary, options and epilog, at most 80 columns wide. */
void options_print_help(FILE *out, const struct options_program *program);

/* Only the list of options, below a title: for programs whose help has several. */
void
options_print_list(FILE *out, const char *title, const struct option_spec *specs, size_t count);

/* A line "  NAME WORDS" of a list of verbs, with its help from column on. */
void options_print_verb(FILE *out, const struct options_verb *verb, size_t column);

/*
 * Prints text word by word up to column 80: the first line goes on from column, where the caller
 * stands, or from indent if that is further right; other lines begin at indent. Newlines are kept.
 */
void options_print_wrapped(FILE *out, size_t column, size_t indent, const char *text);

/* The last value given of an option; NULL when it was not given. */
const struct option_value *options_find(const struct options *o, const char *name);

/* The next value of an option that may be repeated: *position starts at 0. NULL: no more. */
const struct option_value *
options_next(const struct options *o, const char *name, size_t *position);

/* Short forms of options_find, with what to return when the option was not given. */
bool options_given(const struct options *o, const char *name);
const char *options_text(const struct options *o, const char *name, const char *otherwise);
int64_t options_integer(const struct options *o, const char *name, int64_t otherwise);
double options_number(const struct options *o, const char *name, double otherwise);

#endif
