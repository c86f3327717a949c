/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks the tables of methods and what comes out of them: vswitch/control/rpc.c, rpc_params.c, rpc_tables.c
 * and rpc_discover.c. The methods themselves are stand-ins that remember that they were run.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/events.h"
#include "control/rpc.h"
#include "control/rpc_discover.h"
#include "control/rpc_params.h"
#include "control/rpc_tables.h"
#include "rpc_stand_ins.h"
#include "text/words.h"

static const char *ran; /* the stand-in that ran last */
static struct rpc_call *pending;
static json_t *answer;
static unsigned int n_answers;

#define STAND_IN(name)                                                                             \
	static void name(struct rpc_call *call, const json_t *params)                              \
	{                                                                                          \
		(void)params;                                                                      \
		ran = #name;                                                                       \
		rpc_reply(call, json_true());                                                      \
	}

STAND_IN(run_add)
STAND_IN(run_list)
STAND_IN(run_fdb_add)
STAND_IN(run_subscribe)
STAND_IN(run_other)

/* Answers later. */
static void
run_delete(struct rpc_call *call, const json_t *params)
{
	(void)params;
	pending = call;
}

static void
run_show(struct rpc_call *call, const json_t *params)
{
	(void)params;
	rpc_fail(call, JSONRPC_NOT_FOUND, json_pack("{s:s}", "nearest", "b"), "there is no %s",
			"a");
}

static int
make_stand_ins(void **state)
{
	const struct rpc_stand_in stand_ins[] = {
		{ "port.add", run_add },
		{ "port.delete", run_delete },
		{ "port.list", run_list },
		{ "port.show", run_show },
		{ "fdb.add", run_fdb_add },
		{ "event.subscribe", run_subscribe },
		{ "rpc.discover", rpc_discover_methods.methods->run },
		{ NULL, NULL },
	};

	(void)state;
	rpc_stand_ins(stand_ins, run_other);
	return 0;
}

/* Text that is written piece by piece. */
static char text[65536];
static size_t text_len, text_room;

static int
put(void *arg, const char *piece, size_t len)
{
	assert_ptr_equal(arg, text);
	if (len > text_room - text_len)
		return -ENOSPC;
	memcpy(text + text_len, piece, len);
	text_len += len;
	return 0;
}

/* Writes all of an answer; how it ended. */
static int
write_rows(struct rpc_rows *rows)
{
	int more;

	text_len = 0;
	text_room = sizeof(text);
	do
		more = rpc_rows_write(rows, put, text);
	while (more > 0);
	return more;
}

static void
on_done(void *arg, json_t *reply, struct rpc_rows *rows)
{
	assert_ptr_equal(arg, &answer);
	json_decref(answer);
	answer = reply;
	n_answers++;
	if (rows == NULL)
		return;
	assert_null(reply);
	assert_int_equal(write_rows(rows), 0);
	rpc_rows_release(rows);
	answer = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(answer);
}

/* Runs one request. `params` is JSON text or NULL, `id` 0 a notification. */
static void
run(const char *method, const char *params, int id)
{
	struct rpc_subscriber subscriber = { 0 };
	struct jsonrpc_request request = {
		.method = method,
		.params = params != NULL ? json_loads(params, 0, NULL) : NULL,
		.id = id != 0 ? json_integer(id) : NULL,
	};

	assert_true(params == NULL || request.params != NULL);
	json_decref(answer);
	answer = NULL;
	ran = NULL;
	n_answers = 0;
	rpc_run(NULL, &subscriber, &request, on_done, &answer);
	json_decref(request.params);
	json_decref(request.id);
}

static json_t *
error(void)
{
	return json_object_get(answer, "error");
}

static const char *
data(const char *key)
{
	return json_string_value(json_object_get(json_object_get(error(), "data"), key));
}

