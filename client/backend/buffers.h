/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pool of mbufs, and copies between frames in mbufs and frames as plain bytes.
 *
 * Protocols work on plain bytes. A frame that is larger than a buffer is a chain of mbufs. Main thread.
 */
#ifndef CLIENT_BUFFERS_H
#define CLIENT_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "settings/settings.h"

/* MiB of DPDK memory that the ports of these settings need, for pool and rings. */
size_t buffers_memory(const struct settings *s);

/* The pool for all ports; NULL with rte_errno set. Freed with rte_mempool_free. */
struct rte_mempool *buffers_create(const struct settings *s);

/* The bytes of a frame: in place if they are in one piece, else copied to scratch, which must hold them. */
const uint8_t *buffers_frame(const struct rte_mbuf *m, uint8_t *scratch);

/* Allocates as many buffers as a frame of size bytes needs; NULL: the pool is empty. */
struct rte_mbuf *buffers_alloc(struct rte_mempool *pool, size_t size);

/* Copies a frame to m; it must have exactly the size for which m was allocated. */
void buffers_fill(struct rte_mbuf *m, const uint8_t *frame);

#endif
