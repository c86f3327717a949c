/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frontend can shrink the file behind its memory; whoever touches what is gone gets SIGBUS. The
 * handler maps an anonymous page over it, marks the frontend's rings as not to be trusted, and
 * returns: no jump, so no lock and no half-done copy is left behind. A SIGBUS elsewhere is our own
 * defect and ends the process as usual.
 */
#ifndef VSWITCH_SIGBUS_H
#define VSWITCH_SIGBUS_H

#include "guest_mem.h"
#include "vring.h"

/* Installs the handler. After EAL's start: EAL replaces it while it allocates memory. 0 or -errno. */
int sigbus_install(void);

/*
 * Control thread: faults in these regions mark `health` from now on. Before any worker sees the
 * memory. 0 or -ENOSPC.
 */
int sigbus_watch(const struct guest_mem *mem, struct vring_health *health);

/* Control thread: forgets all regions of `health`. After the workers stopped using the memory. */
void sigbus_forget(const struct vring_health *health);

/*
 * The calling thread (the vhost library's) works for a frontend whose memory is not watched yet: a
 * fault anywhere marks `health`. NULL ends that.
 */
void sigbus_work_for(struct vring_health *health);

#endif
