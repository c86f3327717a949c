/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mutex of the C library in a type of our own, because the library's type has no annotation
 * (thread_safety.h). For threads that may sleep: a worker takes none while it moves frames.
 */
#ifndef VSWITCH_MUTEX_H
#define VSWITCH_MUTEX_H

#include <pthread.h>

#include "thread_safety.h"

struct LOCK_TYPE("mutex") mutex {
	pthread_mutex_t native;
};

#define MUTEX_INIT                                                                                 \
	{                                                                                          \
		PTHREAD_MUTEX_INITIALIZER                                                          \
	}

static inline void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex) UNCHECKED_LOCKS;
static inline void mutex_unlock(struct mutex *mutex) RELEASES(*mutex) UNCHECKED_LOCKS;
static inline void mutex_wait(struct mutex *mutex, pthread_cond_t *condition) REQUIRES(*mutex);

static inline void
mutex_lock(struct mutex *mutex)
{
	pthread_mutex_lock(&mutex->native);
}

static inline void
mutex_unlock(struct mutex *mutex)
{
	pthread_mutex_unlock(&mutex->native);
}

/* Releases the lock, waits until the condition is signalled, and takes the lock again. */
static inline void
mutex_wait(struct mutex *mutex, pthread_cond_t *condition)
{
	pthread_cond_wait(condition, &mutex->native);
}

#endif
