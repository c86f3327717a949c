/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's log: lines on stderr, "level: text". A reader of stderr that does not read loses lines
 * (counted), and blocks nobody. Where stderr is a file, a line lasts as long as its file system takes. So
 * any thread may call it but the workers and the watchdog (watchdog_log.h).
 */
#ifndef VSWITCH_LOG_H
#define VSWITCH_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Their names in this order. */
#define LOG_LEVEL_WORDS "error|warning|info|debug"

void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
/* 0 or -EINVAL. */
int log_level_from_name(const char *name, enum log_level *level);

void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Lines that others can cause (a frontend, a client), each source of them with a bucket of its own:
 * LOG_BURST lines at once, then LOG_RATE a second. Those beyond are counted and told as "and 1,203
 * more", with the next line that goes out or about a second later.
 */
#define LOG_BURST 30
#define LOG_RATE 1

struct log_bucket {
	char subject[80]; /* each line begins with it: "port p0" */
	/* log.c's, under its lock */
	uint64_t filled_ns; /* since then a line more may be written each second; CLOCK_MONOTONIC */
	uint64_t left_out;
	uint64_t since_ns; /* when the first of them was left out */
	enum log_level worst;
	TAILQ_ENTRY(log_bucket) link; /* linked while left_out is not 0 */
};

/* A bucket that is never released. */
#define LOG_BUCKET(text)                                                                           \
	{                                                                                          \
		.subject = (text)                                                                  \
	}

/* What was left out is said before `bucket` goes. */
void log_bucket_release(struct log_bucket *bucket);

/* A line "level: SUBJECT: text", unless there were too many. Threads as above. */
void log_from(struct log_bucket *bucket, enum log_level level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

/* Tells of lines that were left out a second ago or earlier. Call it about once a second. */
void log_tell_left_out(void);

#endif
