/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A number for the flow that a frame belongs to, by which a receiver with several queues is given
 * all frames of a flow in one of them, and so in order. Workers; pure.
 */
#ifndef VSWITCH_FLOW_HASH_H
#define VSWITCH_FLOW_HASH_H

#include <stdint.h>

/*
 * From the first `len` bytes of a frame: IP addresses, protocol and the ports of TCP, UDP and SCTP
 * where they lie within; addresses alone of a fragment; of all else the MAC addresses. Up to
 * two VLAN tags are passed over.
 */
uint32_t flow_hash(const uint8_t *head, uint32_t len);

#endif
