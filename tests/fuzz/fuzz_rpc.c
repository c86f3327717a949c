/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client of the control socket: any bytes, in pieces, into lines and requests, step by step as
 * control_client.c does it, up to the methods of the real table with their real checks. What a method
 * does is left out but for the settings of ports, which are read; answers come at once, late, or in
 * rows. Each request is answered once, in its turn and with its own id, in valid JSON.
 *
 * The input is what the client sends, so that a fuzzer's dictionary fits (json.dict).
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <event2/buffer.h>

#include "control/control_line.h"
#include "control/events.h"
#include "fuzz.h"
#include "jsonrpc/lineframe.h"
#include "control/settings_json.h"
#include "options/port_options.h"
#include "control/rpc.h"
#include "control/rpc_params.h"
#include "control/rpc_rows.h"
#include "rpc_stand_ins.h"

#define LINE_MAX_BYTES 4096

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
	if (settings_json_read(params, &settings, &key, err, sizeof(err)) != 0) {
		FUZZ_CHECK(err[0] != '\0' && key != NULL);
		rpc_fail(call, JSONRPC_INVALID_PARAMS, json_pack("{s:s}", "param", key), "%s", err);
		return;
	}
	FUZZ_CHECK(settings.mtu >= PORT_MTU_MIN && settings.mtu <= PORT_MTU_MAX);
	FUZZ_CHECK(settings.queues >= 1 && settings.queues <= PORT_QUEUES_MAX);
	FUZZ_CHECK(settings.ip.n <= PORT_ADDRESSES_MAX);
	FUZZ_CHECK(memchr(settings.socket, '\0', sizeof(settings.socket)) != NULL);
	FUZZ_CHECK(memchr(settings.devargs, '\0', sizeof(settings.devargs)) != NULL);
	rpc_reply(call, json_true());
}

/* Answers when the next line comes. */
static void
answer_late(struct rpc_call *call, const json_t *params)
{
	read_params(params);
	FUZZ_CHECK(late == NULL);
	late = call;
}

static void
subscribe(struct rpc_call *call, const json_t *params)
{
	rpc_subscriber(call)->events = rpc_params_words(params, "events", EVENTS_WORDS);
	rpc_reply(call, json_true());
}

/* Three rows, each after a pause. */
struct three {
	struct rpc_rows rows;
	uint32_t n;
};

static int
next_row(struct rpc_rows *rows, const char **name, json_t **row)
{
	struct three *three = (struct three *)rows;

	(void)name;
	if (three->n == 6)
		return 0;
	if (three->n++ % 2 == 0)
		return -EAGAIN;
	*row = json_integer(three->n);
	return *row != NULL ? 1 : -ENOMEM;
}

static void
release_rows(struct rpc_rows *rows)
{
	free(rows);
}

static void
answer_rows(struct rpc_call *call, const json_t *params)
{
	struct three *three = calloc(1, sizeof(*three));

	read_params(params);
	FUZZ_CHECK(three != NULL);
	three->rows.next = next_row;
	three->rows.release = release_rows;
	rpc_reply_rows(call, &three->rows);
}

static void
make_stand_ins(void)
{
	static const struct rpc_stand_in stand_ins[] = {
		{ "port.add", answer_port },
		{ "port.set", answer_port },
		{ "port.delete", answer_late },
		{ "port.list", answer_rows },
		{ "event.subscribe", subscribe },
		{ NULL, NULL },
	};

	rpc_stand_ins(stand_ins, answer);
}

static void
end_late(void)
{
	struct rpc_call *call = late;

	late = NULL;
	if (call != NULL)
		rpc_fail(call, JSONRPC_REFUSED, NULL, "not today");
}

static void
on_answered(void *arg)
{
	FUZZ_CHECK(arg == &late);
}

/* Reply number *n_replies of the line is the one that is due for this request, if one is. */
static void
check_reply(const struct jsonrpc_batch *batch, size_t i, const json_t *answer, size_t *n_replies)
{
	struct jsonrpc_request request;
	char err[RPC_TEXT_MAX] = "";
	int code = jsonrpc_batch_request(batch, i, &request, err, sizeof(err));
	const json_t *reply, *id;

	FUZZ_CHECK(code == 0 ? request.method != NULL : err[0] != '\0');
	if (code == 0 && request.id == NULL)
		return;
	reply = batch->is_array ? json_array_get(answer, *n_replies) : answer;
	id = json_object_get(reply, "id");
	FUZZ_CHECK(request.id != NULL ? json_equal(id, request.id) : json_is_null(id));
	FUZZ_CHECK((json_object_get(reply, "result") == NULL) !=
			(json_object_get(reply, "error") == NULL));
	FUZZ_CHECK(code == 0 || json_object_get(reply, "error") != NULL);
	++*n_replies;
}

