/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_pool.h. */
#include "ethdev_pool.h"

#include <pthread.h>
#include <stdio.h>

#include <unistd.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/mutex.h"
#include "base/switch_limits.h"

/* A device is opened for a port only, and a port has one pool at a time, or two during a change. */
#define RETIRED_MAX (2 * PORTS_MAX)

/* Mbufs that a thread with an lcore's number keeps at hand. */
#define CACHE_SIZE 64

static struct mutex lock = MUTEX_INIT;
static struct rte_mempool *retired[RETIRED_MAX] GUARDED_BY(lock);
static uint32_t n_retired GUARDED_BY(lock);

struct rte_mempool *
ethdev_pool_create(uint32_t n, uint32_t room, bool whole)
{
	static uint32_t number;
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "ethdev-%u", __atomic_fetch_add(&number, 1, __ATOMIC_RELAXED));
	/*
	 * Threads share CPUs: in this kind of ring nobody waits for one that was taken off its CPU in
	 * the middle of its work.
	 */
	pool = rte_pktmbuf_pool_create_by_ops(name, n, CACHE_SIZE, 0, RTE_PKTMBUF_HEADROOM + room,
			SOCKET_ID_ANY, "ring_mt_rts");
	if (pool != NULL && whole && pool->nb_mem_chunks != 1) {
		rte_mempool_free(pool);
		pool = NULL;
	}
	return pool;
}

uint32_t
ethdev_pool_mib(uint32_t n, uint32_t room)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE), each;
	uint64_t bytes;

	each = rte_mempool_calc_obj_size(
			sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM + room, 0, NULL);
	/* An mbuf is in one page where it fits one. */
	if (!rte_eal_has_hugepages())
		each = each <= page ? page / (page / each) : RTE_ALIGN_CEIL(each, page);
	bytes = (uint64_t)n * each;
	return (uint32_t)((bytes + (1u << 20) - 1) >> 20);
}

bool
ethdev_pool_reap(void)
{
	uint32_t kept = 0;

	mutex_lock(&lock);
	for (uint32_t i = 0; i < n_retired; i++) {
		if (rte_mempool_full(retired[i]))
			rte_mempool_free(retired[i]);
		else
			retired[kept++] = retired[i];
	}
	n_retired = kept;
	mutex_unlock(&lock);
	return kept > 0;
}

void
ethdev_pool_retire(struct rte_mempool *pool, bool alone)
{
	if (alone) {
		rte_mempool_free(pool);
		return;
	}
	mutex_lock(&lock);
	/* Pools without a place stay: more of them than ports is a device that gives nothing back. */
	if (pool != NULL && n_retired < RETIRED_MAX)
		retired[n_retired++] = pool;
	mutex_unlock(&lock);
	ethdev_pool_reap();
}
