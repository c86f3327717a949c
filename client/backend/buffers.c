/* SPDX-License-Identifier: BSD-3-Clause */
/* See buffers.h. */
#include "buffers.h"

#include <rte_ethdev.h>

enum {
	ROOM = 2048,  /* of a buffer, without headroom */
	SPARE = 1024, /* buffers in hand, beyond those in rings */
	BENCH = 8192, /* of a bench: a larger pool goes round through the CPU's cache and slows it */
	LARGE = 7,    /* buffers of a large frame in one slot of a ring, beyond the first */
	CACHE = 64,
	OVERHEAD = 320,	  /* of a buffer: mbuf, mempool object, alignment */
	RING_ENTRY = 512, /* of a descriptor: ring, header region, bookkeeping */
	MEMORY_MIN = 64,
	MEMORY_BASE = 24, /* what DPDK itself and the pool's index need */
	PAGE = 4096,
	MIB = 1 << 20,
};

/* A buffer must hold a whole frame where frames cannot be spread over several. */
static size_t
room(const struct settings *s)
{
	size_t frame = s->mtu + 18u;

	return s->mergeable || frame <= ROOM ? ROOM : RTE_ALIGN_CEIL(frame, RTE_CACHE_LINE_SIZE);
}

/*
 * The role kernel has as many rings again. All may be full at once, those that are sent from with
 * large frames that take an indirect table each; frames in more buffers take as many slots. Then
 * there are still buffers to receive into, without which nothing would be sent or freed any more.
 *
 * A bench may send frames of several buffers, and its receive rings must not lack what they hold. */
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

/* A pool lets no object cross a page that it need not cross; ordinary pages are small. */
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
