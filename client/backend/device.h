/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port: a device of DPDK with one pair of rings. Either virtio_user on a vhost-user socket, which main
 * opens for each --path, or the exception port to the kernel (exception.h).
 *
 * loop.c and the roles receive and send on it. Main thread; only the event that the backend went away or
 * came back runs on DPDK's interrupt thread.
 */
#ifndef CLIENT_DEVICE_H
#define CLIENT_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "settings/settings.h"

#define DEVICE_BURST 64 /* frames received or sent at once */

/* The offloads of frames that are used where both ends have them. */
#define DEVICE_RX_OFFLOADS                                                                         \
	(RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO)
#define DEVICE_TX_OFFLOADS                                                                         \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO)

struct device {
	uint16_t id;	  /* DPDK's port number */
	const char *path; /* or the interface's name; borrowed from the settings */
	uint8_t mac[6];
	uint16_t queue_size;	/* of a virtio device */
	uint64_t rx_offloads;	/* in use, as DPDK's RTE_ETH_RX_OFFLOAD_ */
	uint64_t tx_offloads;	/* RTE_ETH_TX_OFFLOAD_ */
	int call_fd;		/* readable when the backend called; not to be closed */
	bool frames_in_call_fd; /* call_fd is the TAP itself, which only DPDK may read */
	bool lost;		/* the kernel's interface is gone for good */
	uint64_t features;	/* negotiated, as in the virtio specification */
	/* the split rings, to count what the backend has not used yet */
	const uint8_t *receiveq, *transmitq;
	atomic_bool up; /* the backend is there; writers: the interrupt thread, device_is_up() */
};

/*
 * Opens and starts the port of settings' path number index; with --server waits for the backend. Uses the
 * port's offloads if the settings' backend to the kernel can pass them on. 0, or -errno with err: -EPROTO
 * when the backend refused, -ETIMEDOUT when no backend connected, -EINTR when a signal asked to stop, else
 * the system's. On failure nothing is left.
 */
int device_open(struct device *d, const struct settings *s, size_t index, struct rte_mempool *pool,
		char *err, size_t err_size);

/*
 * Sets up the queues of a probed device, with so many descriptors, and starts it. d->rx_offloads and
 * d->tx_offloads are the wanted offloads, and afterwards those in use. link: also follow its link state,
 * which is the backend's. 0 or -errno.
 */
int device_start(struct device *d, uint16_t descriptors, bool link, struct rte_mempool *pool);

/* Finds the addresses of a virtio device's rings; NULL for other devices. */
void device_find_rings(struct device *d);

/* Ends the session and closes the port. Waits up to 2 s for a backend that does not reply. */
void device_close(struct device *d);

/* Whether the backend is there. */
bool device_is_up(struct device *d);

/* Receives at most count frames, which the caller then owns. Returns how many. */
unsigned int device_receive(struct device *d, struct rte_mbuf **frames, unsigned int count);

/* Returns how many of the frames the ring took; the rest stay the caller's. */
unsigned int device_send(struct device *d, struct rte_mbuf **frames, unsigned int count);

/* The same, but frees the frames that the ring does not take within a few milliseconds. */
unsigned int device_send_or_free(struct device *d, struct rte_mbuf **frames, unsigned int count);

/*
 * To sleep: arm, then receive once more, then wait until call_fd is readable. Afterwards disarm, which
 * also makes call_fd unreadable.
 */
void device_arm(struct device *d);
void device_disarm(struct device *d);

/* How many buffers of the receive ring the backend has not used yet; UINT_MAX: unknown. */
unsigned int device_room(const struct device *d);

/* How many chains of the transmit ring the backend has not used yet. */
unsigned int device_pending(const struct device *d);

/* Waits, at most so many seconds, until the backend has used all. Returns device_pending(). */
unsigned int device_drain(const struct device *d, double seconds);

#endif
