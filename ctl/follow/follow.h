/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands that go on until Ctrl-C: how monitor and stats --watch wait between two outputs.
 */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

#include <stdbool.h>
#include <stdio.h>

#include "request/rpc.h"

/* From now on SIGINT or SIGTERM ends the command in good order, and a second one ends it at once. */
void follow_begin(void);

/* Whether one has come. */
bool follow_interrupted(void);

/*
 * Waits until there is something to read from the switch, its connection ends, a signal comes, the reader of
 * the standard output leaves, or so many seconds have passed (negative: no limit). 0; -EPIPE: the reader
 * has left.
 */
int follow_wait(const struct rpc *rpc, double seconds);

/* Prints a time of day with milliseconds; time: seconds since 1970. */
void follow_print_time(FILE *out, double time);

#endif
