/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limits of the whole switch.
 */
#ifndef VSWITCH_SWITCH_LIMITS_H
#define VSWITCH_SWITCH_LIMITS_H

#include "options/port_limits.h"

/*
 * Port ids are 0 .. PORTS_MAX - 1. Sessions with the vhost library are fewer, because its event loop
 * polls at most 1,024 descriptors, of which it needs two itself.
 */
#define PORTS_MAX 1024
#define SESSIONS_MAX 1000

#define WORKERS_MAX 16

/* Ids of sources are 0 .. SOURCES_MAX - 1. Each queue that frames come from is a source. */
#define SOURCES_MAX (PORTS_MAX * PORT_QUEUES_MAX)

/* Texts of a port, with their terminating zeros. */
#define PORT_NAME_MAX 64
#define PORT_TEXT_MAX 256

/* The most frames that one turn takes from one queue. */
#define BURST_MAX 64

/*
 * A frame may be as long as the MTU plus FRAME_OVERHEAD: Ethernet header (14 bytes) and one VLAN tag (4).
 * A frame that has two tags may have 4 bytes more: burst_fits(). The FCS is never in memory.
 */
#define ETHERNET_HEADER_LEN 14
#define VLAN_TAG_LEN 4
#define FRAME_OVERHEAD (ETHERNET_HEADER_LEN + VLAN_TAG_LEN)
#define FRAME_OVERHEAD_MAX (FRAME_OVERHEAD + VLAN_TAG_LEN)
#define FRAME_LEN_MAX (PORT_MTU_MAX + FRAME_OVERHEAD_MAX)

/*
 * Rings of a vhost-user port: 2 N is the receiveq (switch to frontend) of queue pair N, and 2 N + 1 its
 * transmitq. A port has one pair.
 */
#define VRING_RECEIVEQ 0
#define VRING_TRANSMITQ 1
#define PORT_VRING_PAIRS 1
#define PORT_VRINGS (2 * PORT_VRING_PAIRS)

#define VRING_SIZE_MIN 2
#define VRING_SIZE_MAX 32768

/* The vhost library maps at most eight memory regions for each frontend. */
#define MEMORY_REGIONS_MAX 8

/*
 * Address space that one frontend's memory may take: the sum of its regions, each counted from the start
 * of its file, as the library maps it. Far more than any guest has. A process has 128 TiB.
 */
#define MEMORY_MAPPED_MAX (1ull << 40)

#endif
