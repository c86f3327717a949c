/* SPDX-License-Identifier: BSD-3-Clause */
/* See buffers.h. */
#include "buffers.h"

#include <rte_ethdev.h>

enum {
	ROOM = 2048,  /* bytes of a buffer, without headroom */
	SPARE = 1024, /* buffers beyond those in rings */
	BENCH = 8192, /* buffers of a bench; a larger pool would not stay in the CPU's cache */
	LARGE = 7,    /* further buffers that a large frame has in one slot of a ring */
	CACHE = 64,
	OVERHEAD = 320,	  /* bytes for each buffer: mbuf, mempool object, alignment */
	RING_ENTRY = 512, /* bytes for each descriptor: ring, header region, bookkeeping */
	MEMORY_MIN = 64,
	MEMORY_BASE = 24, /* MiB for DPDK itself and the pool's index */
	PAGE = 4096,
	MIB = 1 << 20,
};

/* Bytes of a buffer. Without mergeable buffers each one must hold a whole frame. */
static size_t
room(const struct settings *s)
{
	size_t frame = s->mtu + 18u;

	return s->mergeable || frame <= ROOM ? ROOM : RTE_ALIGN_CEIL(frame, RTE_CACHE_LINE_SIZE);
}

/*
 * How many buffers the pool has.
 *
 * The role kernel has twice as many rings. All may be full at once, the transmit rings with large frames in
 * indirect tables; a frame with more buffers than that takes as many slots. Even then there must be buffers
 * to receive into, because otherwise nothing would be sent or freed any more.
 *
 * A bench may send frames of several buffers. The receive rings must not lack the buffers that these hold. */
static size_t
count(const struct settings *s)
{
	size_t ring = s->path_count * s->queue_size;
	size_t wanted = ring * (1 + s->size / (room(s) + 1) + 1);

	if (s->role == ROLE_KERNEL)
		return 2 * (2 * ring) + SPARE +
				(s->backend == SETTINGS_BACKEND_VHOST_NET ? 2 * ring * LARGE : 0);
	if (s->role != ROLE_BENCH)
		return 2 * ring + SPARE;
	return wanted + SPARE < BENCH ? BENCH : wanted + SPARE;
}

/* Rounds objects up to pages: a pool lets no object cross a page needlessly, and ordinary pages are small. */
size_t
buffers_memory(const struct settings *s)
{
	size_t object = RTE_ALIGN_CEIL(room(s) + RTE_PKTMBUF_HEADROOM + OVERHEAD, PAGE);
	size_t rings = s->role == ROLE_KERNEL ? 4 : s->path_count * 2;
	size_t bytes = count(s) * object + rings * s->queue_size * RING_ENTRY;
	size_t mib = bytes / MIB + bytes / MIB / 8 + MEMORY_BASE;

	return mib < MEMORY_MIN ? MEMORY_MIN : mib;
}

struct rte_mempool *
buffers_create(const struct settings *s)
{
	return rte_pktmbuf_pool_create("frames", (unsigned int)count(s), CACHE, 0,
			(uint16_t)(room(s) + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
}

const uint8_t *
buffers_frame(const struct rte_mbuf *m, uint8_t *scratch)
{
	return rte_pktmbuf_read(m, 0, rte_pktmbuf_pkt_len(m), scratch);
}

struct rte_mbuf *
buffers_alloc(struct rte_mempool *pool, size_t size)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool), *last = head, *next;
	size_t part;

	if (head == NULL)
		return NULL;
	while (true) {
		part = RTE_MIN(size - head->pkt_len, (size_t)rte_pktmbuf_tailroom(last));
		last->data_len = (uint16_t)part;
		head->pkt_len += (uint32_t)part;
		if (head->pkt_len == size)
			return head;
		next = rte_pktmbuf_alloc(pool);
		if (next == NULL)
			break;
		last->next = next;
		last = next;
		head->nb_segs++;
	}
	rte_pktmbuf_free(head);
	return NULL;
}

void
buffers_fill(struct rte_mbuf *m, const uint8_t *frame)
{
	for (; m != NULL; m = m->next) {
		rte_memcpy(rte_pktmbuf_mtod(m, void *), frame, m->data_len);
		frame += m->data_len;
	}
}
