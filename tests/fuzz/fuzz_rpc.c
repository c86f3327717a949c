/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the control socket: any bytes, in pieces, into lines, batches and requests, up to the
 * methods of the real table with their real checks. What a method does is left out but for the
 * settings of ports, which are read. Each request is answered once, in valid JSON, with its own id.
 *
 * The input is what the client sends, so that a fuzzer's dictionary fits (json.dict).
 */
#include <stdbool.h>
#include <string.h>

#include "events.h"
#include "fuzz.h"
#include "lineframe.h"
#include "port_json.h"
#include "port_options.h"
#include "rpc.h"
#include "rpc_handlers.h"
#include "rpc_params.h"

#define LINE_MAX_BYTES 4096

/* A request on its way, as control_client.c keeps one. */
struct request {
	json_t *id; /* NULL: a notification */
	bool answered;
	json_t *reply;
};

static struct rpc_call *late;

/* Every parameter as rpc_port.c and its like ask for it. */
static void
read_params(const json_t *params)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)params, key, value) {
		FUZZ_CHECK(value != NULL);
		if (json_is_string(value))
			FUZZ_CHECK(rpc_params_text(params, key, NULL) != NULL);
		else if (json_is_integer(value))
			(void)rpc_params_integer(params, key, 0);
		else if (json_is_boolean(value))
			(void)rpc_params_bool(params, key, false);
	}
}

static void
answer(struct rpc_call *call, const json_t *params)
{
	read_params(params);
	rpc_reply(call, json_true());
}

/* The options of a port, as port.add and port.set read them. */
static void
answer_port(struct rpc_call *call, const json_t *params)
{
	struct port_settings settings = { .mtu = 1500, .enabled = true, .queues = 1 };
	char err[256] = "";
	const char *key = NULL;

	FUZZ_CHECK(json_is_object(params));
	if (port_options_check_together(params, PORT_KIND_KERNEL, &key, err, sizeof(err)) != 0)
		FUZZ_CHECK(err[0] != '\0');
	if (port_json_read(params, &settings, &key, err, sizeof(err)) != 0) {
		FUZZ_CHECK(err[0] != '\0' && key != NULL);
		rpc_fail(call, JSONRPC_INVALID_PARAMS, json_pack("{s:s}", "param", key), "%s", err);
		return;
	}
	FUZZ_CHECK(settings.mtu >= MTU_MIN && settings.mtu <= MTU_MAX);
	FUZZ_CHECK(settings.queues >= 1 && settings.queues <= PORT_QUEUES_MAX);
	FUZZ_CHECK(settings.n_ips <= PORT_ADDRESSES_MAX);
	FUZZ_CHECK(memchr(settings.socket, '\0', sizeof(settings.socket)) != NULL);
	FUZZ_CHECK(memchr(settings.devargs, '\0', sizeof(settings.devargs)) != NULL);
	rpc_reply(call, json_true());
}

void
rpc_port_add(struct rpc_call *call, const json_t *params)
{
	answer_port(call, params);
}

void
rpc_port_set(struct rpc_call *call, const json_t *params)
{
	answer_port(call, params);
}

/* Answers when the next line comes. */
void
rpc_port_delete(struct rpc_call *call, const json_t *params)
{
	read_params(params);
	FUZZ_CHECK(late == NULL);
	late = call;
}

void
rpc_event_subscribe(struct rpc_call *call, const json_t *params)
{
	rpc_subscriber(call)->events = rpc_params_words(params, "events", EVENTS_WORDS);
	rpc_reply(call, json_true());
}

#define METHOD(name)                                                                               \
	void name(struct rpc_call *call, const json_t *params)                                     \
	{                                                                                          \
		answer(call, params);                                                              \
	}

METHOD(rpc_switch_status)
METHOD(rpc_switch_set)
METHOD(rpc_port_list)
METHOD(rpc_port_show)
METHOD(rpc_stats_get)
METHOD(rpc_stats_clear)
METHOD(rpc_fdb_list)
METHOD(rpc_fdb_add)
METHOD(rpc_fdb_delete)
METHOD(rpc_fdb_flush)
METHOD(rpc_config_save)
METHOD(rpc_log_set)
METHOD(rpc_discover)

static void
on_done(void *arg, json_t *reply)
{
	struct request *request = arg;

	FUZZ_CHECK(!request->answered);
	request->answered = true;
	request->reply = reply;
	FUZZ_CHECK((reply == NULL) == (request->id == NULL));
	if (reply != NULL)
		FUZZ_CHECK(json_equal(json_object_get(reply, "id"), request->id));
}

