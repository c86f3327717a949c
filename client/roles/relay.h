/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Prepares a received frame for sending through another port, with its pending offloads (a checksum to
 * complete, a large TCP segment to cut): they stay pending.
 *
 * role_kernel.c uses it between the switch's port and the exception port. Main thread.
 */
#ifndef CLIENT_RELAY_H
#define CLIENT_RELAY_H

#include <stdbool.h>

#include <rte_mbuf.h>

/* True when the UDP or TCP checksum need not be checked, because it is known to be right or is pending. */
bool relay_is_verified(const struct rte_mbuf *m);

/*
 * Sets flags and header lengths of a received frame for sending. Does not change a pending checksum, because
 * the field holds the sum of the pseudo-header on both sides (virtio 1.1, 5.1.6.2). False: DPDK cannot
 * describe the headers; the frame must not be sent.
 */
bool relay_prepare(struct rte_mbuf *m);

#endif
