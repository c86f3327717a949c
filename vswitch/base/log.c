/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See log.h. A line is written under one lock by a call that does not block; which call depends on what
 * stderr is. A pipe or a terminal is opened a second time, because O_NONBLOCK on the inherited open
 * file description would affect every program that shares it.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mutex.h"
#include "clock.h"

/* With the newline. Below PIPE_BUF (4,096), because a pipe takes up to that whole or not at all. */
#define LINE_MAX_LEN 2048

enum target {
	TARGET_WRITE,  /* a file, or opened a second time with O_NONBLOCK: write() */
	TARGET_SOCKET, /* the journal: send() with MSG_DONTWAIT */
	TARGET_POLL,   /* could not be opened again: write() only after poll() reports room */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct mutex lock = MUTEX_INIT;
static int log_fd = STDERR_FILENO; /* written once, by open_target() */
static enum target target;	   /* also written once, by open_target() */
static uint64_t lost;		   /* lines since the last one written; under lock */
static TAILQ_HEAD(, log_bucket) incomplete GUARDED_BY(lock) = TAILQ_HEAD_INITIALIZER(incomplete);
static int threshold = LOG_LEVEL_INFO; /* enum log_level; any thread, atomic */

static const char *const names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void
log_set_level(enum log_level level)
{
	__atomic_store_n(&threshold, (int)level, __ATOMIC_RELAXED);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)__atomic_load_n(&threshold, __ATOMIC_RELAXED);
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

int
log_level_from_name(const char *name, enum log_level *level)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static void
open_target(void)
{
	struct stat st;
	int fd;

	if (fstat(STDERR_FILENO, &st) != 0 || S_ISREG(st.st_mode)) {
		target = TARGET_WRITE;
		return;
	}
	if (S_ISSOCK(st.st_mode)) {
		target = TARGET_SOCKET;
		return;
	}
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		log_fd = fd;
	target = fd >= 0 ? TARGET_WRITE : TARGET_POLL;
}

static bool
has_room(void)
{
	struct pollfd pfd = { .fd = log_fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT) != 0;
}

/* True when the line was written. */
static bool
put(const char *line, size_t len)
{
	ssize_t n;

	do {
		if (target == TARGET_SOCKET)
			n = send(log_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else if (target == TARGET_POLL && !has_room())
			return false;
		else
			n = write(log_fd, line, len);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static void
put_lost(void)
{
	char line[128];
	int len;

	len = snprintf(line, sizeof(line),
			"warning: %llu lines of the log were lost: the reader of stderr was too slow\n",
			(unsigned long long)lost);
	if (put(line, (size_t)len))
		lost = 0;
}

/* Replaces control characters, which could affect a terminal, because names come from other programs. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

/* `line` has `len` bytes, and room for a newline after them. */
static void
put_line(char *line, size_t len) REQUIRES(lock)
{
	line[len++] = '\n';
	if (lost > 0)
		put_lost();
	if (lost > 0 || !put(line, len))
		lost++;
}

/* Writes "level: subject: text" without a newline; returns its length. */
static size_t
format(char line[LINE_MAX_LEN], enum log_level level, const char *subject, const char *fmt,
		va_list args)
{
	size_t len;

	pthread_once(&once, open_target);
	len = (size_t)snprintf(line, LINE_MAX_LEN, "%s: %s%s", names[level], subject,
			subject[0] != '\0' ? ": " : "");
	vsnprintf(line + len, LINE_MAX_LEN - len - 1, fmt, args);
	clean(line);
	return strlen(line);
}

static bool
is_wanted(enum log_level level)
{
	return (int)level <= __atomic_load_n(&threshold, __ATOMIC_RELAXED);
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;
	size_t len;

	if (!is_wanted(level))
		return;
	va_start(args, fmt);
	len = format(line, level, "", fmt, args);
	va_end(args);
	mutex_lock(&lock);
	put_line(line, len);
	mutex_unlock(&lock);
}

/* 1203 as "1,203". */
static void
format_count(uint64_t count, char *text, size_t size)
{
	if (count >= 1000) {
		format_count(count / 1000, text, size);
		snprintf(text + strlen(text), size - strlen(text), ",%03u",
				(unsigned int)(count % 1000));
	} else {
		snprintf(text, size, "%u", (unsigned int)count);
	}
}

/* Logs how many lines of the bucket were left out. */
static void
tell(struct log_bucket *bucket) REQUIRES(lock)
{
	char line[LINE_MAX_LEN], count[32];
	int len;

	if (bucket->left_out == 0)
		return;
	format_count(bucket->left_out, count, sizeof(count));
	len = snprintf(line, sizeof(line), "%s: %s: and %s more", names[bucket->worst],
			bucket->subject, count);
	put_line(line, (size_t)len);
	bucket->left_out = 0;
	TAILQ_REMOVE(&incomplete, bucket, link);
}

/* True when one more line may be written; otherwise counts it as left out. */
static bool
take_line(struct log_bucket *bucket, enum log_level level) REQUIRES(lock)
{
	const uint64_t period = 1000000000 / LOG_RATE;
	uint64_t now = clock_ns();

	if (now - bucket->filled_ns > LOG_BURST * period)
		bucket->filled_ns = now - LOG_BURST * period;
	if (now - bucket->filled_ns >= period) {
		bucket->filled_ns += period;
		return true;
	}
	if (bucket->left_out == 0) {
		TAILQ_INSERT_TAIL(&incomplete, bucket, link);
		bucket->since_ns = now;
		bucket->worst = level;
	}
	bucket->left_out++;
	if (level < bucket->worst)
		bucket->worst = level;
	return false;
}

void
log_from(struct log_bucket *bucket, enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;
	size_t len;

	if (!is_wanted(level))
		return;
	va_start(args, fmt);
	len = format(line, level, bucket->subject, fmt, args);
	va_end(args);
	mutex_lock(&lock);
	if (take_line(bucket, level)) {
		tell(bucket);
		put_line(line, len);
	}
	mutex_unlock(&lock);
}

void
log_bucket_release(struct log_bucket *bucket)
{
	mutex_lock(&lock);
	tell(bucket);
	mutex_unlock(&lock);
}

void
log_tell_left_out(void)
{
	struct log_bucket *bucket, *next;
	uint64_t now = clock_ns();

	mutex_lock(&lock);
	for (bucket = TAILQ_FIRST(&incomplete); bucket != NULL; bucket = next) {
		next = TAILQ_NEXT(bucket, link);
		if (now - bucket->since_ns >= 1000000000)
			tell(bucket);
	}
	mutex_unlock(&lock);
}
