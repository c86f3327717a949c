/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user frontend with as little of its own as possible, for measuring backends: it writes
 * and recycles descriptors and headers, and touches payload only when asked to. Split rings, one
 * region of memory, mergeable receive buffers and VIRTIO_F_IN_ORDER where they are offered.
 *
 * A DPDK frontend costs more a frame than a good backend, so that it would be what is measured.
 *
 * Descriptor i of a ring always names buffer i, and the avail ring never changes: with buffers used
 * in order each ring is a plain circle. One thread.
 */
#ifndef TESTS_BENCH_RAW_PORT_H
#define TESTS_BENCH_RAW_PORT_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RAW_HEADER_LEN 12
#define RAW_FRAME_MAX 9014
/* A receive buffer of the usual size: header and a frame of 2,036 bytes. */
#define RAW_RX_BUFFER_LEN 2048

struct raw_ring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint8_t *buffers;
	uint32_t stride;     /* bytes from one buffer to the next */
	uint32_t buffer_len; /* bytes of one buffer */
	uint16_t size;	     /* descriptors, a power of two */
	uint16_t avail_idx;  /* offered so far */
	uint16_t used_idx;   /* taken back so far */
	bool astray;	     /* the backend used buffers otherwise than assumed: do not believe */
	int kick_fd;
	int call_fd;
};

struct raw_port {
	int fd;
	int memory_fd;
	uint8_t *memory;
	uint64_t memory_size;
	uint32_t buffers_per_frame; /* that a received frame takes, by its size */
	struct raw_ring rx;	    /* ring 0 */
	struct raw_ring tx;	    /* ring 1 */
};

struct raw_config {
	const char *path;   /* where the backend listens */
	uint16_t ring_size; /* descriptors of each ring */
	uint32_t frame_max; /* bytes of the longest frame to send */
	bool huge;	    /* memory in hugepages of 2 MiB */
};

/* Connects and starts both rings, all receive buffers offered. 0, or -errno after a message. */
int raw_port_open(struct raw_port *port, const struct raw_config *config);

void raw_port_close(struct raw_port *port);

/* raw_session.c: the handshake. 0 or -errno. */
int raw_session_start(struct raw_port *port, const char *path);

static inline uint8_t *
raw_buffer(const struct raw_ring *ring, uint16_t index)
{
	return ring->buffers + (uint64_t)(index & (ring->size - 1)) * ring->stride;
}

static inline struct vring_desc *
raw_desc(const struct raw_ring *ring, uint16_t index)
{
	return &ring->desc[index & (ring->size - 1)];
}

/* The frame in the n-th free buffer of the transmitq. */
static inline uint8_t *
raw_tx_frame(const struct raw_port *port, uint16_t n)
{
	return raw_buffer(&port->tx, port->tx.avail_idx + n) + RAW_HEADER_LEN;
}

/* Descriptors of the transmitq that are free. */
static inline uint16_t
raw_tx_free(struct raw_port *port)
{
	struct raw_ring *ring = &port->tx;

	ring->used_idx = __atomic_load_n(&ring->used->idx, __ATOMIC_ACQUIRE);
	return ring->size - (uint16_t)(ring->avail_idx - ring->used_idx);
}

/* How many buffers ahead of their writing lines are asked for: they are in the backend's cache. */
#define RAW_WRITE_AHEAD 8

/* Inline assembly: for the baseline of x86-64 the compiler would ask for a shared line. */
static inline void
raw_prefetch_for_write(const void *line)
{
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
}

/* Writes header and descriptor of buffer `index` of a transmitq, whose frame has `len` bytes. */
static inline void
raw_tx_put(const struct raw_ring *ring, uint16_t index, uint32_t len)
{
	uint8_t *buffer = raw_buffer(ring, index);

	raw_prefetch_for_write(raw_buffer(ring, index + RAW_WRITE_AHEAD));
	raw_prefetch_for_write(raw_desc(ring, index + RAW_WRITE_AHEAD));
	memset(buffer, 0, RAW_HEADER_LEN);
	*raw_desc(ring, index) = (struct vring_desc){
		.addr = (uintptr_t)buffer,
		.len = RAW_HEADER_LEN + len,
	};
}

/* Makes `n` descriptors available, and kicks where the backend asked for it. */
void raw_offer(struct raw_ring *ring, uint16_t n);

/*
 * Takes what was received and gives the buffers back; returns how many frames. Adds their bytes to
 * *bytes. How many buffers a frame takes follows from its size; with `touch` each one's header is
 * asked too, and every cache line of the payload is read.
 */
uint32_t raw_rx_take(struct raw_port *port, bool touch, uint64_t *bytes);

#endif
