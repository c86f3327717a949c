/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame as the mbuf that a device sends: for ethdev_sink.c. Workers, under the sink's lock. */
#ifndef VSWITCH_ETHDEV_MBUF_H
#define VSWITCH_ETHDEV_MBUF_H

#include <stdbool.h>

#include "ethdev.h"

/*
 * Frame i of the burst for this device: a reference to the mbuf that it is already, where nobody will
 * write to it; else its first bytes in an mbuf of the device and references to the rest; else, of
 * a frame that is in no mbuf, a copy. What it needs is told by the mbuf's flags: see
 * ethdev_mbuf_tells(). NULL: no mbufs are left.
 */
struct rte_mbuf *ethdev_mbuf_make(const struct ethdev *dev, const struct burst *burst, uint32_t i);

/* The device takes a frame of so many bytes: in one mbuf, or it sends chains. */
bool ethdev_mbuf_fits(const struct ethdev *dev, uint32_t len);

/*
 * Whether an mbuf's flags can say what frame i needs, to this device: they know TCP and UDP only,
 * and most devices no more than IP in front of that.
 */
bool ethdev_mbuf_tells(const struct ethdev *dev, const struct burst *burst, uint32_t i);

#endif
