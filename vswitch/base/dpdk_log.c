/* SPDX-License-Identifier: BSD-3-Clause */
/* See dpdk_log.h. */
#include "dpdk_log.h"

#include <errno.h>
#include <stdio.h>

#include <rte_log.h>

#include "log.h"

static enum log_level
our_level(int rte_level)
{
	if (rte_level <= (int)RTE_LOG_ERR)
		return LOG_LEVEL_ERROR;
	if (rte_level == (int)RTE_LOG_WARNING)
		return LOG_LEVEL_WARNING;
	return rte_level <= (int)RTE_LOG_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

static __thread struct {
	char *text; /* NULL: not listening */
	size_t size;
} listener;

void
dpdk_log_listen(char *text, size_t size)
{
	listener.text = text;
	listener.size = size;
	if (text != NULL)
		text[0] = '\0';
}

/* Keeps only the first error, which is the cause. Later ones are its consequences. */
static void
tell_listener(const char *text, size_t len)
{
	if (listener.text == NULL || listener.text[0] != '\0' ||
			rte_log_cur_msg_loglevel() > (int)RTE_LOG_ERR)
		return;
	snprintf(listener.text, listener.size, "%.*s", (int)len, text);
}

/*
 * Only for debugging while the thread listens, because the listener reports what matters, and a port that
 * waits for its device tries every second.
 */
static enum log_level
level_of_message(void)
{
	return listener.text != NULL ? LOG_LEVEL_DEBUG : our_level(rte_log_cur_msg_loglevel());
}

/* The write function of the stream to which DPDK logs. Gets one message in each call. */
static ssize_t
take_message(void *cookie, const char *text, size_t len)
{
	/* limited by a bucket, because frontends can make the vhost library log */
	static struct log_bucket said = LOG_BUCKET("dpdk");
	size_t shown = len;

	(void)cookie;
	while (shown > 0 && text[shown - 1] == '\n')
		shown--;
	tell_listener(text, shown);
	if (shown > 0)
		log_from(&said, level_of_message(), "%.*s", (int)shown, text);
	return (ssize_t)len;
}

int
dpdk_log_open(void)
{
	cookie_io_functions_t functions = { .write = take_message };
	static FILE *stream; /* never closed, because DPDK's threads use it to the end */

	stream = fopencookie(NULL, "w", functions);
	if (stream == NULL)
		return -ENOMEM;
	return rte_openlog_stream(stream);
}
