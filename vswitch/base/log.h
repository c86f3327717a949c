/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's log: lines on stderr, "level: text". When the reader of stderr is too slow, lines are
 * lost and counted, and no caller blocks. Where stderr is a file, a call takes as long as the file
 * system needs. So any thread may call it except the workers and the watchdog (watchdog_log.h).
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
 * Limits the lines that a stranger (a frontend, a client) can cause. Each has a bucket of its own, which
 * allows LOG_BURST lines at once, then LOG_RATE a second. Further lines are counted and logged as "and
 * 1,203 more", with the next line that is written or about a second later.
 */
#define LOG_BURST 30
#define LOG_RATE 1

struct log_bucket {
	char subject[80]; /* begins each line: "port p0" */
	/* log.c's, under its lock */
	uint64_t filled_ns; /* one more line may be written for each second since then; CLOCK_MONOTONIC */
	uint64_t left_out;
	uint64_t since_ns; /* when the first line was left out */
	enum log_level worst;
	TAILQ_ENTRY(log_bucket) link; /* linked while left_out is not 0 */
};

/* A bucket that is never released. */
#define LOG_BUCKET(text)                                                                           \
	{                                                                                          \
		.subject = (text)                                                                  \
	}

/* To be called before `bucket` is freed: logs how many lines were left out. */
void log_bucket_release(struct log_bucket *bucket);

/* Logs "level: SUBJECT: text", unless the bucket has had too many. Threads as above. */
void log_from(struct log_bucket *bucket, enum log_level level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));

/* Logs the counts of lines that were left out over a second ago. Call it about once a second. */
void log_tell_left_out(void);

#endif
