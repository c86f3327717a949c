/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A spinlock for code that knows no DPDK. The FDB's lock is held while an entry changes, well under a
 * microsecond. A sink's lock is held while a burst is placed: some microseconds, about 100 for the
 * largest bursts, and longer where the kernel must first make the memory's pages.
 *
 * Any thread. Cores may be shared, so the holder may be off its CPU. A waiting thread therefore spins for
 * about a microsecond and then yields its CPU between attempts.
 */
#ifndef VSWITCH_SPINLOCK_H
#define VSWITCH_SPINLOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "thread_safety.h"

#define SPINLOCK_SPINS 32

struct LOCK_TYPE("spinlock") spinlock {
	uint32_t held; /* 0 or 1; atomic */
};

/* One step of a wait; `*waited` starts at 0 and belongs to that wait. */
static inline void
spinlock_relax(uint32_t *waited)
{
	if (++*waited > SPINLOCK_SPINS) {
		sched_yield();
		return;
	}
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

static inline void spinlock_lock(struct spinlock *lock) ACQUIRES(*lock) UNCHECKED_LOCKS;
/* False: another thread holds the lock. */
static inline bool
spinlock_try_lock(struct spinlock *lock) TRY_ACQUIRES(true, *lock) UNCHECKED_LOCKS;
static inline void spinlock_unlock(struct spinlock *lock) RELEASES(*lock) UNCHECKED_LOCKS;

static inline void
spinlock_lock(struct spinlock *lock)
{
	uint32_t waited = 0;

	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) != 0)
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0)
			spinlock_relax(&waited);
}

static inline bool
spinlock_try_lock(struct spinlock *lock)
{
	return __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void
spinlock_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
