/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feature bits of VIRTIO that several layers use. They are here because some files cannot include the
 * kernel's headers and those of the vhost library together.
 */
#ifndef VSWITCH_VIRTIO_BITS_H
#define VSWITCH_VIRTIO_BITS_H

/*
 * All offloads of a network device (VIRTIO 1.2, 5.1.3): CSUM, GUEST_CSUM, GUEST_TSO4, GUEST_TSO6, GUEST_ECN,
 * HOST_TSO4, HOST_TSO6, HOST_ECN.
 */
#define VIRTIO_NET_F_OFFLOADS 0x3b83ull

#endif
