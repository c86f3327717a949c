/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lets go of a big guest's memory aside. To unmap 4 GiB of ordinary pages and to give them back takes
 * the kernel more than half a second, and the vhost library does it in the one thread that serves every
 * port. So, when the workers have left the memory and before the library hears of it, a thread
 * of its own takes the mapping's pages out of this process's page tables, a piece at a time, and keeps the
 * files open until the library is done with them: then the library finds nothing to do, and
 * closes no last reference.
 *
 * Control thread; one thread a release, which ends by itself.
 */
#ifndef VSWITCH_MEMORY_RELEASE_H
#define VSWITCH_MEMORY_RELEASE_H

#include <stdbool.h>

#include "rings/guest_mem.h"
#include "gate/session.h"

struct event_base;

/* Once, before the first port. 0 or -ENOMEM. */
int memory_release_init(struct event_base *base);

/*
 * The memory `mem` with the files of `session` is about to be unmapped. False: it is small, or
 * nothing can be done, and the caller goes on. True: it waits for `done(arg)`, which comes
 * from the event loop, once. The mapping stays until then.
 */
bool memory_release(const struct guest_mem *mem, const struct session *session,
		void (*done)(void *arg), void *arg);

#endif
