/* SPDX-License-Identifier: BSD-3-Clause */
/* See poll_list.h. */
#include "poll_list.h"

void
poll_list_add(struct worker *worker, struct source *source, uint64_t now)
{
	if (source->active)
		return;
	source->active = true;
	fair_share_skip(&worker->fair, source);
	source->quiet_since = now;
	source->ops->disarm(source);
	worker->active[worker->n_active++] = source;
}
