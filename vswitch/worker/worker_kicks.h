/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources whose kicks are not listened to for a time: those whose port rests, those whose frames must
 * wait for memory, and those whose kicks bring no frames. A frontend can kick as fast as it likes, and each kick would keep its
 * worker awake for a while. So when too many in a row came for nothing, the kick descriptor is not
 * listened to for a time, and the source is looked at on the worker's timer instead. The worker only,
 * while it is online: the descriptor is then open.
 */
#ifndef VSWITCH_WORKER_KICKS_H
#define VSWITCH_WORKER_KICKS_H

#include "worker_thread.h"

/* The source leaves the poll list, and nothing came since it entered it. */
void worker_kicks_idle(struct worker *worker, struct source *source, uint64_t now);

/*
 * The source's port rests (account.h). True: it left the poll list for the time; false when that is
 * not worth it.
 */
bool worker_kicks_rest(struct worker *worker, struct source *source, uint64_t now);

/* The source is `stopped`: it leaves the poll list, and is looked at again after a while. */
void worker_kicks_stop(struct worker *worker, struct source *source, uint64_t now);

/* A frame came. */
static inline void
worker_kicks_useful(struct source *source)
{
	source->idle_kicks = 0;
}

/* Listens again to those whose time is over, and polls them. */
void worker_kicks_unmute(struct worker *worker, uint64_t now);

#endif