/* One message to the client: a line, and JSON that is as strict as the client's must be. */
static void
check_sent(json_t *message)
{
	json_t *again;
	char err[256];
	size_t len;
	char *line;

	FUZZ_CHECK(message != NULL);
	line = jsonrpc_line(message, &len);
	FUZZ_CHECK(line != NULL && len > 0 && memchr(line, '\n', len) == line + len - 1);
	if (jsonrpc_parse_json(line, len - 1, &again, err, sizeof(err)) != 0)
		FUZZ_FAIL("the answer is no JSON: %s", err);
	FUZZ_CHECK(json_equal(again, message));
	json_decref(again);
	json_decref(message);
	free(line);
}

static void
end_late(void)
{
	struct rpc_call *call = late;

	late = NULL;
	if (call != NULL)
		rpc_fail(call, JSONRPC_REFUSED, NULL, "not today");
}

/* Runs request number i; its answer, NULL for a notification. */
static json_t *
run_request(const struct jsonrpc_batch *batch, size_t i, struct rpc_subscriber *subscriber,
		bool *is_due)
{
	struct request request = { 0 };
	struct jsonrpc_request view;
	char err[RPC_TEXT_MAX] = "";
	int code = jsonrpc_batch_request(batch, i, &view, err, sizeof(err));

	*is_due = code != 0 || view.id != NULL;
	if (code != 0) {
		FUZZ_CHECK(err[0] != '\0' && memchr(err, '\0', sizeof(err)) != NULL);
		return jsonrpc_error(view.id, code, err, NULL);
	}
	FUZZ_CHECK(view.method != NULL);
	request.id = view.id;
	rpc_run(NULL, subscriber, &view, on_done, &request);
	end_late();
	FUZZ_CHECK(request.answered);
	return request.reply;
}

static void
play_line(const char *line, size_t len, struct rpc_subscriber *subscriber)
{
	struct jsonrpc_batch batch;
	char err[RPC_TEXT_MAX] = "";
	int code = jsonrpc_batch_parse(&batch, line, len, err, sizeof(err));
	size_t n, n_due = 0;
	json_t *out = NULL;
	bool is_array;

	if (code != 0) {
		FUZZ_CHECK(err[0] != '\0' && memchr(err, '\0', sizeof(err)) != NULL);
		check_sent(jsonrpc_error(NULL, code, err, NULL));
		return;
	}
	n = jsonrpc_batch_count(&batch);
	is_array = batch.is_array;
	FUZZ_CHECK(n >= 1 && n <= JSONRPC_MAX_BATCH && (is_array || n == 1));
	for (size_t i = 0; i < n; i++) {
		bool is_due, last;
		json_t *reply = run_request(&batch, i, subscriber, &is_due);

		FUZZ_CHECK((reply != NULL) == is_due);
		n_due += is_due;
		last = jsonrpc_batch_answer(&batch, reply, &out);
		FUZZ_CHECK(last == (i + 1 == n));
	}
	jsonrpc_batch_release(&batch);
	FUZZ_CHECK((out != NULL) == (n_due > 0));
	FUZZ_CHECK(out == NULL || (is_array ? json_array_size(out) == n_due : json_is_object(out)));
	if (out != NULL)
		check_sent(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Neither chosen by the input, which is text: long ones come in small pieces. */
	size_t piece = 1 + size % 97, lines = 0;
	struct rpc_subscriber subscriber = { 0 };
	struct lineframe frame;
	const char *line;
	size_t len;
	int ret = 0;

	lineframe_init(&frame, LINE_MAX_BYTES);
	for (size_t done = 0; done < size && ret >= 0; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		FUZZ_CHECK(lineframe_append(&frame, data + done, n) == 0);
		while ((ret = lineframe_next(&frame, &line, &len)) == 1) {
			FUZZ_CHECK(len <= LINE_MAX_BYTES && memchr(line, '\n', len) == NULL);
			play_line(line, len, &subscriber);
			lines++;
		}
	}
	FUZZ_CHECK(lineframe_pending(&frame) <= size - lines);
	/* What stands behind the last newline is cut off; here it counts as a line too. */
	if (ret == 0)
		play_line((const char *)data + (size - lineframe_pending(&frame)),
				lineframe_pending(&frame), &subscriber);
	lineframe_release(&frame);
	return 0;
}
