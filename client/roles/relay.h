/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending a frame on through another port than it was received by: what was left to do of it when
 * it came (a checksum to complete, a large TCP segment to cut) is left to do when it goes.
 *
 * role_kernel.c uses it between the switch's port and the exception port. Main thread.
 */
#ifndef CLIENT_RELAY_H
#define CLIENT_RELAY_H

#include <stdbool.h>

#include <rte_mbuf.h>

/* Whether the UDP or TCP checksum needs no look: it is right, or not yet complete. */
bool relay_is_verified(const struct rte_mbuf *m);

/*
 * Makes a received frame one to be sent: flags and lengths of the headers. The checksum field
 * holds the sum of the pseudo-header on both ways (virtio 1.1, 5.1.6.2), and is not touched. False:
 * the headers are none that DPDK can describe; the frame must not be sent.
 */
bool relay_prepare(struct rte_mbuf *m);

#endif
