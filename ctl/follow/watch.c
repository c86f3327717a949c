/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See watch.h. A rate is the difference of two results divided by the measured time between them, not by the
 * interval that was asked for. So rates are right even when the switch or the machine is late.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "follow.h"
#include "text/nearest.h"
#include "show/output.h"
#include "rates.h"
#include "screen.h"
#include "show/view.h"

/* One result of stats.get. */
struct sample {
	json_t *message; /* owns ports; NULL: none yet */
	const json_t *ports;
	double monotonic; /* seconds: halfway between request and reply */
};

struct watch {
	struct rpc *rpc;
	const struct invocation *call;
	struct sample earlier;
	struct screen screen;
	bool as_json;
	bool over; /* no further sample */
	char err[512];
};

static enum status
fail(const struct watch *w, enum status status)
{
	fprintf(stderr, "vswitchctl: %s\n", w->err);
	return status;
}

static enum status
take_sample(struct watch *w, struct sample *s)
{
	double start = rpc_now();
	struct rpc_reply reply;

	if (rpc_call(w->rpc, "stats.get", NULL, &reply, w->err, sizeof(w->err)) != 0)
		return fail(w, STATUS_NO_SWITCH);
	s->monotonic = (start + rpc_now()) / 2;
	s->message = reply.message;
	s->ports = json_object_get(reply.result, "ports");
	if (reply.refusal == NULL)
		return STATUS_DONE;
	snprintf(w->err, sizeof(w->err), "stats: %s", reply.refusal);
	json_decref(reply.message);
	return fail(w, STATUS_REFUSED);
}

/* At the start every named port must exist; later ports may come and go. */
static enum status
check_names(struct watch *w, const json_t *ports)
{
	const struct invocation *call = w->call;
	struct nearest near;
	const json_t *stats;
	const char *name;
	char why[256];
	size_t i;

	for (i = 0; i < call->word_count; i++) {
		if (json_object_get(ports, call->words[i]) != NULL)
			continue;
		nearest_init(&near, call->words[i]);
		json_object_foreach ((json_t *)ports, name, stats)
			nearest_offer(&near, name);
		snprintf(w->err, sizeof(w->err), "stats: %s",
				view_no_port(&near, why, sizeof(why)));
		return fail(w, STATUS_REFUSED);
	}
	return STATUS_DONE;
}

static double
time_of_day(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
show_json(json_t *rates, double seconds)
{
	json_t *line = json_pack("{s:f, s:f, s:O}", "time", time_of_day(), "seconds", seconds,
			"ports", rates);
	int ret = line != NULL ? output_json(line, 0) : -ENOMEM;

	json_decref(line);
	return ret;
}

static int
show_table(struct watch *w, const json_t *rates, double seconds)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int ret;

	if (out == NULL)
		return -ENOMEM;
	follow_print_time(out, time_of_day());
	fprintf(out, ", over %.2f s\n", seconds);
	ret = rates_print(out, rates);
	if (fclose(out) != 0 && ret == 0)
		ret = -ENOMEM;
	if (ret == 0)
		ret = screen_show(&w->screen, text);
	free(text);
	return ret;
}

/* 0 or -errno, as output_write(). */
static int
show(struct watch *w, const struct sample *later)
{
	double seconds = later->monotonic - w->earlier.monotonic;
	json_t *rates = rates_between(w->earlier.ports, later->ports, seconds, w->call->words,
			w->call->word_count);
	int ret;

	if (rates == NULL)
		return -ENOMEM;
	ret = w->as_json ? show_json(rates, seconds) : show_table(w, rates, seconds);
	json_decref(rates);
	return ret;
}

static enum status
end_with(struct watch *w, int ret)
{
	w->over = ret != 0;
	return (enum status)output_status(ret);
}

/* Takes a sample and shows rates. The first sample has no predecessor and only serves to check the names. */
static enum status
look(struct watch *w)
{
	enum status status;
	struct sample later;

	status = take_sample(w, &later);
	if (status != STATUS_DONE)
		return status;
	view_clean(later.message);
	if (w->earlier.message == NULL)
		status = check_names(w, later.ports);
	else
		status = end_with(w, show(w, &later));
	json_decref(w->earlier.message);
	w->earlier = later;
	return status;
}

/* Waits until the next sample is due, or until Ctrl-C or a failure. */
static enum status
rest(struct watch *w, double until)
{
	double left;
	int ret;

	while (!follow_interrupted() && (left = until - rpc_now()) > 0) {
		ret = follow_wait(w->rpc, left);
		if (ret != 0)
			return end_with(w, ret);
		ret = rpc_read(w->rpc, w->err, sizeof(w->err));
		if (ret != 0 && ret != -EAGAIN)
			return fail(w, STATUS_NO_SWITCH);
	}
	w->over = follow_interrupted();
	return STATUS_DONE;
}

int
watch_follow(struct rpc *rpc, const struct invocation *call)
{
	struct watch w = { .rpc = rpc, .call = call };
	double interval = options_number(call->options, "watch", 1), next = rpc_now();
	enum status status;

	w.as_json = options_given(call->options, "json");
	screen_init(&w.screen);
	follow_begin();
	do {
		status = look(&w);
		next = next + interval > rpc_now() ? next + interval : rpc_now() + interval;
		if (status == STATUS_DONE && !w.over)
			status = rest(&w, next);
	} while (status == STATUS_DONE && !w.over);
	json_decref(w.earlier.message);
	return status;
}
