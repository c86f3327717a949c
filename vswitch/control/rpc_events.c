/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about events: event.subscribe. */
#include "rpc_handlers.h"

#include "events.h"
#include "rpc.h"
#include "rpc_params.h"

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

void
rpc_event_subscribe(struct rpc_call *call, const json_t *params)
{
	struct selection selection = { .names = json_array() };

	selection.bits = rpc_params_words(params, "events", EVENTS_WORDS);
	rpc_params_for_words(EVENTS_WORDS, add_selected, &selection);
	rpc_subscriber(call)->events = selection.bits;
	events_watch(selection.bits);
	rpc_reply(call, json_pack("{s:o}", "subscribed", selection.names));
}
