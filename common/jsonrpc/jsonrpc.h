/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as data: reads one line strictly, with requests and
 * batches, and builds replies. No input or output, no state but the caller's.
 *
 * vswitchd uses the server side on its control thread, vswitchctl the client side. A server
 * reads a line so:
 *
 *	jsonrpc_batch_begin(&batch, line, len);
 *	while ((code = jsonrpc_batch_read(&batch, err, sizeof(err))) > 0)
 *		... it may do something else meanwhile
 *	if (code != 0)
 *		send(jsonrpc_error(NULL, code, err, NULL)), and that is all
 *	for (i = 0; i < jsonrpc_batch_count(&batch); i++)
 *		code = jsonrpc_batch_request(&batch, i, &request, err, sizeof(err));
 *		... run it, or build the error; send the reply, unless it was a notification
 *	jsonrpc_batch_release(&batch);
 *
 * A single request is a batch of one, whose reply has no array around it. A batch of notifications only
 * gets no reply. Builders return NULL when memory runs out; they own what they are given in any case.
 */
#ifndef COMMON_JSONRPC_H
#define COMMON_JSONRPC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Error codes: section 5.1 of the specification, then ours. */
#define JSONRPC_PARSE_ERROR (-32700)
#define JSONRPC_INVALID_REQUEST (-32600)
#define JSONRPC_METHOD_NOT_FOUND (-32601)
#define JSONRPC_INVALID_PARAMS (-32602)
#define JSONRPC_INTERNAL_ERROR (-32603)
#define JSONRPC_REFUSED (-32000)   /* the switch refused; the message says why */
#define JSONRPC_NOT_FOUND (-32001) /* no such port or address */
#define JSONRPC_EXISTS (-32002)	   /* a port of that name is there already */

/* Deepest nesting of objects and arrays that is accepted. */
#define JSONRPC_MAX_DEPTH 64
/* Most requests in one batch, so that a short line cannot ask for a huge reply. */
#define JSONRPC_MAX_BATCH 1000
/* Longest request in bytes, without blanks between tokens, so that reading one takes little time. */
#define JSONRPC_MAX_REQUEST 65536

/* One request; every pointer is borrowed from its batch. */
struct jsonrpc_request {
	const char *method; /* NULL when the request is invalid */
	json_t *params;	    /* object or array; NULL when there were none */
	/*
	 * String, number or null; NULL in a notification. Use it only for jsonrpc_result() and
	 * jsonrpc_error(); jsonrpc_dump() then writes it exactly as it was in the request.
	 */
	json_t *id;
};

/* The requests of one line. */
struct jsonrpc_batch {
	json_t *requests; /* array, also for a single request */
	bool is_array;	  /* the line held an array, so the replies must be in one */
	/* The part that jsonrpc_batch_read() has not read yet starts at `at`. */
	const char *line;
	size_t len, at;
};

/*
 * Strict JSON: no duplicate keys, nothing after the text, UTF-8, no NUL in strings, nesting up to
 * JSONRPC_MAX_DEPTH. Any JSON value may stand at the top. 0 and a new *value, or
 * JSONRPC_PARSE_ERROR and a sentence in err that names the byte.
 */
int jsonrpc_parse_json(const char *text, size_t len, json_t **value, char *err, size_t err_size);

/* Begins to read a line, which is borrowed until all of it is read. 0 or JSONRPC_INTERNAL_ERROR. */
int jsonrpc_batch_begin(struct jsonrpc_batch *batch, const char *line, size_t len);

/*
 * Reads the next request. 1: there are more. 0: all are read, and they may be run. JSONRPC_PARSE_ERROR,
 * JSONRPC_INVALID_REQUEST (empty or too long batch, too long request) or JSONRPC_INTERNAL_ERROR
 * (memory): err says why. Then no request may be run, and the reply is one error with id null (section 6
 * of the specification).
 */
int jsonrpc_batch_read(struct jsonrpc_batch *batch, char *err, size_t err_size);

/* Number of requests in the batch, valid or not; at least 1. */
size_t jsonrpc_batch_count(const struct jsonrpc_batch *batch);

/*
 * Checks request number index. 0, or JSONRPC_INVALID_REQUEST with a sentence in err. Then request->id is
 * the id for the reply (NULL stands for null), and a reply is due even when no id was given.
 */
int jsonrpc_batch_request(const struct jsonrpc_batch *batch, size_t index,
		struct jsonrpc_request *request, char *err, size_t err_size);

/* Frees a request that is done; null takes its place. */
void jsonrpc_batch_drop(struct jsonrpc_batch *batch, size_t index);

/* Frees the batch; views of its requests become invalid. May be called at any time. */
void jsonrpc_batch_release(struct jsonrpc_batch *batch);

/* {"jsonrpc","result","id"}. Borrows id, owns result. */
json_t *jsonrpc_result(json_t *id, json_t *result);

/*
 * {"jsonrpc","error":{"code","message","data"},"id"}. Borrows id (NULL: null), owns data (NULL: none).
 * Bytes of message that are not UTF-8 become '?'.
 */
json_t *jsonrpc_error(json_t *id, int code, const char *message, json_t *data);

/* A request without id. Owns params (NULL: none). */
json_t *jsonrpc_notification(const char *method, json_t *params);

/* A request with a number as id. Owns params (NULL: none). */
json_t *jsonrpc_call(json_int_t id, const char *method, json_t *params);

/* A JSON string of any bytes: those that are not UTF-8 become '?'. For paths and names from outside. */
json_t *jsonrpc_text(const char *text);

/* Any value as text, *len bytes, on one line; free() it. NULL: no memory. */
char *jsonrpc_dump(const json_t *value, size_t *len);

/* The message as one line with its newline, *len bytes; free() it. NULL: no memory. */
char *jsonrpc_line(const json_t *message, size_t *len);

#endif
