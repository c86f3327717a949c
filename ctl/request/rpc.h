/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire to the switch: one connection, one request at a time, and what came of it in words.
 *
 * main.c opens it and makes the request; monitor.c goes on reading. Every wait ends after
 * RPC_TIMEOUT_S, so that a switch that hangs does not hang its user.
 */
#ifndef CTL_RPC_H
#define CTL_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "jsonrpc/lineframe.h"

#define RPC_TIMEOUT_S 10
#define RPC_WAIT_S 5 /* for a switch that is starting, unless the user says otherwise */
#define RPC_WAIT_MAX 86400

struct rpc {
	int fd;
	const char *path; /* of the control socket, for messages */
	bool show_wire;	  /* every line goes to stderr, too */
	struct lineframe in;
	json_int_t last_id;
};

/* A reply; the other members lie in message. Release it with json_decref(message). */
struct rpc_reply {
	json_t *message;
	json_t *result;	     /* NULL: the switch refused */
	const char *refusal; /* the switch's words, fit for a terminal; NULL: it did not refuse */
	const char *nearest; /* the nearest right name that it knows; NULL: none */
};

/* Seconds of CLOCK_MONOTONIC. */
double rpc_now(void);

/*
 * Connects to the control socket at path, which must outlive rpc. While nobody listens there, tries
 * again for wait seconds, because a switch that was started just now makes its socket last. 0, or
 * -errno: no switch is there, and err says which path, why, and what to do.
 */
int rpc_open(struct rpc *rpc, const char *path, double wait, char *err, size_t err_size);

void rpc_close(struct rpc *rpc);

/*
 * Sends a request (params is taken over; NULL: none) and waits for its reply. 0: *reply is filled
 * in, also when the switch refused. -EMSGSIZE: the request is longer than a line may be. Other
 * -errno: no answer, err says why.
 */
int rpc_call(struct rpc *rpc, const char *method, json_t *params, struct rpc_reply *reply,
		char *err, size_t err_size);

/*
 * Takes the next message out of what has been read. 1 and a new *message; 0: there is none yet;
 * -EBADMSG: what came is not JSON, err says so.
 */
int rpc_take(struct rpc *rpc, json_t **message, char *err, size_t err_size);

/* Reads what is there, without waiting. 0, -EAGAIN, or -errno with err: the connection is over. */
int rpc_read(struct rpc *rpc, char *err, size_t err_size);

#endif
