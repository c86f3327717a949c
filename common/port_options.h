/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a port, and the kinds of port: one table for the command line, the control
 * protocol, the configuration file and the documentation.
 *
 * vswitchctl turns words into JSON with it, vswitchd checks JSON with it on the control thread.
 * A new option is a line in the table and code in the port that obeys it.
 */
#ifndef COMMON_PORT_OPTIONS_H
#define COMMON_PORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Kinds of port, as bits: an option names the kinds that have it. */
#define PORT_KIND_VHOST_USER (1u << 0)

enum port_option_type {
	PORT_OPTION_PATH,    /* string: absolute path of a UNIX socket */
	PORT_OPTION_INTEGER, /* min to max */
	PORT_OPTION_BOOL,
	PORT_OPTION_MODE,    /* string: permission bits in octal */
	PORT_OPTION_ACCOUNT, /* string: name or number of a user or group */
};

struct port_option {
	const char *key; /* the same in every place */
	enum port_option_type type;
	int64_t min, max;	  /* PORT_OPTION_INTEGER */
	const char *arg;	  /* what the value is called in help */
	const char *default_text; /* NULL: none */
	unsigned int kinds;	  /* PORT_KIND_ bits: which ports have it */
	bool add_only;		  /* cannot be changed by port.set */
	bool listen_only;	  /* only for a port that listens: excluded by "connect" */
	const char *help;	  /* one phrase without a full stop */
};

extern const struct port_option port_options[];
extern const size_t port_options_count;

/* The option of this key, or NULL. */
const struct port_option *port_option_find(const char *key);

/* Nearest key to a misspelt one among the options of the wanted kinds; NULL: none is near. */
const char *port_option_nearest(const char *key, unsigned int wanted);

/*
 * From a word of the command line to JSON. A relative path is made absolute from the working
 * directory. 0 and a new *out, or -EINVAL with a sentence in err that begins with the key.
 */
int port_option_from_text(const struct port_option *opt, const char *text, json_t **out, char *err,
		size_t err_size);

/*
 * Checks a JSON value. 0, or -EINVAL with a sentence in err that begins with the key and says what
 * is wrong and what would be right.
 */
int
port_option_check(const struct port_option *opt, const json_t *value, char *err, size_t err_size);

/*
 * Checks that the options given together go together: an object with options as keys (others are
 * ignored). 0, or -EINVAL with err and, where not NULL, *key: the option that has to go.
 */
int port_options_check_together(const json_t *object, const char **key, char *err, size_t err_size);

/* JSON Schema of the value, new: {"type":"integer","minimum":68,...}. NULL: no memory. */
json_t *port_option_schema(const struct port_option *opt);

/* The bit of a kind of port ("vhost-user"), or 0. */
unsigned int port_kind_find(const char *name);

/* Nearest kind to a misspelt name; NULL: none is near. */
const char *port_kind_nearest(const char *name);

/* All kinds, separated by '|', for help and messages. */
extern const char port_kinds_text[];

#endif
