/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in mbufs and frames as plain bytes: the pool, and the way from one to the other.
 *
 * Protocols work on plain bytes; a frame that is larger than a buffer is a chain of them. Main
 * thread.
 */
#ifndef CLIENT_BUFFERS_H
#define CLIENT_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "settings/settings.h"

/* MiB of DPDK memory that the ports of these settings need, pool and rings together. */
size_t buffers_memory(const struct settings *s);

/* The pool for all ports; NULL with rte_errno set. Freed with rte_mempool_free. */
struct rte_mempool *buffers_create(const struct settings *s);

/* The bytes of a frame: in place if they are in one piece, else copied to scratch (of its size). */
const uint8_t *buffers_frame(const struct rte_mbuf *m, uint8_t *scratch);

/* Room for a frame of size bytes in as many buffers as it needs; NULL: the pool is empty. */
struct rte_mbuf *buffers_alloc(struct rte_mempool *pool, size_t size);

/* Copies a frame of exactly the size that m was made for. */
void buffers_fill(struct rte_mbuf *m, const uint8_t *frame);

#endif
