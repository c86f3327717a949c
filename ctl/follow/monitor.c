/* SPDX-License-Identifier: BSD-3-Clause */
/* See monitor.h. */
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "follow.h"
#include "show/output.h"
#include "show/view.h"

static void
print_event(FILE *out, const json_t *event)
{
	char peer[64];

	follow_print_time(out, view_number(event, "time"));
	fprintf(out, "  %-13s  %s", view_text(event, "event"), view_text(event, "port"));
	if (json_is_object(json_object_get(event, "peer")))
		fprintf(out, ": %s", view_peer(event, peer, sizeof(peer)));
	if (json_is_string(json_object_get(event, "mac")))
		fprintf(out, ": %s", view_text(event, "mac"));
	if (json_is_string(json_object_get(event, "from")))
		fprintf(out, " moved from %s to %s", view_text(event, "from"),
				view_text(event, "to"));
	if (json_is_string(json_object_get(event, "text")))
		fprintf(out, ": %s", view_text(event, "text"));
	fputc('\n', out);
}

static int
write_event(json_t *event)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret = -ENOMEM;

	if (out == NULL)
		return -ENOMEM;
	view_clean(event);
	print_event(out, event);
	if (fclose(out) == 0)
		ret = output_write(text, len);
	free(text);
	return ret;
}

/* Writes every event that has been read. 0, -errno of the output, or rpc_take()'s -EBADMSG with err. */
static int
write_events(struct rpc *rpc, bool as_json, char *err, size_t err_size)
{
	json_t *message, *event;
	int ret;

	while ((ret = rpc_take(rpc, &message, err, err_size)) == 1) {
		event = json_object_get(message, "params");
		ret = 0;
		if (json_is_object(event))
			ret = as_json ? output_json(event, 0) : write_event(event);
		json_decref(message);
		if (ret != 0)
			return ret;
	}
	return ret;
}

int
monitor_follow(struct rpc *rpc, const struct invocation *call)
{
	bool as_json = options_given(call->options, "json");
	char err[512] = "";
	int ret;

	follow_begin();
	for (;;) {
		ret = write_events(rpc, as_json, err, sizeof(err));
		if (ret == 0)
			ret = follow_wait(rpc, -1);
		if (follow_interrupted())
			return STATUS_DONE;
		if (ret == 0)
			ret = rpc_read(rpc, err, sizeof(err));
		if (err[0] != '\0') {
			fprintf(stderr, "vswitchctl: %s\n", err);
			return STATUS_NO_SWITCH;
		}
		if (ret != 0 && ret != -EAGAIN)
			return output_status(ret);
	}
}
