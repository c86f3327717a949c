/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with the rings of a frontend. A broken ring stays broken until its session ends. Only the
 * first defect counts. The control bell tells the control thread.
 */
#ifndef VSWITCH_VRING_HEALTH_H
#define VSWITCH_VRING_HEALTH_H

#include <stdint.h>

/* Why a ring is broken. The port is in fault until its frontend reconnects. */
enum vring_defect {
	VRING_SOUND,
	VRING_AVAIL_JUMP,   /* more chains made available than the ring has entries */
	VRING_BAD_HEAD,	    /* a head beyond the descriptor table */
	VRING_MEMORY_GONE,  /* the file behind the memory shrank (SIGBUS) */
	VRING_CALL_BLOCKED, /* the call descriptor blocked a worker */
};

/*
 * Shared by the rings of one frontend's session. Any worker, the SIGBUS handler and the control thread
 * write it; all read it. Once it is not VRING_SOUND, workers do not use the rings any more. The first defect
 * stays, because later ones may follow from it.
 */
struct vring_health {
	uint64_t word; /* enum vring_defect, and above bit 32 the index of its ring; atomic */
};

static inline enum vring_defect
vring_health_defect(const struct vring_health *health)
{
	return (enum vring_defect)(uint32_t)__atomic_load_n(&health->word, __ATOMIC_ACQUIRE);
}

static inline uint32_t
vring_health_index(const struct vring_health *health)
{
	return __atomic_load_n(&health->word, __ATOMIC_ACQUIRE) >> 32;
}

/* Records a defect and wakes the control thread. Any thread, also in a signal handler. */
void vring_health_break(struct vring_health *health, enum vring_defect defect, uint32_t index);

/* The text of the port's fault for this defect. */
const char *vring_health_text(enum vring_defect defect);

#endif
