/* SPDX-License-Identifier: BSD-3-Clause */
/* See vring_health.h. */
#include "vring_health.h"

#include <stdbool.h>

#include "base/control_bell.h"

static const char *const defect_texts[] = {
	[VRING_SOUND] = "no defect",
	[VRING_AVAIL_JUMP] = "the driver made more chains available than the ring has entries",
	[VRING_BAD_HEAD] = "an available ring entry names a descriptor beyond the table",
	[VRING_MEMORY_GONE] = "the file behind the frontend's memory shrank while it was in use",
	[VRING_CALL_BLOCKED] = "the call descriptor blocked; it must be a non-blocking eventfd",
};

const char *
vring_health_text(enum vring_defect defect)
{
	return defect_texts[defect];
}

void
vring_health_break(struct vring_health *health, enum vring_defect defect, uint32_t index)
{
	uint64_t sound = VRING_SOUND;

	__atomic_compare_exchange_n(&health->word, &sound, (uint64_t)index << 32 | defect, false,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	control_bell_ring();
}
