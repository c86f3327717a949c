/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The methods of the control protocol: tables that say what each is called, takes and answers, and
 * how a request comes to its method and the answer back.
 *
 * The tables are handed in (rpc_init()); rpc_tables.c has those of vswitchd. What is checked
 * (rpc_params.c), discovered (rpc_discover.c) and documented (rpc_doc.c) comes out of them. Control
 * thread only; knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_RPC_H
#define VSWITCH_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "jsonrpc/jsonrpc.h"
#include "report.h"
#include "rpc_rows.h"

#define RPC_TEXT_MAX 640 /* of a message, with its end */

struct control_context;
struct rpc_call;

enum rpc_type {
	RPC_NAME,    /* string: the name of a port */
	RPC_WORD,    /* string: one of `words` */
	RPC_WORDS,   /* array of strings, each one of `words` */
	RPC_PATH,    /* string: absolute path of a file */
	RPC_MAC,     /* string: MAC address */
	RPC_INTEGER, /* min to max */
	RPC_VLAN,    /* integer: number of a VLAN; there is none but 0 yet */
	RPC_BOOL,
};

struct rpc_param {
	const char *name;
	enum rpc_type type;
	bool required;
	int64_t min, max;	  /* RPC_INTEGER */
	const char *words;	  /* RPC_WORD, RPC_WORDS: "a|b|c" */
	const char *default_text; /* as JSON; NULL: none */
	const char *help;	  /* one phrase without a full stop */
};

/* Which options of ports (common/options/port_options.h) a method takes besides its own parameters. */
enum rpc_options {
	RPC_OPTIONS_NONE,
	RPC_OPTIONS_ALL,
	RPC_OPTIONS_CHANGEABLE, /* those that can be changed when the port is there */
};

struct rpc_method {
	const char *name;
	const char *command; /* of vswitchctl, which messages begin with; NULL: none */
	const char *summary; /* one sentence */
	const struct rpc_param *params;
	size_t n_params;
	enum rpc_options options;
	struct report_field result; /* what it answers: RPC_RESULT() and the like */
	bool only_tells;	    /* it changes nothing: without a reader it need not run */
	/*
	 * Answers by rpc_reply(), rpc_reply_rows() or rpc_fail(), now or later, once. `params` only
	 * until it returns.
	 */
	void (*run)(struct rpc_call *call, const json_t *params);
};

/* The methods of one subject. */
struct rpc_table {
	const struct rpc_method *methods;
	size_t n;
};

/* For tables: what a method answers, an object or an array of them, and a phrase about it. */
#define RPC_RESULT(object_of_it, phrase)                                                           \
	.result = { .type = REPORT_OBJECT, .object = (object_of_it), .meaning = (phrase) }
#define RPC_RESULTS(object_of_it, phrase)                                                          \
	.result = { .type = REPORT_OBJECT,                                                         \
		.shape = REPORT_LIST,                                                              \
		.object = (object_of_it),                                                          \
		.meaning = (phrase) }

/* For tables: the parameters of a method, and the methods of a table, from an array of them. */
#define RPC_PARAMS(list) .params = (list), .n_params = sizeof(list) / sizeof((list)[0])
#define RPC_TABLE(list)                                                                            \
	{                                                                                          \
		.methods = (list), .n = sizeof(list) / sizeof((list)[0])                           \
	}

/* Before all else: the methods that there are. `tables` is borrowed for ever; the last is NULL. */
void rpc_init(const struct rpc_table *const *all);

/* The methods in the order of the tables: rpc_method_at(0), and so on until NULL. */
const struct rpc_method *rpc_method_at(size_t index);

/* What a connection has subscribed to: bit n for event n of events.h. */
struct rpc_subscriber {
	uint32_t events;
};

/*
 * Where the answer to a request goes: a reply, or the rows that make one. What is given is taken
 * over; both are NULL for a notification.
 */
typedef void (*rpc_done)(void *arg, json_t *reply, struct rpc_rows *rows);

/*
 * Finds the method of a request, checks the parameters and runs it; `done` is called once, from
 * inside or later. `subscriber` is borrowed until this returns.
 */
void rpc_run(const struct control_context *context, struct rpc_subscriber *subscriber,
		const struct jsonrpc_request *request, rpc_done done, void *arg);

/* Whether the method of that name does nothing but answer; also where there is none. */
bool rpc_only_tells(const char *method);

/* For methods: what they work on. */
const struct control_context *rpc_context(const struct rpc_call *call);
/* The connection's; only while the method runs. */
struct rpc_subscriber *rpc_subscriber(const struct rpc_call *call);

/* Answers with `result`, which is taken over (NULL: memory ran out), and ends the call. */
void rpc_reply(struct rpc_call *call, json_t *result);

/* Answers with a result of rows, which are taken over (NULL: memory ran out), and ends the call. */
void rpc_reply_rows(struct rpc_call *call, struct rpc_rows *rows);

/* Answers with JSONRPC_REFUSED and a message that is whole already, and ends the call. */
void rpc_refuse(struct rpc_call *call, const char *message);

/*
 * Answers with an error: "COMMAND OBJECT: " and these words. `data` is taken over, NULL for none.
 * Ends the call.
 */
void rpc_fail(struct rpc_call *call, int code, json_t *data, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

#endif
