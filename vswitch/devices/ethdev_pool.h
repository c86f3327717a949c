/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mbufs of a device, from the switch's fixed memory, and their way back. Helper threads.
 *
 * Frames go from device to device by reference, so when a device is removed its mbufs may still be
 * in the transmit queue of another one, which gives them back when it sends the next time. Until
 * the last is back the pool waits here.
 */
#ifndef VSWITCH_ETHDEV_POOL_H
#define VSWITCH_ETHDEV_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

/*
 * `n` mbufs that hold `room` bytes of a frame each; `whole`: in one piece of memory. NULL: there is not
 * enough memory.
 */
struct rte_mempool *ethdev_pool_create(uint32_t n, uint32_t room, bool whole);

/* MiB that such a pool takes, rounded up. */
uint32_t ethdev_pool_mib(uint32_t n, uint32_t room);

/*
 * Its device is gone: frees the pool, now or when its mbufs are back. `alone`: nobody but the device
 * had any of them, and what is not back is lost with it. NULL: no effect.
 */
void ethdev_pool_retire(struct rte_mempool *pool, bool alone);

/* Frees the retired pools whose mbufs are back. True when some still wait. */
bool ethdev_pool_reap(void);

#endif
