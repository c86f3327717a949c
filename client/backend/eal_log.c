/* SPDX-License-Identifier: BSD-3-Clause */
/* See eal_log.h. Each kept message is preceded by its level as a digit, '1' to '9'. */
#include "eal_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <rte_log.h>

/* Logged at every start, because eal.c allows no runtime directory. */
static const char *const expected[] = { "DPDK runtime directory", "/dpdk':" };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char kept[EAL_LOG_SIZE + 1]; /* under lock */
static size_t length;		    /* under lock */
static FILE *stream;

/* Appends a message. When there is no room, all but the newest quarter is dropped. */
static void
keep(char level, const char *message, size_t size)
{
	size_t half = EAL_LOG_SIZE / 2;

	if (size + 1 > half)
		size = half - 1;
	if (length + size + 1 > EAL_LOG_SIZE) {
		memmove(kept, kept + length - half / 2, half / 2);
		length = half / 2;
	}
	kept[length++] = level;
	memcpy(kept + length, message, size);
	length += size;
	kept[length] = '\0';
}

/* Of messages that only inform, keeps nothing but the features, because the driver may log very much. */
static bool
is_wanted(int level, const char *message, size_t size)
{
	return level <= (int)RTE_LOG_WARNING ||
			memmem(message, size, EAL_LOG_FEATURES, strlen(EAL_LOG_FEATURES)) != NULL;
}

static ssize_t
on_write(void *cookie, const char *message, size_t size)
{
	int level = rte_log_cur_msg_loglevel();

	(void)cookie;
	pthread_mutex_lock(&lock);
	if (is_wanted(level, message, size))
		keep((char)('0' + (level > 0 && level < 9 ? level : 9)), message, size);
	pthread_mutex_unlock(&lock);
	return (ssize_t)size;
}

int
eal_log_open(void)
{
	cookie_io_functions_t functions = { .write = on_write };

	stream = fopencookie(NULL, "w", functions);
	if (stream == NULL)
		return -errno;
	return rte_openlog_stream(stream) == 0 ? 0 : -EIO;
}

void
eal_log_close(void)
{
	if (stream == NULL)
		return;
	rte_openlog_stream(NULL);
	fclose(stream);
	stream = NULL;
}

void
eal_log_clear(void)
{
	pthread_mutex_lock(&lock);
	length = 0;
	kept[0] = '\0';
	pthread_mutex_unlock(&lock);
}

bool
eal_log_has(const char *text)
{
	bool found;

	pthread_mutex_lock(&lock);
	found = strstr(kept, text) != NULL;
	pthread_mutex_unlock(&lock);
	return found;
}

bool
eal_log_number(const char *label, uint64_t *value)
{
	const char *at, *last = NULL;

	pthread_mutex_lock(&lock);
	for (at = strstr(kept, label); at != NULL; at = strstr(at + 1, label))
		last = at;
	if (last != NULL)
		*value = strtoull(last + strlen(label), NULL, 16);
	pthread_mutex_unlock(&lock);
	return last != NULL;
}

static bool
is_expected(const char *line, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (memmem(line, size, expected[i], strlen(expected[i])) != NULL)
			return true;
	return false;
}

/* True for an error or a warning that is not expected. A line begins with the digit of its level. */
static bool
is_worth_telling(const char *line, size_t size)
{
	return line[0] > '0' && line[0] <= '0' + (int)RTE_LOG_WARNING && !is_expected(line, size);
}

void
eal_log_dump(void)
{
	const char *line = kept, *end;

	if (pthread_mutex_trylock(&lock) != 0)
		return; /* the signal interrupted a thread that was logging */
	while ((end = strchr(line, '\n')) != NULL) {
		if (is_worth_telling(line, (size_t)(end - line)) &&
				write(STDERR_FILENO, line + 1, (size_t)(end - line)) < 0)
			break;
		line = end + 1;
	}
	pthread_mutex_unlock(&lock);
}

void
eal_log_print_errors(void)
{
	char *line, *rest = NULL;

	pthread_mutex_lock(&lock);
	for (line = strtok_r(kept, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (is_worth_telling(line, strlen(line)))
			fprintf(stderr, "  %s\n", line + 1);
	length = 0;
	kept[0] = '\0';
	pthread_mutex_unlock(&lock);
}
