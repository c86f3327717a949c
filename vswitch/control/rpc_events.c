/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about events: event.subscribe. */
#include "rpc_tables.h"

#include "events.h"
#include "rpc.h"
#include "rpc_params.h"
#include "text/words.h"

static json_t *
get_names(const void *subject)
{
	return json_incref((json_t *)(uintptr_t)subject);
}

/* clang-format off */
static const struct report_field subscribed_fields[] = {
	{ REPORT_GET("subscribed", REPORT_TEXT, get_names), .shape = REPORT_LIST,
	  .words = EVENTS_WORDS, .meaning = "the events that will come" },
};
/* clang-format on */

static const struct report_object subscribed_object = { REPORT_FIELDS(subscribed_fields) };

struct selection {
	uint32_t bits;
	uint32_t index;
	json_t *names;
};

static void
add_selected(const char *word, void *arg)
{
	struct selection *selection = arg;

	if ((selection->bits >> selection->index++ & 1) != 0)
		json_array_append_new(selection->names, json_string(word));
}

static void
subscribe(struct rpc_call *call, const json_t *params)
{
	struct selection selection = { .names = json_array() };

	selection.bits = rpc_params_words(params, "events", EVENTS_WORDS);
	words_for_each(EVENTS_WORDS, add_selected, &selection);
	rpc_subscriber(call)->events = selection.bits;
	events_watch(selection.bits);
	rpc_reply(call, report_make(&subscribed_object, selection.names));
	json_decref(selection.names);
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "events", .type = RPC_WORDS, .words = EVENTS_WORDS,
	  .help = "which events; else all" },
};

static const struct rpc_method methods[] = {
	{ .name = "event.subscribe", .command = "monitor", .run = subscribe,
	  RPC_PARAMS(params),
	  .only_tells = true,
	  .summary = "Sends events as they happen on this connection, until it ends; replaces what was "
		     "subscribed to before.",
	  RPC_RESULT(&subscribed_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_event_methods = RPC_TABLE(methods);