/* Asserts an error of this code, with these words, and that no method ran. */
static void
refused(const char *method, const char *params, int code, const char *words)
{
	const char *message;

	run(method, params, 7);
	assert_null(ran);
	assert_int_equal(n_answers, 1);
	assert_int_equal(json_integer_value(json_object_get(error(), "code")), code);
	message = json_string_value(json_object_get(error(), "message"));
	if (message == NULL || strstr(message, words) == NULL)
		fail_msg("%s %s: '%s' does not say '%s'", method, params, message, words);
}

/* The same for a parameter, which has to be named. */
static void
bad(const char *method, const char *params, const char *param, const char *words)
{
	refused(method, params, JSONRPC_INVALID_PARAMS, words);
	assert_non_null(data("param"));
	assert_string_equal(data("param"), param);
}

static void
test_table_is_whole(void **state)
{
	const struct rpc_method *method;
	size_t i, k;

	(void)state;
	for (i = 0; (method = rpc_method_at(i)) != NULL; i++) {
		assert_non_null(method->run);
		assert_int_equal(method->summary[strlen(method->summary) - 1], '.');
		assert_true(strlen(method->result.meaning) > 0);
		assert_non_null(method->result.object);
		for (k = 0; k < method->n_params; k++) {
			assert_true(strlen(method->params[k].help) > 0);
			assert_true(!method->params[k].required ||
					method->params[k].default_text == NULL);
		}
		for (k = 0; k < i; k++)
			assert_string_not_equal(rpc_method_at(k)->name, method->name);
	}
}

static void
test_methods_run(void **state)
{
	(void)state;
	run("port.list", NULL, 3);
	assert_string_equal(ran, "run_list");
	assert_true(json_is_true(json_object_get(answer, "result")));
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 3);
	run("port.add", "{\"name\":\"a\",\"type\":\"vhost-user\",\"mtu\":68,\"enabled\":false}", 3);
	assert_string_equal(ran, "run_add");
	run("fdb.add", "{\"mac\":\"02-00-00-00-00-0A\",\"port\":\"a\",\"vlan\":0}", 3);
	assert_string_equal(ran, "run_fdb_add");
	run("event.subscribe", "{\"events\":[\"mac.moved\",\"port.added\"]}", 3);
	assert_string_equal(ran, "run_subscribe");
}

static void
test_unknown_method(void **state)
{
	(void)state;
	refused("port.lst", NULL, JSONRPC_METHOD_NOT_FOUND,
			"port.lst: there is no such method; did you");
	assert_string_equal(data("nearest"), "port.list");
	refused("nothing", NULL, JSONRPC_METHOD_NOT_FOUND, "rpc.discover");
	assert_null(data("nearest"));
}

static void
test_notification_is_not_answered(void **state)
{
	(void)state;
	run("port.list", NULL, 0);
	assert_string_equal(ran, "run_list");
	assert_int_equal(n_answers, 1);
	assert_null(answer);
	run("port.lst", NULL, 0);
	assert_int_equal(n_answers, 1);
	assert_null(answer);
}

static void
test_answer_later(void **state)
{
	(void)state;
	run("port.delete", "{\"name\":\"a\"}", 9);
	assert_int_equal(n_answers, 0);
	rpc_fail(pending, JSONRPC_REFUSED, NULL, "not today; try again");
	assert_int_equal(n_answers, 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 9);
	assert_string_equal(json_string_value(json_object_get(error(), "message")),
			"del-port a: not today; try again");
}

static void
test_fail_names_command_and_object(void **state)
{
	(void)state;
	refused("port.show", "{\"name\":\"a\"}", JSONRPC_NOT_FOUND, "show-port a: there is no a");
	assert_string_equal(data("nearest"), "b");
}

static void
test_no_memory_for_an_answer(void **state)
{
	(void)state;
	run("port.delete", "{\"name\":\"a\"}", 9);
	rpc_reply(pending, NULL);
	assert_int_equal(json_integer_value(json_object_get(error(), "code")),
			JSONRPC_INTERNAL_ERROR);
}

