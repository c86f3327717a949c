/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints events as they come, one line each, until Ctrl-C, or until the reader or the switch leaves. */
#ifndef CTL_MONITOR_H
#define CTL_MONITOR_H

#include "commands/command.h"
#include "request/rpc.h"

/* To be called after event.subscribe; see struct command.follow. */
int monitor_follow(struct rpc *rpc, const struct invocation *call);

#endif
