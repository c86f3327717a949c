/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc.h. */
#include "rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonrpc/json_memory.h"
#include "text/nearest.h"
#include "rpc_params.h"
#include "base/watched.h"

#define SUBJECT_MAX 128

struct rpc_call {
	const struct control_context *context;
	struct rpc_subscriber *subscriber;
	json_t *id;		   /* NULL: a notification */
	char subject[SUBJECT_MAX]; /* "COMMAND OBJECT" */
	rpc_done done;
	void *arg;
};

static const struct rpc_table *const *tables;

void
rpc_init(const struct rpc_table *const *all)
{
	tables = all;
}

const struct rpc_method *
rpc_method_at(size_t index)
{
	const struct rpc_table *const *table;

	for (table = tables; *table != NULL; table++) {
		if (index < (*table)->n)
			return &(*table)->methods[index];
		index -= (*table)->n;
	}
	return NULL;
}

static const struct rpc_method *
find_method(const char *name, const char **near)
{
	const struct rpc_method *method;
	struct nearest search;
	size_t i;

	nearest_init(&search, name);
	for (i = 0; (method = rpc_method_at(i)) != NULL; i++) {
		if (strcmp(method->name, name) == 0)
			return method;
		nearest_offer(&search, method->name);
	}
	*near = search.best;
	return NULL;
}

static json_t *
out_of_memory(json_t *id)
{
	return jsonrpc_error(id, JSONRPC_INTERNAL_ERROR,
			"the switch ran out of memory; look what was done, and ask again later",
			NULL);
}

/* Ends the call. What was built without memory may lack something: it is not sent. */
static void
finish(struct rpc_call *call, json_t *reply, struct rpc_rows *rows)
{
	rpc_done done = call->done;
	void *arg = call->arg;

	if (json_memory_failed() && rows == NULL) {
		json_decref(reply);
		reply = out_of_memory(call->id);
	}
	if (call->id == NULL) {
		json_decref(reply);
		rpc_rows_release(rows);
		reply = NULL;
		rows = NULL;
	}
	json_decref(call->id);
	free(call);
	done(arg, reply, rows);
}

static void
fail_for_memory(struct rpc_call *call)
{
	finish(call, out_of_memory(call->id), NULL);
}

void
rpc_reply(struct rpc_call *call, json_t *result)
{
	if (result == NULL)
		fail_for_memory(call);
	else
		finish(call, jsonrpc_result(call->id, result), NULL);
}

void
rpc_reply_rows(struct rpc_call *call, struct rpc_rows *rows)
{
	if (rows == NULL || json_memory_failed()) {
		rpc_rows_release(rows);
		fail_for_memory(call);
		return;
	}
	rows->id = json_incref(call->id);
	finish(call, NULL, rows);
}

void
rpc_fail(struct rpc_call *call, int code, json_t *data, const char *format, ...)
{
	char message[SUBJECT_MAX + RPC_TEXT_MAX];
	va_list args;
	int len;

	len = snprintf(message, sizeof(message), "%s: ", call->subject);
	va_start(args, format);
	vsnprintf(message + len, sizeof(message) - (size_t)len, format, args);
	va_end(args);
	finish(call, jsonrpc_error(call->id, code, message, data), NULL);
}

void
rpc_refuse(struct rpc_call *call, const char *message)
{
	finish(call, jsonrpc_error(call->id, JSONRPC_REFUSED, message, NULL), NULL);
}

const struct control_context *
rpc_context(const struct rpc_call *call)
{
	return call->context;
}

struct rpc_subscriber *
rpc_subscriber(const struct rpc_call *call)
{
	return call->subscriber;
}

static void
fail_unknown(struct rpc_call *call, const char *near)
{
	if (near != NULL)
		rpc_fail(call, JSONRPC_METHOD_NOT_FOUND, json_pack("{s:s}", "nearest", near),
				"there is no such method; did you mean %s?", near);
	else
		rpc_fail(call, JSONRPC_METHOD_NOT_FOUND, NULL,
				"there is no such method; rpc.discover tells those there are");
}

static void
fail_params(struct rpc_call *call, const struct rpc_problem *problem)
{
	json_t *data = NULL;

	if (problem->param[0] != '\0') {
		data = json_object();
		json_object_set_new(data, "param", jsonrpc_text(problem->param));
	}
	if (problem->nearest[0] != '\0')
		json_object_set_new(data, "nearest", json_string(problem->nearest));
	rpc_fail(call, JSONRPC_INVALID_PARAMS, data, "%s", problem->text);
}

bool
rpc_only_tells(const char *name)
{
	const char *near;
	const struct rpc_method *method = find_method(name, &near);

	return method == NULL || method->only_tells;
}

static void
run(struct rpc_call *call, const struct jsonrpc_request *request)
{
	const char *near = NULL;
	const struct rpc_method *method = find_method(request->method, &near);
	struct rpc_problem problem;
	json_t *params = request->params;

	if (method == NULL) {
		snprintf(call->subject, sizeof(call->subject), "%.64s", request->method);
		fail_unknown(call, near);
		return;
	}
	rpc_params_subject(method, params, call->subject, sizeof(call->subject));
	if (rpc_params_check(method, params, &problem) != 0)
		fail_params(call, &problem);
	else
		method->run(call, params);
}

void
rpc_run(const struct control_context *context, struct rpc_subscriber *subscriber,
		const struct jsonrpc_request *request, rpc_done done, void *arg)
{
	struct rpc_call *call = malloc(sizeof(*call));

	(void)json_memory_failed(); /* what went before is none of this call's */
	if (call == NULL) {
		done(arg, request->id == NULL ? NULL : out_of_memory(request->id), NULL);
		return;
	}
	*call = (struct rpc_call){ .context = context,
		.subscriber = subscriber,
		.done = done,
		.arg = arg,
		.id = json_incref(request->id) };
	watched_begin(&watched_control, "running the request", request->method);
	run(call, request);
	watched_end(&watched_control);
}
