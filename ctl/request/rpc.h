/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to the switch: one request at a time, with messages for failures.
 *
 * request.c opens it and makes requests; monitor.c goes on reading. Every wait for a reply ends after
 * RPC_TIMEOUT_S, so that the program does not hang when the switch does.
 */
#ifndef CTL_RPC_H
#define CTL_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "jsonrpc/lineframe.h"

#define RPC_TIMEOUT_S 10
#define RPC_WAIT_S 5 /* the default of --wait: for a switch that is starting */
#define RPC_WAIT_MAX 86400

struct rpc {
	int fd;
	const char *path; /* of the control socket, for messages */
	bool show_wire;	  /* print every line to stderr, too */
	struct lineframe in;
	json_int_t last_id;
};

/* A reply; the other members point into message. Release it with json_decref(message). */
struct rpc_reply {
	json_t *message;
	json_t *result;	     /* NULL: the switch refused */
	const char *refusal; /* the switch's message, safe for a terminal; NULL: it did not refuse */
	const char *nearest; /* the nearest name that the switch knows; NULL: none */
};

/* Seconds of CLOCK_MONOTONIC. */
double rpc_now(void);

/*
 * Connects to the control socket at path, which must outlive rpc. While nobody listens there it tries again
 * for wait seconds, because a switch that is starting makes its socket last. 0, or -errno when no switch
 * is there; err says which path, why, and what to do.
 */
int rpc_open(struct rpc *rpc, const char *path, double wait, char *err, size_t err_size);

void rpc_close(struct rpc *rpc);

/*
 * Sends a request (owns params; NULL: none) and waits for its reply. 0: *reply is filled in, also when the
 * switch refused. -EMSGSIZE: the request is longer than a line may be. Other -errno: no reply; err says
 * why.
 */
int rpc_call(struct rpc *rpc, const char *method, json_t *params, struct rpc_reply *reply,
		char *err, size_t err_size);

/*
 * Takes the next message out of what has been read. 1 and a new *message; 0: there is none yet; -EBADMSG:
 * the line is not JSON, and err says so.
 */
int rpc_take(struct rpc *rpc, json_t **message, char *err, size_t err_size);

/* Reads without waiting. 0; -EAGAIN: nothing came; other -errno with err: the connection is over. */
int rpc_read(struct rpc *rpc, char *err, size_t err_size);

#endif