/* What was answered (NULL: nothing) against the requests of the line, read once more. */
static void
check_answer(const char *line, size_t len, const json_t *answer)
{
	struct jsonrpc_batch batch;
	char err[RPC_TEXT_MAX] = "";
	size_t n_replies = 0;
	int code;

	FUZZ_CHECK(jsonrpc_batch_begin(&batch, line, len) == 0);
	while ((code = jsonrpc_batch_read(&batch, err, sizeof(err))) > 0)
		;
	if (code == 0) {
		size_t n = jsonrpc_batch_count(&batch);

		FUZZ_CHECK(n >= 1 && n <= JSONRPC_MAX_BATCH && (batch.is_array || n == 1));
		for (size_t i = 0; i < n; i++)
			check_reply(&batch, i, answer, &n_replies);
		FUZZ_CHECK((answer != NULL) == (n_replies > 0));
		FUZZ_CHECK(!batch.is_array || json_array_size(answer) == n_replies);
	} else {
		FUZZ_CHECK(err[0] != '\0' && memchr(err, '\0', sizeof(err)) != NULL);
		FUZZ_CHECK(json_is_null(json_object_get(answer, "id")));
		FUZZ_CHECK(json_object_get(answer, "error") != NULL);
	}
	jsonrpc_batch_release(&batch);
}

/* Takes the answer out: a line, and JSON that is as strict as the client's must be. NULL: none. */
static json_t *
take_answer(struct evbuffer *out)
{
	size_t len = evbuffer_get_length(out);
	const char *text = (const char *)evbuffer_pullup(out, -1);
	json_t *answer;
	char err[256];

	if (len == 0)
		return NULL;
	FUZZ_CHECK(memchr(text, '\n', len) == text + len - 1);
	if (jsonrpc_parse_json(text, len - 1, &answer, err, sizeof(err)) != 0)
		FUZZ_FAIL("the answer is no JSON: %s", err);
	evbuffer_drain(out, len);
	return answer;
}

/* Runs a line to its end. With `leaves`, the client goes when it has to wait. */
static void
play_line(const char *text, size_t len, struct rpc_subscriber *subscriber, bool leaves)
{
	struct evbuffer *out = evbuffer_new();
	const struct control_line_owner owner = {
		.subscriber = subscriber, .out = out, .answered = on_answered, .arg = &late
	};
	struct control_line *line = control_line_begin(&owner, text, len);
	enum control_step step = CONTROL_LINE_MORE;
	json_t *answer;

	FUZZ_CHECK(out != NULL && line != NULL);
	while (step == CONTROL_LINE_MORE || step == CONTROL_LINE_WAITS) {
		step = control_line_step(line, false, false);
		FUZZ_CHECK((step == CONTROL_LINE_WAITS) == (late != NULL));
		if (step != CONTROL_LINE_WAITS)
			continue;
		if (leaves) {
			control_line_leave(line);
			break;
		}
		end_late();
	}
	FUZZ_CHECK(step != CONTROL_LINE_FAILED);
	if (step == CONTROL_LINE_DONE) {
		answer = take_answer(out);
		check_answer(text, len, answer);
		json_decref(answer);
	}
	evbuffer_free(out);
	end_late();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not chosen by the input's bytes, which are text. */
	size_t piece = 1 + size % 97, lines = 0;
	bool leaves = size % 5 == 0;
	struct rpc_subscriber subscriber = { 0 };
	struct lineframe frame;
	const char *line;
	size_t len;
	static bool ready;
	int ret = 0;

	if (!ready)
		make_stand_ins();
	ready = true;
	lineframe_init(&frame, LINE_MAX_BYTES);
	for (size_t done = 0; done < size && ret >= 0; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		FUZZ_CHECK(lineframe_append(&frame, data + done, n) == 0);
		while ((ret = lineframe_next(&frame, &line, &len)) == 1) {
			FUZZ_CHECK(len <= LINE_MAX_BYTES && memchr(line, '\n', len) == NULL);
			play_line(line, len, &subscriber, leaves);
			lines++;
		}
	}
	FUZZ_CHECK(lineframe_pending(&frame) <= size - lines);
	/* What stands behind the last newline is cut off; here it counts as a line too. */
	if (ret == 0)
		play_line((const char *)data + (size - lineframe_pending(&frame)),
				lineframe_pending(&frame), &subscriber, leaves);
	lineframe_release(&frame);
	return 0;
}
