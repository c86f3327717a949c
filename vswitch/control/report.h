/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What answers hold, as tables: a row for each member of an object, with its name, its type, what it
 * means, and where its value comes from. Out of a table come the answer (report_make()), its JSON
 * schema in rpc.discover (report_schema.c) and its table on the protocol's page (rpc_doc.c). Pure;
 * control thread.
 *
 * An object tells of a subject, a struct of its own: the values lie in that struct, or functions
 * find them there. Rows are made by the macros below, so that each has its value and the type which
 * that has.
 */
#ifndef VSWITCH_REPORT_H
#define VSWITCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum report_type {
	REPORT_TEXT,
	REPORT_INTEGER,
	REPORT_NUMBER,
	REPORT_BOOL,
	REPORT_OBJECT,	/* what `object` says; NULL: one that is described elsewhere */
	REPORT_OPTIONS, /* stands for a member for each option of ports, called as the option is */
};

enum report_shape {
	REPORT_ONE,
	REPORT_LIST, /* an array of them */
	REPORT_MAP,  /* an object with such members, of any names */
};

/* Where a value lies in the subject, as what. */
enum report_store {
	REPORT_IN_CHARS, /* char[] */
	REPORT_IN_POINTER,
	REPORT_IN_BOOL,
	REPORT_IN_INT,
	REPORT_IN_U16,
	REPORT_IN_U32,
	REPORT_IN_U64,
	REPORT_IN_DOUBLE,
};

struct report_object;

struct report_field {
	const char *name;
	enum report_type type;
	enum report_shape shape;
	bool nullable;	   /* may be null; of a value that lies in the subject, 0 and "" are null */
	const char *words; /* REPORT_TEXT: one of "a|b|c"; NULL: any */
	const struct report_object *object; /* REPORT_OBJECT */
	const char *meaning;		    /* a phrase in Markdown without a full stop */
	/* Whether the subject has such a member; NULL: always. */
	bool (*has)(const void *subject);

	/* The rest is the macros'. The value, new (NULL: no memory), or where it lies. */
	json_t *(*get)(const void *subject);
	size_t offset;
	enum report_store store;
	bool rows;					 /* rpc_rows.h writes it, last of all */
	int (*add)(json_t *object, const void *subject); /* REPORT_OPTIONS: 0, or no memory */
};

struct report_object {
	const char *name; /* "PORT"; NULL: it is the result of one method and has no name */
	/* Whose members come first, of the same subject, and which has a name; NULL. */
	const struct report_object *base;
	const struct report_field *fields;
	size_t n;
};

#define REPORT_FIELDS(list) .fields = (list), .n = sizeof(list) / sizeof((list)[0])

/* A member whose value lies in the subject, a `subject`, as its member `place`. */
#define REPORT_PLACE(subject, place) (((subject *)0)->place)
#define REPORT_VALUE(called, subject, place)                                                       \
	.name = (called), .offset = offsetof(subject, place),                                      \
	.store = _Generic(REPORT_PLACE(subject, place),                                            \
			char *: REPORT_IN_CHARS,                                                   \
			const char *: REPORT_IN_POINTER,                                           \
			bool: REPORT_IN_BOOL,                                                      \
			int: REPORT_IN_INT,                                                        \
			uint16_t: REPORT_IN_U16,                                                   \
			uint32_t: REPORT_IN_U32,                                                   \
			uint64_t: REPORT_IN_U64,                                                   \
			double: REPORT_IN_DOUBLE),                                                 \
	.type = _Generic(REPORT_PLACE(subject, place),                                             \
			char *: REPORT_TEXT,                                                       \
			const char *: REPORT_TEXT,                                                 \
			bool: REPORT_BOOL,                                                         \
			double: REPORT_NUMBER,                                                     \
			default: REPORT_INTEGER)

/* A member whose value a function makes. */
#define REPORT_GET(called, type_of_it, function)                                                   \
	.name = (called), .type = (type_of_it), .get = (function)

/* A member that rpc_rows.h writes, behind all others: rows of such objects. */
#define REPORT_ROWS(called, object_of_it)                                                          \
	.name = (called), .type = REPORT_OBJECT, .object = (object_of_it), .rows = true

/* The options of a port, which a function adds to the object. */
#define REPORT_OPTION_ROWS(function) .name = "", .type = REPORT_OPTIONS, .add = (function)

/* The object for a subject, without what rpc_rows.h writes; new. NULL: no memory. */
json_t *report_make(const struct report_object *object, const void *subject);

/* The member that rpc_rows.h writes; NULL: there is none. */
const struct report_field *report_rows(const struct report_object *object);

/* JSON schema of a member or result, new; objects that have names are references. NULL: no memory. */
json_t *report_schema(const struct report_field *field);

/* JSON schema of an object, new. NULL: no memory. */
json_t *report_object_schema(const struct report_object *object);

/*
 * Adds the objects with names that a member or result holds, and those that they hold, to a list of
 * n which has room for `max`; each is in it once. How many the list has now.
 */
size_t report_collect(const struct report_field *field, const struct report_object **list, size_t n,
		size_t max);

#endif
