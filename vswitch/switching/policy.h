/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What holds for the frames of a port beyond what stands in its entry of the forwarding table: VLANs,
 * isolation, filters. A policy is compiled on the control thread or a helper, is immutable from then on,
 * and may be shared by ports and by snapshots, the last of which frees it (base/shared.h).
 *
 * A port without one, as all are where no option makes one, costs one look a burst.
 */
#ifndef VSWITCH_POLICY_H
#define VSWITCH_POLICY_H

#include "base/shared.h"
#include "datapath/frame.h"

struct verdict;

/* Both are called by the workers, for a burst that came in at the port; either may be NULL. */
struct policy {
	struct shared shared;
	/*
	 * Before anything is learned. All verdicts are VERDICT_NONE; for frames that end here it makes
	 * them drops.
	 */
	void (*admit)(const struct policy *policy, const struct burst *burst,
			struct verdict *verdicts);
	/* After lookup: may change receivers and edits, and drop. None is VERDICT_NONE. */
	void (*judge)(const struct policy *policy, const struct burst *burst,
			struct verdict *verdicts);
};

#endif
