/* SPDX-License-Identifier: BSD-3-Clause */
/* See monitor.h. */
#include "monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "view.h"

static volatile sig_atomic_t interrupted;

static void
interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/*
 * SIGINT and SIGTERM are let in only while this program waits, so that none falls between a look at
 * the flag and the wait. A second one, while a write hangs on a reader that does not read, ends it.
 */
static void
catch_signals(sigset_t *waiting)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigprocmask(SIG_BLOCK, NULL, waiting);
}

static void
block_signals(int how)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(how, &signals, NULL);
}

/* Waits for input, a signal, or the end of the reader. 0, or -EPIPE: the reader has gone. */
static int
wait_for_input(const struct rpc *rpc, const sigset_t *waiting)
{
	struct pollfd pfds[] = { { .fd = rpc->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

	block_signals(SIG_BLOCK);
	if (!interrupted)
		ppoll(pfds, 2, NULL, waiting);
	block_signals(SIG_UNBLOCK);
	return !interrupted && (pfds[1].revents & (POLLERR | POLLNVAL)) != 0 ? -EPIPE : 0;
}

static void
print_time(FILE *out, double time)
{
	time_t seconds = (time_t)time;
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(out, "%s.%03d", text, (int)((time - (double)seconds) * 1000));
}

static void
print_event(FILE *out, const json_t *event)
{
	char peer[64];

	print_time(out, view_number(event, "time"));
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

/* Writes every event that has been read. 0, or -errno of the output; -EBADMSG with err. */
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
	sigset_t waiting;
	int ret;

	catch_signals(&waiting);
	for (;;) {
		ret = write_events(rpc, as_json, err, sizeof(err));
		if (ret == 0)
			ret = wait_for_input(rpc, &waiting);
		if (interrupted)
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
