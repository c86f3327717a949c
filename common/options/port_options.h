/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a port, and the kinds of port: one table for the command line, the control
 * protocol, the configuration file and the documentation.
 *
 * vswitchctl turns words into JSON with it, vswitchd checks JSON with it on the control thread.
 * A new option is a row in the table, the member of struct port_settings that the row names, and code
 * in the port that obeys it; what reads, writes, compares and describes options goes by a row's type.
 * The table and what goes together: port_options.c; one option's value: port_values.c; the settings:
 * port_settings.c.
 */
#ifndef COMMON_PORT_OPTIONS_H
#define COMMON_PORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "port_settings.h"

/* Kinds of port, as bits: an option names the kinds that have it. */
#define PORT_KIND_VHOST_USER (1u << 0)
#define PORT_KIND_KERNEL (1u << 1)
#define PORT_KIND_ETHDEV (1u << 2)
#define PORT_KIND_ALL (PORT_KIND_VHOST_USER | PORT_KIND_KERNEL | PORT_KIND_ETHDEV)

/* As JSON, and the member of struct port_settings; a text that was not given is "". */
enum port_option_type {
	PORT_OPTION_PATH,      /* string: absolute path of a UNIX socket; char[] */
	PORT_OPTION_INTEGER,   /* min to max; uint32_t */
	PORT_OPTION_BOOL,      /* bool */
	PORT_OPTION_WORD,      /* string: one of `choices`; an enum in their order, from 0 */
	PORT_OPTION_MODE,      /* string: permission bits in octal; mode_t */
	PORT_OPTION_USER,      /* string: name or number of a user; uid_t, -1: not given */
	PORT_OPTION_GROUP,     /* string: name or number of a group; gid_t, -1: not given */
	PORT_OPTION_INTERFACE, /* string: what Linux lets a network interface be called; char[] */
	PORT_OPTION_NETNS,     /* string: name, or absolute path, of a network namespace; char[] */
	PORT_OPTION_MAC,       /* string: address of one station; struct port_mac */
	/* array of strings, ADDRESS/LENGTH (prefix.h), or a string of them; struct port_addresses */
	PORT_OPTION_ADDRESSES,
	PORT_OPTION_TEXT, /* string without control characters; char[] */
};

struct port_option {
	const char *key; /* the same in every place */
	enum port_option_type type;
	size_t offset, size;	  /* the member of struct port_settings that it sets */
	int64_t min, max;	  /* PORT_OPTION_INTEGER */
	int64_t initial;	  /* PORT_OPTION_INTEGER, _BOOL, _MODE: what default_text says */
	const char *choices;	  /* PORT_OPTION_WORD: "a|b|c" */
	const char *arg;	  /* what the value is called in help */
	const char *default_text; /* NULL: none */
	unsigned int kinds;	  /* PORT_KIND_ bits: which ports have it */
	bool add_only;		  /* cannot be changed by port.set */
	bool listen_only;	  /* only for a port that listens: excluded by "connect" */
	bool required;		  /* a port of its kinds cannot be without it */
	/* Only the forwarding table obeys it: a change is nothing for what is behind the port. */
	bool forwarding_only;
	const char *help; /* one phrase without a full stop */
};

extern const struct port_option port_options[];
extern const size_t port_options_count;

/* The option of this key, or NULL. */
const struct port_option *port_option_find(const char *key);

/* Nearest key to a misspelt one among the options of the wanted kinds; NULL: none is near. */
const char *port_option_nearest(const char *key, unsigned int wanted);

/*
 * From a word of the command line to JSON. A relative path is made absolute from the working
 * directory; addresses are separated by commas, and no text is no address. 0 and a new *out, or
 * -EINVAL with a sentence in err that begins with the key.
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
 * Checks that a port of this kind (a PORT_KIND_ bit) has each of the options given: an object with
 * options as keys (others are ignored). 0, or -EINVAL with err and, where not NULL, *key: the
 * option that has to go.
 */
int port_options_check_kind(const json_t *object, unsigned int kind, const char **key, char *err,
		size_t err_size);

/*
 * Checks that a port of this kind can be made with the options given: as above, that they go
 * together, and that none is missing.
 */
int port_options_check_together(const json_t *object, unsigned int kind, const char **key,
		char *err, size_t err_size);

/*
 * The addresses of a PORT_OPTION_ADDRESSES value, an array or a string. 0, or -EINVAL with words
 * that do not name the key.
 */
int port_option_addresses(const json_t *value, struct prefix prefixes[PORT_ADDRESSES_MAX],
		uint32_t *n, char *err, size_t err_size);

/* JSON Schema of the value, new: {"type":"integer","minimum":68,...}. NULL: no memory. */
json_t *port_option_schema(const struct port_option *opt);

/* The same of the value that a port is told to have, which is in one form alone. NULL: no memory. */
json_t *port_option_told_schema(const struct port_option *opt);

/* Whether every port has a value for it. */
bool port_option_is_always_told(const struct port_option *opt);

/* The bit of a kind of port ("vhost-user"), or 0. */
unsigned int port_kind_find(const char *name);

/* Nearest kind to a misspelt name; NULL: none is near. */
const char *port_kind_nearest(const char *name);

/* All kinds, separated by '|', for help and messages. */
extern const char port_kinds_text[];

#define PORT_KINDS_TEXT_SIZE 64

/* The wanted kinds as "kernel and ethdev"; "every kind" for all. Returns buf. */
const char *port_kinds_list(unsigned int wanted, char buf[PORT_KINDS_TEXT_SIZE]);

#endif