static void
test_names_of_parameters(void **state)
{
	(void)state;
	refused("port.show", "[\"a\"]", JSONRPC_INVALID_PARAMS, "port.show takes name");
	bad("port.show", NULL, "name", "show-port: name: is missing");
	bad("port.show", "{\"nam\":\"a\"}", "nam", "'nam' is not known here; did you mean name?");
	assert_string_equal(data("nearest"), "name");
	bad("port.list", "{\"x\":1}", "x", "port.list takes no parameters");
	bad("port.add", "{\"name\":\"a\",\"mtuu\":1}", "mtuu",
			"add-port a: 'mtuu' is not known here");
	assert_string_equal(data("nearest"), "mtu");
	bad("port.add", "{\"name\":\"a\",\"colour\":1}", "colour",
			"takes name, type, may-exist, mtu");
	bad("port.set", "{\"name\":\"a\",\"socket\":\"/x\"}", "socket", "cannot be changed");
	bad("port.set", "{\"name\":\"a\",\"may-exist\":true}", "may-exist", "is not known here");
}

static void
test_values_of_parameters(void **state)
{
	(void)state;
	bad("port.show", "{\"name\":7}", "name", "7 is not the name of a port, as a string");
	bad("port.show", "{\"name\":null}", "name", "null is not");
	bad("port.add", "{\"name\":\"a\",\"type\":\"vhost-usr\"}", "type",
			"did you mean vhost-user?");
	assert_string_equal(data("nearest"), "vhost-user");
	bad("port.add", "{\"name\":\"a\",\"may-exist\":1}", "may-exist", "1 is not true or false");
	bad("port.add", "{\"name\":\"a\",\"mtu\":67}", "mtu", "from 68 to 65535");
	bad("port.add", "{\"name\":\"a\",\"connect\":\"/x\",\"mode\":\"0600\"}", "mode", "connect");
	bad("fdb.add", "{\"mac\":\"02:00:00:00:00:01\",\"port\":\"a\",\"vlan\":5}", "vlan",
			"5 is not a VLAN that there is");
	bad("fdb.add", "{\"mac\":\"02:00\",\"port\":\"a\"}", "mac", "is not a MAC address");
	bad("fdb.delete", "{\"mac\":\"02:00:00:00:00:01\",\"vlan\":4095}", "vlan",
			"this switch has no VLANs yet");
	bad("fdb.delete", "{\"mac\":\"02:00:00:00:00:01\",\"vlan\":0.0}", "vlan",
			"this switch has no VLANs yet");
	bad("switch.set", "{\"ageing-time\":86401}", "ageing-time", "from 1 to 86400");
	bad("config.save", "{\"file\":\"x.json\"}", "file", "absolute path");
	bad("log.set", "{\"level\":\"debgu\"}", "level", "did you mean debug?");
	bad("event.subscribe", "{\"events\":[]}", "events", "one or more of");
	bad("event.subscribe", "{\"events\":[7]}", "events", "one or more of");
	bad("event.subscribe", "{\"events\":[\"mac.moved\",\"port.ad\"]}", "events",
			"did you mean port.added?");
	assert_string_equal(data("nearest"), "port.added");
}

static void
test_long_values_are_cut(void **state)
{
	char params[5000];

	(void)state;
	snprintf(params, sizeof(params), "{\"name\":\"a\",\"type\":\"%4000s\"}", "x");
	bad("port.add", params, "type", "... is not one of");
	snprintf(params, sizeof(params), "{\"%04000d\":1}", 1);
	refused("port.add", params, JSONRPC_INVALID_PARAMS, "is not known here");
	assert_true(strlen(data("param")) < 64);
}

