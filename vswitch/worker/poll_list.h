/* SPDX-License-Identifier: BSD-3-Clause */
/* The sources that a worker polls. The worker only. */
#ifndef VSWITCH_POLL_LIST_H
#define VSWITCH_POLL_LIST_H

#include "worker_thread.h"

/* Puts a source into the poll list, if it is not in it. */
void poll_list_add(struct worker *worker, struct source *source, uint64_t now);

#endif
