/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors that the driver of AF_XDP, and libxdp below it, forget. Of a device that is closed they
 * leave a queue's first socket open, so the interface's queue stays taken until the process ends; and the
 * BPF program with its map. Helper threads.
 */
#ifndef VSWITCH_ETHDEV_XDP_H
#define VSWITCH_ETHDEV_XDP_H

#include <stdint.h>

#define ETHDEV_XDP_MAX 64 /* descriptors of a device */

struct ethdev_xdp_fd {
	int fd;
	uint64_t id; /* of what it is a descriptor of: the number of the descriptor may be another's later */
};

struct ethdev_xdp {
	uint32_t n;
	struct ethdev_xdp_fd fds[ETHDEV_XDP_MAX];
};

/* From here until ethdev_xdp_end() no other device makes any. */
void ethdev_xdp_begin(void);

/* Those that have come since ethdev_xdp_begin() are the device's. */
void ethdev_xdp_end(struct ethdev_xdp *own);

/* The device is closed: closes what its driver did not. */
void ethdev_xdp_close(struct ethdev_xdp *own);

#endif
