/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that go on until Ctrl-C: what monitor and stats --watch wait for between two outputs.
 */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

#include <stdbool.h>
#include <stdio.h>

#include "request/rpc.h"

/* From here on SIGINT and SIGTERM end the command in good order; a second one ends it at once. */
void follow_begin(void);

bool follow_interrupted(void);

/*
 * Waits until the switch has something to say or has gone, a signal came, the reader of the
 * standard output left, or so many seconds have passed (negative: for ever). 0, or -EPIPE: the
 * reader has gone.
 */
int follow_wait(const struct rpc *rpc, double seconds);

/* A time of the day with milliseconds; time: seconds since 1970. */
void follow_print_time(FILE *out, double time);

#endif
