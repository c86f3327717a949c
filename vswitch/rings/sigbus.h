/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handles SIGBUS, which a thread gets when it touches a page of a frontend's memory that the file does not
 * have. There are two reasons:
 *
 *   - Nobody has touched the page before (memory_fault.h). The handler makes it and adds it to the port's
 *     account.
 *   - The frontend has shrunk the file. The handler maps an anonymous page over the missing one and marks
 *     the frontend's rings as broken.
 *
 * Then it returns. It does not jump, so it leaves no lock held and no copy half done. A SIGBUS elsewhere
 * is a defect of the switch and ends the process as usual.
 */
#ifndef VSWITCH_SIGBUS_H
#define VSWITCH_SIGBUS_H

#include "guest_mem.h"
#include "memory_growth.h"
#include "vring.h"

/* Installs the handler. After EAL's start, because EAL replaces it while it allocates. 0 or -errno. */
int sigbus_install(void);

/*
 * Control thread: from now on faults in these regions mark `health`, and pages that the switch adds to
 * them count in `growth`. Before any worker sees the memory. 0 or -ENOSPC.
 */
int sigbus_watch(const struct guest_mem *mem, struct vring_health *health,
		struct memory_growth *growth);

/* Control thread: ends that for all regions of `health`. After the workers stopped using them. */
void sigbus_forget(const struct vring_health *health);

/*
 * From now on a fault of the calling thread (the vhost library's) outside all watched regions marks
 * `health`: the thread works for a frontend whose memory may not be watched yet. NULL ends that.
 */
void sigbus_work_for(struct vring_health *health);

#endif
