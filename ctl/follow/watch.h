/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats --watch: prints rates of ports again and again until Ctrl-C, or until the reader or the switch
 * leaves.
 */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include "commands/command.h"
#include "request/rpc.h"

#define WATCH_SECONDS_MIN 0.01 /* less would keep the switch busy with replies */
#define WATCH_SECONDS_MAX 86400

/* To be called after stats.get; see struct command.follow. */
int watch_follow(struct rpc *rpc, const struct invocation *call);

#endif