static void
test_values_are_read(void **state)
{
	json_t *params = json_loads(
			"{\"n\":5,\"t\":\"x\",\"b\":true,\"w\":[\"c\",\"a\"]}", 0, NULL);

	(void)state;
	assert_int_equal(rpc_params_integer(params, "n", 1), 5);
	assert_int_equal(rpc_params_integer(params, "m", 1), 1);
	assert_string_equal(rpc_params_text(params, "t", "y"), "x");
	assert_string_equal(rpc_params_text(params, "u", "y"), "y");
	assert_true(rpc_params_bool(params, "b", false));
	assert_true(rpc_params_bool(NULL, "b", true));
	assert_int_equal(rpc_params_words(params, "w", "a|b|c"), 5);
	assert_int_equal(rpc_params_words(params, "v", "a|b|c"), UINT32_MAX);
	json_decref(params);
}

/* The name that the last but one of its members may have alone. */
static const char *
told_name(const struct event_info *info)
{
	return info->params.fields[info->params.n - 2].words;
}

static void
count_word(const char *word, void *arg)
{
	size_t *n = arg;

	assert_string_equal(word, event_infos[*n].name);
	assert_string_equal(word, told_name(&event_infos[*n]));
	(*n)++;
}

static void
test_words_of_events(void **state)
{
	size_t n = 0;

	(void)state;
	words_for_each(EVENTS_WORDS, count_word, &n);
	assert_int_equal(n, EVENT_KINDS);
}

static const json_t *
find(const json_t *array, const char *name)
{
	const json_t *element;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		element = json_array_get(array, i);
		if (strcmp(json_string_value(json_object_get(element, "name")), name) == 0)
			return element;
	}
	fail_msg("nothing is called %s", name);
	return NULL;
}

static void
test_discovery(void **state)
{
	const json_t *methods, *add, *set, *schema;
	size_t i;

	(void)state;
	run("rpc.discover", NULL, 7);
	assert_int_equal(json_integer_value(json_object_get(answer, "id")), 7);
	schema = json_object_get(answer, "result");
	assert_string_equal(json_string_value(json_object_get(schema, "openrpc")), "1.2.6");
	methods = json_object_get(schema, "methods");
	add = json_object_get(find(methods, "port.add"), "params");
	set = json_object_get(find(methods, "port.set"), "params");
	assert_non_null(rpc_method_at(json_array_size(methods) - 1));
	assert_null(rpc_method_at(json_array_size(methods)));
	assert_true(json_is_true(json_object_get(find(add, "name"), "required")));
	assert_true(json_is_false(json_object_get(find(add, "socket"), "required")));
	schema = json_object_get(find(add, "type"), "schema");
	assert_string_equal(json_string_value(json_object_get(schema, "default")), "vhost-user");
	for (i = 0; i < json_array_size(set); i++) {
		schema = json_object_get(json_array_get(set, i), "name");
		assert_string_not_equal(json_string_value(schema), "connect");
	}
}

/* Every reference leads to an object, and every object that is described is referred to. */
static void
count_references(const json_t *value, const json_t *schemas, json_t *seen)
{
	const char *key, *target = json_string_value(json_object_get(value, "$ref"));
	json_t *member;
	size_t i;

	if (target != NULL) {
		target = strrchr(target, '/') + 1;
		if (json_object_get(schemas, target) == NULL)
			fail_msg("nothing is called %s", target);
		json_object_set_new(seen, target, json_true());
	}
	json_object_foreach ((json_t *)(uintptr_t)value, key, member)
		count_references(member, schemas, seen);
	json_array_foreach (value, i, member)
		count_references(member, schemas, seen);
}

static void
test_schemas_of_results(void **state)
{
	const json_t *document, *schemas;
	json_t *seen = json_object();

	(void)state;
	run("rpc.discover", NULL, 7);
	document = json_object_get(answer, "result");
	schemas = json_object_get(json_object_get(document, "components"), "schemas");
	assert_non_null(json_object_get(schemas, "PORT"));
	count_references(document, schemas, seen);
	assert_int_equal(json_object_size(seen), json_object_size(schemas));
	json_decref(seen);
}

/* Rows that count down, after a pause before each; the last of them may fail. */
struct countdown {
	struct rpc_rows rows;
	int left;
	int fails_at;
	bool paused;
	bool *released;
};

