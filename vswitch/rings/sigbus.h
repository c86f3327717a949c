/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who touches a page of a frontend's memory that its file does not have gets SIGBUS, for one of two
 * reasons. Nobody has touched it before (memory_fault.h): the handler makes the page, and adds it to
 * the port's account. Or the frontend has shrunk the file: the handler maps an anonymous page over what
 * is gone and marks the frontend's rings as not to be trusted. Then it returns: no jump, so no lock and no half-done
 * copy is left behind. A SIGBUS elsewhere is our own defect and ends the process as usual.
 */
#ifndef VSWITCH_SIGBUS_H
#define VSWITCH_SIGBUS_H

#include "guest_mem.h"
#include "memory_growth.h"
#include "vring.h"

/* Installs the handler. After EAL's start: EAL replaces it while it allocates memory. 0 or -errno. */
int sigbus_install(void);

/*
 * Control thread: faults in these regions mark `health` from now on, and pages that the switch adds to
 * them count in `growth`. Before any worker sees the memory. 0 or -ENOSPC.
 */
int sigbus_watch(const struct guest_mem *mem, struct vring_health *health,
		struct memory_growth *growth);

/* Control thread: forgets all regions of `health`. After the workers stopped using the memory. */
void sigbus_forget(const struct vring_health *health);

/*
 * The calling thread (the vhost library's) works for a frontend whose memory is not watched yet: a
 * fault anywhere marks `health`. NULL ends that.
 */
void sigbus_work_for(struct vring_health *health);

#endif
