/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options of a port, and the kinds of port: one table for the command line, the control
 * protocol, the configuration file and the documentation.
 *
 * vswitchctl turns words into JSON with it, vswitchd checks JSON with it on the control thread.
 * A new option is a line in the table and code in the port that obeys it. The table and what goes
 * together: port_options.c; one option's value: port_values.c.
 */
#ifndef COMMON_PORT_OPTIONS_H
#define COMMON_PORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "netlink/prefix.h"

/* Kinds of port, as bits: an option names the kinds that have it. */
#define PORT_KIND_VHOST_USER (1u << 0)
#define PORT_KIND_KERNEL (1u << 1)
#define PORT_KIND_ETHDEV (1u << 2)
#define PORT_KIND_ALL (PORT_KIND_VHOST_USER | PORT_KIND_KERNEL | PORT_KIND_ETHDEV)

/* What the settings of a port have room for; without the ends of texts. */
#define PORT_OPTION_INTERFACE_MAX 15 /* bytes of the name of an interface */
#define PORT_OPTION_NETNS_MAX 107    /* bytes of the name or path of a namespace */
#define PORT_OPTION_TEXT_MAX 511     /* bytes of device arguments */
#define PORT_OPTION_ADDRESSES_MAX 16
#define PORT_OPTION_QUEUES_MAX 8
#define PORT_OPTION_MEMORY_MAX (1 << 20) /* MiB */

enum port_option_type {
	PORT_OPTION_PATH,    /* string: absolute path of a UNIX socket */
	PORT_OPTION_INTEGER, /* min to max */
	PORT_OPTION_BOOL,
	PORT_OPTION_WORD,      /* string: one of `choices` */
	PORT_OPTION_MODE,      /* string: permission bits in octal */
	PORT_OPTION_ACCOUNT,   /* string: name or number of a user or group */
	PORT_OPTION_INTERFACE, /* string: what Linux lets a network interface be called */
	PORT_OPTION_NETNS,     /* string: name, or absolute path, of a network namespace */
	PORT_OPTION_MAC,       /* string: address of one station */
	PORT_OPTION_ADDRESSES, /* array of strings, ADDRESS/LENGTH (prefix.h), or a string of them */
	PORT_OPTION_TEXT,      /* string without control characters */
};

struct port_option {
	const char *key; /* the same in every place */
	enum port_option_type type;
	int64_t min, max;	  /* PORT_OPTION_INTEGER */
	const char *choices;	  /* PORT_OPTION_WORD: "a|b|c" */
	const char *arg;	  /* what the value is called in help */
	const char *default_text; /* NULL: none */
	unsigned int kinds;	  /* PORT_KIND_ bits: which ports have it */
	bool add_only;		  /* cannot be changed by port.set */
	bool listen_only;	  /* only for a port that listens: excluded by "connect" */
	bool required;		  /* a port of its kinds cannot be without it */
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
int port_option_addresses(const json_t *value, struct prefix prefixes[PORT_OPTION_ADDRESSES_MAX],
		uint32_t *n, char *err, size_t err_size);

/* JSON Schema of the value, new: {"type":"integer","minimum":68,...}. NULL: no memory. */
json_t *port_option_schema(const struct port_option *opt);

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