static int
count_down(struct rpc_rows *rows, const char **name, json_t **row)
{
	static const char *const names[] = { "zero", "one", "two" };
	struct countdown *countdown = (struct countdown *)rows;

	countdown->paused = !countdown->paused;
	if (countdown->paused)
		return -EAGAIN;
	if (countdown->left == countdown->fails_at)
		return -ENOMEM;
	if (countdown->left == 0)
		return 0;
	countdown->left--;
	*name = names[countdown->left];
	*row = json_integer(countdown->left);
	return 1;
}

static void
release_countdown(struct rpc_rows *rows)
{
	*((struct countdown *)rows)->released = true;
	free(rows);
}

static struct rpc_rows *
make_countdown(int n, json_t *rest, bool named, bool *released)
{
	struct countdown *countdown = calloc(1, sizeof(*countdown));

	assert_non_null(countdown);
	countdown->rows = (struct rpc_rows){ .next = count_down,
		.release = release_countdown,
		.rest = rest,
		.key = "list",
		.named = named,
		.id = json_string("x") };
	countdown->left = n;
	countdown->fails_at = -1;
	countdown->released = released;
	*released = false;
	return &countdown->rows;
}

static void
rows_are(int n, const char *rest, bool named, const char *expected)
{
	json_t *members = rest != NULL ? json_loads(rest, 0, NULL) : NULL;
	bool released;
	struct rpc_rows *rows = make_countdown(n, members, named, &released);

	assert_int_equal(write_rows(rows), 0);
	assert_int_equal(text_len, strlen(expected));
	assert_memory_equal(text, expected, text_len);
	assert_false(released);
	rpc_rows_release(rows);
	assert_true(released);
}

static void
test_rows(void **state)
{
	(void)state;
	rows_are(0, NULL, false, "{\"jsonrpc\":\"2.0\",\"result\":[],\"id\":\"x\"}");
	rows_are(2, NULL, false, "{\"jsonrpc\":\"2.0\",\"result\":[1,0],\"id\":\"x\"}");
	rows_are(3, "{\"n\":3,\"m\":[]}", false,
			"{\"jsonrpc\":\"2.0\",\"result\":{\"n\":3,\"m\":[],\"list\":[2,1,0]},\"id\":\"x\"}");
	rows_are(2, "{}", true,
			"{\"jsonrpc\":\"2.0\",\"result\":{\"list\":{\"one\":1,\"zero\":0}},\"id\":\"x\"}");
}

/* Without memory the text breaks off, and says so. */
static void
test_rows_that_fail(void **state)
{
	bool released;
	struct rpc_rows *rows = make_countdown(3, NULL, false, &released);
	int more;

	(void)state;
	((struct countdown *)rows)->fails_at = 1;
	assert_int_equal(write_rows(rows), -ENOMEM);
	rpc_rows_release(rows);
	assert_true(released);
	for (size_t room = 0; room < 60; room++) {
		rows = make_countdown(3, json_pack("{s:i}", "n", 3), true, &released);
		text_len = 0;
		text_room = room;
		do
			more = rpc_rows_write(rows, put, text);
		while (more > 0);
		assert_int_equal(more, -ENOSPC);
		rpc_rows_release(rows);
	}
}

static int
forget_answer(void **state)
{
	(void)state;
	json_decref(answer);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_methods_run),
		cmocka_unit_test(test_unknown_method),
		cmocka_unit_test(test_notification_is_not_answered),
		cmocka_unit_test(test_answer_later),
		cmocka_unit_test(test_fail_names_command_and_object),
		cmocka_unit_test(test_no_memory_for_an_answer),
		cmocka_unit_test(test_names_of_parameters),
		cmocka_unit_test(test_values_of_parameters),
		cmocka_unit_test(test_long_values_are_cut),
		cmocka_unit_test(test_values_are_read),
		cmocka_unit_test(test_words_of_events),
		cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_schemas_of_results),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_that_fail),
	};

	return cmocka_run_group_tests(tests, make_stand_ins, forget_answer);
}
