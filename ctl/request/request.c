/* SPDX-License-Identifier: BSD-3-Clause */
/* See request.h. */
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"
#include "show/output.h"
#include "rpc.h"
#include "text/text.h"
#include "show/view.h"

#define ERR_SIZE 1024
#define JSON_INDENTATION 2

/* Whether the command goes on after its first reply. */
static bool
follows(const struct command *command, const struct invocation *call)
{
	return command->follow != NULL &&
			(command->follow_option == NULL ||
					options_given(call->options, command->follow_option));
}

/* How many requests the command makes. */
static size_t
count_requests(const struct command *command, const struct invocation *call)
{
	bool several = command->several != ONE_NAME && !follows(command, call);

	return several && call->word_count > 1 ? call->word_count : 1;
}

/* The words of the i-th of count requests: one name of several, or all words. */
static struct invocation
one_of(const struct invocation *call, size_t i, size_t count)
{
	struct invocation one = *call;

	if (count > 1) {
		one.words += i;
		one.word_count = 1;
	}
	return one;
}

int
request_build(const struct command *command, const struct invocation *call, json_t **params,
		char *err, size_t err_size)
{
	size_t count = count_requests(command, call), i;
	struct invocation one;
	json_t *object;
	int ret = 0;

	*params = json_array();
	for (i = 0; i < count && ret == 0; i++) {
		object = json_object();
		one = one_of(call, i, count);
		if (command->build != NULL)
			ret = command->build(&one, &object, err, err_size);
		/* null stands for a request without parameters */
		if (json_array_append_new(*params, object != NULL ? object : json_null()) != 0 &&
				ret == 0)
			ret = text_fail(err, err_size, -ENOMEM, "out of memory");
	}
	if (ret != 0)
		json_decref(*params);
	return ret;
}

static enum status
report_refusal(const struct rpc_reply *reply)
{
	/* the switch's message may have the hint already */
	if (reply->nearest != NULL && strstr(reply->refusal, "did you mean") == NULL)
		return output_fail(STATUS_REFUSED, "%s; did you mean %s?", reply->refusal,
				reply->nearest);
	return output_fail(STATUS_REFUSED, "%s", reply->refusal);
}

static int
print_for_people(const struct command *command, const struct invocation *call, json_t *result)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret;

	if (out == NULL)
		return -ENOMEM;
	view_clean(result);
	ret = command->print(out, call, result);
	if (fclose(out) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret == 0)
		ret = output_write(text, len);
	free(text);
	return ret;
}

static bool
as_json(const struct command *command, const struct invocation *call)
{
	return options_given(call->options, "json") || command->print == NULL;
}

static enum status
print_result(const struct command *command, const struct invocation *call, json_t *result)
{
	if (as_json(command, call))
		return output_status(output_json(result, JSON_INDENTATION));
	return output_status(print_for_people(command, call, result));
}

/* Makes one request; *result is new on STATUS_DONE. */
static enum status
ask(struct rpc *rpc, const struct command *command, const struct invocation *call, json_t *params,
		json_t **result)
{
	const char *method = command->method != NULL ? command->method : call->words[0];
	struct rpc_reply reply;
	enum status status = STATUS_DONE;
	char err[ERR_SIZE];
	int ret;

	*result = NULL;
	ret = rpc_call(rpc, method, json_is_null(params) ? NULL : json_incref(params), &reply, err,
			sizeof(err));
	if (ret != 0)
		return output_fail(ret == -EMSGSIZE ? STATUS_USAGE : STATUS_NO_SWITCH, "%s", err);
	if (reply.refusal != NULL)
		status = report_refusal(&reply);
	else if (command->select != NULL &&
			command->select(call, reply.result, err, sizeof(err)) != 0)
		status = output_fail(STATUS_REFUSED, "%s: %s", command->name, err);
	else
		*result = json_incref(reply.result);
	json_decref(reply.message);
	return status;
}

/* Merges the members of a further result into the first one: objects and lists grow. */
static void
merge(json_t *all, const json_t *more)
{
	const char *key;
	json_t *value, *present;

	json_object_foreach ((json_t *)more, key, value) {
		present = json_object_get(all, key);
		if (json_is_object(present) && json_is_object(value))
			json_object_update(present, value);
		else if (json_is_array(present) && json_is_array(value) &&
				!json_equal(present, value))
			json_array_extend(present, value);
	}
}

/* Makes a request for each name; prints each result, or keeps it in all. */
static enum status
ask_each(struct rpc *rpc, const struct command *command, const struct invocation *call,
		const json_t *params, json_t *all)
{
	size_t count = json_array_size(params), i;
	bool keep = as_json(command, call) || command->several == NAMES_TOGETHER;
	enum status status = STATUS_DONE, one_status;
	struct invocation one;
	json_t *result;

	for (i = 0; i < count; i++) {
		one = one_of(call, i, count);
		one_status = ask(rpc, command, &one, json_array_get(params, i), &result);
		if (one_status == STATUS_DONE && !keep)
			one_status = print_result(command, &one, result);
		else if (one_status == STATUS_DONE)
			json_array_append(all, result);
		json_decref(result);
		if (status == STATUS_DONE)
			status = one_status;
		if (one_status == STATUS_NO_SWITCH)
			break;
	}
	return status;
}

/* Requests for several names. Results that belong together are printed as one if all have come. */
static enum status
ask_several(struct rpc *rpc, const struct command *command, const struct invocation *call,
		const json_t *params)
{
	json_t *all = json_array(), *first;
	enum status status = ask_each(rpc, command, call, params, all);
	size_t i;

	if (command->several == NAMES_TOGETHER && status == STATUS_DONE) {
		first = json_array_get(all, 0);
		for (i = 1; i < json_array_size(all); i++)
			merge(first, json_array_get(all, i));
		status = print_result(command, call, first);
	} else if (command->several == NAMES_EACH && json_array_size(all) > 0) {
		if (output_status(output_json(all, JSON_INDENTATION)) != STATUS_DONE)
			status = STATUS_REFUSED;
	}
	json_decref(all);
	return status;
}

static enum status
ask_one(struct rpc *rpc, const struct command *command, const struct invocation *call,
		json_t *params)
{
	json_t *result;
	enum status status = ask(rpc, command, call, params, &result);

	if (status == STATUS_DONE)
		status = follows(command, call) ? (enum status)command->follow(rpc, call)
						: print_result(command, call, result);
	json_decref(result);
	return status;
}

enum status
request_run(const char *path, const struct command *command, const struct invocation *call,
		const json_t *params)
{
	enum status status;
	char err[ERR_SIZE];
	struct rpc rpc;

	if (rpc_open(&rpc, path, options_number(call->options, "wait", RPC_WAIT_S), err,
			    sizeof(err)) != 0)
		return output_fail(STATUS_NO_SWITCH, "%s", err);
	rpc.show_wire = options_given(call->options, "verbose");
	if (json_array_size(params) > 1)
		status = ask_several(&rpc, command, call, params);
	else
		status = ask_one(&rpc, command, call, json_array_get(params, 0));
	rpc_close(&rpc);
	return status;
}
